"""Writes the searches of a walk-forward as Optuna studies, one per fold, that optuna-dashboard opens."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl

from maestro._core.atomic import replacing
from maestro._core.quiet import ignored
from maestro.errors import RunError, SettingsError
from maestro.metrics import NAMES
from maestro.search.dimensions import Dimension
from maestro.search.optuna_search import choices, distribution, quiet_optuna
from maestro.search.space import Space
from maestro.search.trials import round_score
from maestro.strategies.options import cells

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

SQLITE = "sqlite:///"


def write_studies(
    path: str | Path,
    trials: pl.DataFrame,
    space: Space | Mapping[str, Any],
    *,
    score: str | Mapping[str, float] = "sharpe_ratio",
    name: str = "walk-forward",
    attrs: Mapping[str, Any] | None = None,
) -> list[str]:
    """Write the trials of a walk-forward as Optuna studies, one per fold.

    Parameters
    ----------
    path : str or Path
        A journal file, or ``sqlite:///FILE``. Studies that stand there already stay; those of the same names are
        replaced. The file changes in one step. A journal takes 0.1 ms per trial, SQLite 15 ms (Optuna inserts every
        parameter and attribute by itself).
    trials : polars.DataFrame
        One row per trial: fold, trial, state, chosen, error, the parameters and the metrics.
    space : Space, or its JSON form
        What was searched.
    score : str or mapping of weights
        Column that was maximised, with a minus in front one that was minimised; or the weights of a sum of columns.
        Rounded to 12 significant digits as in the search.
    name : str
        Studies are called ``{name}-fold-00`` and so on.
    attrs : dict, optional
        User attributes of each study (JSON values), e.g. the id of the run.

    Returns
    -------
    list of str
        Names of the studies.

    Notes
    -----
    States: complete; infeasible becomes PRUNED with the constraint ``feasible`` violated; undefined PRUNED; failed
    FAIL. Each trial has the user attributes ``chosen``, ``state``, ``error`` and its finite metrics; each study
    ``chosen`` (the number of the chosen trial), ``fixed`` and ``fold``. A range of negative numbers on a log scale,
    which Optuna does not know, is written as a plain range.

    Raises
    ------
    SettingsError
        A storage that is neither a file nor ``sqlite:///``, a table that lacks columns.
    RunError
        The file cannot be written, or holds something else than Optuna's studies.
    """
    weights = {score: 1.0} if isinstance(score, str) else dict(score)
    form = space.to_dict() if isinstance(space, Space) else space
    dimensions = [Dimension.from_dict(key, value) for key, value in form["search"].items()]
    needed = ["fold", "trial", "state", *(key.removeprefix("-") for key in weights), *(d.name for d in dimensions)]
    lacking = [column for column in needed if column not in trials.columns]
    if lacking:
        raise SettingsError(f"The table of trials lacks {', '.join(lacking)}; it has {', '.join(trials.columns)}.")
    text = str(path)
    sqlite = text.startswith(SQLITE)
    if "://" in text and not sqlite:
        raise SettingsError(f"{text!r}: studies are written to a journal file or to sqlite:///FILE; give one of these.")
    target = Path(text.removeprefix(SQLITE))
    if not target.parent.is_dir():
        raise RunError(f"The studies cannot be written to {target}: there is no folder {target.parent}; make it first.")
    studies = _studies(trials, dimensions, weights)
    common = {**(attrs or {}), "fixed": dict(form["fixed"])}
    shown = score if isinstance(score, str) else " + ".join(f"{weight:g} {key}" for key, weight in weights.items())
    try:
        with replacing(target) as temporary:
            (_write_sqlite if sqlite else _write_journal)(target, temporary, studies, name, shown, common)
    except OSError as error:
        raise RunError(
            f"The studies cannot be written to {target}: {error.strerror or error}; choose another place."
        ) from error
    return [_name(name, fold) for fold in studies]


def _name(name: str, fold: int) -> str:
    return f"{name}-fold-{fold:02d}"


def _studies(
    trials: pl.DataFrame, dimensions: list[Dimension], weights: Mapping[str, float]
) -> dict[int, list[FrozenTrial]]:
    """Optuna's trials by fold, in order of their numbers."""
    import optuna
    from optuna.trial import TrialState

    states = {
        "complete": TrialState.COMPLETE,
        "infeasible": TrialState.PRUNED,
        "undefined": TrialState.PRUNED,
        "failed": TrialState.FAIL,
    }
    distributions = {d.name: _shown(d) for d in dimensions}
    metrics = [name for name in NAMES if name in trials.columns and name not in distributions]
    terms = [(key.removeprefix("-"), -weight if key.startswith("-") else weight) for key, weight in weights.items()]
    result: dict[int, list[FrozenTrial]] = {}
    for row in trials.sort("fold", "trial").iter_rows(named=True):
        state = row["state"]
        user = {key: row[key] for key in metrics if row[key] is not None and math.isfinite(row[key])}
        user |= {"chosen": bool(row.get("chosen")), "state": state}
        if row.get("error") is not None:
            user["error"] = row["error"]
        frozen = optuna.trial.create_trial(
            state=states[state],
            value=round_score(sum(weight * row[key] for key, weight in terms)) if state == "complete" else None,
            params={d.name: _plain(d, row[d.name]) for d in dimensions},
            distributions=distributions,
            user_attrs=user,
            constraints={"feasible": 1.0} if state == "infeasible" else None,
        )
        result.setdefault(row["fold"], []).append(frozen)
    return result


def _shown(d: Dimension) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    if not d.negative:
        return distribution(d)
    return IntDistribution(int(d.low), int(d.high)) if d.kind == "int" else FloatDistribution(d.low, d.high)


def _plain(d: Dimension, value: Any) -> Any:
    return choices(d)[cells(d.options).index(value)] if d.options else value


def _fill(
    storage: BaseStorage,
    studies: Mapping[int, list[FrozenTrial]],
    name: str,
    score: str,
    common: Mapping[str, Any],
) -> None:
    import optuna

    standing = set(optuna.get_all_study_names(storage))
    for fold, trials in studies.items():
        if _name(name, fold) in standing:
            optuna.delete_study(study_name=_name(name, fold), storage=storage)
        study = optuna.create_study(storage=storage, study_name=_name(name, fold), direction="maximize")
        with ignored(optuna.exceptions.ExperimentalWarning):
            study.set_metric_names([score])
        chosen = [number for number, trial in enumerate(trials) if trial.user_attrs["chosen"]]
        for key, value in {**common, "fold": fold, "chosen": chosen[0] if chosen else None}.items():
            study.set_user_attr(key, value)
        study.add_trials(trials)


def _write_journal(
    target: Path, temporary: Path, studies: Mapping[int, list[FrozenTrial]], name: str, score: str,
    common: Mapping[str, Any],
) -> None:  # fmt: skip
    """Collect the log in memory and append it to the file at once: one lock and one fsync instead of one per trial."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import BaseJournalBackend, JournalFileBackend

    class Collected(BaseJournalBackend):
        def __init__(self, logs: list[dict[str, Any]]) -> None:
            self.logs = logs

        def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
            return self.logs[log_number_from:]

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            self.logs.extend(logs)

    with quiet_optuna():
        try:
            if _stands(target):
                _check_end(target)
            logs = list(JournalFileBackend(str(target)).read_logs(0)) if _stands(target) else []
            collected = Collected(logs)
            storage = JournalStorage(collected)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _foreign(target) from error
        if _stands(target):
            if not logs:  # Optuna reads over a last line that is not its own
                raise _foreign(target)
            shutil.copyfile(target, temporary)
        before = len(logs)
        try:
            _fill(storage, studies, name, score, common)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(target) from error
        JournalFileBackend(str(temporary)).append_logs(collected.logs[before:])


def _write_sqlite(
    target: Path, temporary: Path, studies: Mapping[int, list[FrozenTrial]], name: str, score: str,
    common: Mapping[str, Any],
) -> None:  # fmt: skip
    """Fill a database in memory, with the studies that stand in the file, then copy it to the file at once."""
    from optuna.exceptions import StorageInternalError
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import StaticPool

    memory = sqlite3.connect(":memory:", check_same_thread=False)
    with quiet_optuna(), closing(memory):
        if _stands(target):
            _read_database(target, memory)
        try:
            storage = RDBStorage("sqlite://", engine_kwargs={"poolclass": StaticPool, "creator": lambda: memory})
        except (SQLAlchemyError, RuntimeError) as error:
            raise _foreign(target) from error
        try:
            _fill(storage, studies, name, score, common)
            storage.remove_session()
            with closing(sqlite3.connect(temporary)) as file:
                memory.backup(file)
        except (SQLAlchemyError, StorageInternalError, ValueError, KeyError, TypeError) as error:
            raise _damaged(target) from error
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
        finally:
            storage.engine.dispose()


def _read_database(target: Path, memory: sqlite3.Connection) -> None:
    """Copy a database of studies into memory; one of something else is refused."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(target))}?mode=ro", uri=True)) as file:
            names = {row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            file.backup(memory)
        whole = memory.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    except sqlite3.Error as error:
        raise _foreign(target) from error
    if not whole:
        raise _damaged(target)
    if names and not {"studies", "trials", "version_info"} <= names:
        raise _foreign(target)


def _stands(target: Path) -> bool:
    return target.exists() and (not target.is_file() or target.stat().st_size > 0)


def _check_end(target: Path) -> None:
    """Refuse a journal whose last line is damaged or has no end: Optuna skips it, but not once another line follows."""
    if not target.is_file():
        return
    content = target.read_bytes()
    lines = content.rstrip(b"\n").split(b"\n")
    for line, refusal in ((lines[0], _foreign), (lines[-1], _damaged)):
        try:
            json.loads(line)
        except ValueError as error:
            raise refusal(target) from error
    if not content.endswith(b"\n"):
        raise _damaged(target)


def _damaged(target: Path) -> RunError:
    return RunError(f"{target} is damaged, so nothing was added; choose another path, or restore it from a copy.")


def _foreign(target: Path) -> RunError:
    return RunError(f"{target} exists and does not hold Optuna's studies; choose another path, or remove it first.")
