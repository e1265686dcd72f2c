"""Do the written studies say what the searches were, and does optuna-dashboard serve them?"""

from __future__ import annotations

import io
import json
import math
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import polars as pl
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from maestro import metrics as m
from maestro.errors import RunError, SettingsError, StrategyError
from maestro.search.runner import search
from maestro.search.space import Space
from maestro.search.studies import write_studies
from maestro.search.trials import Trial
from maestro.strategies.base import Strategy
from maestro.strategies.parameters import Bool, Choice, Constraint, Float, Int


class Rule(Strategy):
    fast = Int(20, 5, 100)
    slow = Int(40, 20, 200, step=20)
    entry = Float(-3e-5, -5e-4, -5e-6, log=True)
    exit = Float(3e-5, 5e-6, 5e-4, log=True)
    width = Float(2.0, 1.5, 3.0, step=0.1)
    mode = Choice("a", ("a", "b"))
    both = Bool(True)
    seldom = Int(3, 1, 9, search=False)
    constraints = (Constraint("fast < slow", lambda p: p.fast < p.slow),)


SPACE = Space(Rule)


def evaluate(params: dict[str, Any]) -> Any:
    if params["fast"] % 7 == 0:
        raise StrategyError("seven is not liked")
    metrics = np.linspace(0.1, 2.0, len(m.NAMES))
    metrics[m.SHARPE] = math.nan if params["fast"] % 5 == 0 else params["width"] / 3 - params["fast"] / 100
    metrics[m.PROFIT_FACTOR] = math.inf if params["both"] else math.nan
    return metrics


def table(folds: list[list[Trial]]) -> pl.DataFrame:
    rows = []
    for fold, trials in enumerate(folds):
        best = max((t for t in trials if t.state == "complete"), key=lambda t: t.score)
        for t in trials:
            values = (
                dict.fromkeys(m.NAMES) if t.metrics is None else dict(zip(m.NAMES, t.metrics.tolist(), strict=True))
            )
            row = {"fold": fold, "trial": t.number, "state": t.state, **t.params, **values}
            rows.append({**row, "chosen": t is best, "error": t.error})
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture(scope="module")
def trials() -> pl.DataFrame:
    return table([search(evaluate, SPACE, trials=60, seed=seed) for seed in range(3)])


def storage_of(target: str) -> Any:
    return target if "://" in target else JournalStorage(JournalFileBackend(target))


@pytest.mark.parametrize(
    ("kind", "form"),
    [("journal", SPACE), ("journal", json.loads(json.dumps(SPACE.to_dict()))), ("sqlite", SPACE)],
)
def test_studies_read_back_are_the_searches(tmp_path: Path, trials: pl.DataFrame, kind: str, form: Any) -> None:
    file = tmp_path / "studies.db"
    target = str(file) if kind == "journal" else f"sqlite:///{file}"
    shuffled = trials.sample(fraction=1.0, shuffle=True, seed=0)
    names = write_studies(target, shuffled, form, name="run 1a2b", attrs={"run": "1a2b", "seed": 0})
    assert names == ["run 1a2b-fold-00", "run 1a2b-fold-01", "run 1a2b-fold-02"]
    assert [p.name for p in tmp_path.iterdir()] == ["studies.db"]
    storage = storage_of(target)
    assert sorted(optuna.get_all_study_names(storage)) == names
    for fold, name in enumerate(names):
        study = optuna.load_study(study_name=name, storage=storage)
        rows = trials.filter(pl.col("fold") == fold).sort("trial").rows(named=True)
        assert study.direction == optuna.study.StudyDirection.MAXIMIZE
        assert study.metric_names == ["sharpe_ratio"]
        chosen = next(row for row in rows if row["chosen"])
        expected = {"run": "1a2b", "seed": 0, "fold": fold, "chosen": chosen["trial"], "fixed": {"seldom": 3}}
        assert study.user_attrs == expected
        assert study.best_trial.number == chosen["trial"]
        assert len(study.trials) == len(rows) == 60
        for frozen, row in zip(study.trials, rows, strict=True):
            assert frozen.number == row["trial"]
            assert frozen.params == {key: row[key] for key in SPACE.names}
            state = {"complete": TrialState.COMPLETE, "failed": TrialState.FAIL}.get(row["state"], TrialState.PRUNED)
            assert frozen.state == state
            assert frozen.value == (float(f"{row['sharpe_ratio']:.12g}") if row["state"] == "complete" else None)
            assert frozen.constraints == ({"feasible": 1.0} if row["state"] == "infeasible" else {})
            attrs = dict(frozen.user_attrs)
            assert attrs.pop("state") == row["state"]
            assert attrs.pop("chosen") is row["chosen"]
            assert attrs.pop("error", None) == row["error"]
            finite = {k: row[k] for k in m.NAMES if row[k] is not None and math.isfinite(row[k])}
            assert attrs == finite
    assert {row["state"] for row in trials.rows(named=True)} == {"complete", "failed", "infeasible", "undefined"}


@pytest.mark.parametrize("place", ["studies.log", "sqlite:///{}/studies.db"])
def test_studies_are_added_and_those_of_the_same_names_replaced(
    tmp_path: Path, trials: pl.DataFrame, place: str
) -> None:
    path = place.format(tmp_path) if "{" in place else str(tmp_path / place)
    few = trials.filter(pl.col("trial") < 3)
    other = optuna.create_study(study_name="mine", storage=storage_of(path))
    other.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    write_studies(path, few, SPACE, name="run")
    write_studies(path, few.filter(pl.col("fold") == 1), SPACE, name="next")
    write_studies(path, few.filter(pl.col("fold") == 1), SPACE, name="run")
    names = optuna.get_all_study_names(storage_of(path))
    assert sorted(names) == ["mine", "next-fold-01", *(f"run-fold-{fold:02d}" for fold in few["fold"].unique().sort())]
    assert len(optuna.load_study(study_name="mine", storage=storage_of(path)).trials) == 2
    assert len(optuna.load_study(study_name="run-fold-01", storage=storage_of(path)).trials) == 3


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}"])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, trials: pl.DataFrame, form: str) -> None:
    text, table = tmp_path / "thesis.txt", tmp_path / "taxes.db"
    text.write_text("mine\n")
    with closing(sqlite3.connect(table)) as database:
        database.execute("CREATE TABLE taxes (year)")
        database.commit()
    for file in (text, table):
        before = file.read_bytes()
        with pytest.raises(RunError, match="exists and does not hold Optuna's studies"):
            write_studies(form.format(file), trials, SPACE)
        assert file.read_bytes() == before


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}"])
def test_nothing_is_added_to_a_damaged_file(tmp_path: Path, trials: pl.DataFrame, form: str) -> None:
    file = tmp_path / "studies"
    write_studies(form.format(file), trials, SPACE)
    whole = file.read_bytes()
    for damaged in (whole[:-1], whole[:-40], whole[: len(whole) // 2], whole[: len(whole) // 2 + 1]):
        file.write_bytes(damaged)
        with pytest.raises(RunError, match=r"is damaged, so nothing was added|does not hold Optuna's studies"):
            write_studies(form.format(file), trials, SPACE)
        assert file.read_bytes() == damaged


def test_the_value_of_a_weighted_selection_is_the_sum_that_was_maximised(tmp_path: Path, trials: pl.DataFrame) -> None:
    file = tmp_path / "studies.log"
    (name, *_) = write_studies(file, trials, SPACE, score={"sharpe_ratio": 0.7, "-volatility": 2.0})
    study = optuna.load_study(study_name=name, storage=storage_of(str(file)))
    assert study.metric_names == ["0.7 sharpe_ratio + 2 -volatility"]
    best = study.best_trial
    expected = 0.7 * best.user_attrs["sharpe_ratio"] - 2.0 * best.user_attrs["volatility"]
    assert best.value == pytest.approx(expected, rel=1e-11)


def test_a_table_without_chosen_or_error_is_enough(tmp_path: Path, trials: pl.DataFrame) -> None:
    file = tmp_path / "studies.log"
    (name, *_) = write_studies(file, trials.drop("chosen", "error", "vwr"), SPACE, score="total_return")
    study = optuna.load_study(study_name=name, storage=storage_of(str(file)))
    assert study.user_attrs["chosen"] is None
    assert not any(t.user_attrs["chosen"] for t in study.trials)
    assert study.metric_names == ["total_return"]
    (name, *_) = write_studies(file, trials, SPACE, score="-volatility")
    study = optuna.load_study(study_name=name, storage=storage_of(str(file)))
    assert study.metric_names == ["-volatility"]
    assert study.best_value == pytest.approx(-study.best_trial.user_attrs["volatility"], rel=1e-11)


def test_a_study_can_be_gone_on_with(tmp_path: Path, trials: pl.DataFrame) -> None:
    file = tmp_path / "studies.log"
    (name, *_) = write_studies(file, trials, SPACE)
    study = optuna.load_study(
        study_name=name, storage=storage_of(str(file)), sampler=optuna.samplers.TPESampler(seed=0, multivariate=True)
    )
    trial = study.ask(study.trials[0].distributions)
    study.tell(trial, 1.0)
    assert trial.number == 60


def test_refusals(tmp_path: Path, trials: pl.DataFrame) -> None:
    with pytest.raises(SettingsError, match="lacks state, width"):
        write_studies(tmp_path / "a", trials.drop("state", "width"), SPACE)
    with pytest.raises(SettingsError, match="journal file or to sqlite:///FILE"):
        write_studies("postgresql://somewhere/studies", trials, SPACE)
    for target in (tmp_path / "no" / "such" / "a.log", f"sqlite:///{tmp_path}/no/such/a.db"):
        with pytest.raises(RunError, match="cannot be written to"):
            write_studies(target, trials, SPACE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_dashboard_serves_them(tmp_path: Path, trials: pl.DataFrame, kind: str) -> None:
    dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    file = tmp_path / "studies.db"
    target = str(file) if kind == "journal" else f"sqlite:///{file}"
    names = write_studies(target, trials, SPACE)
    storage = storage_of(target) if kind == "journal" else optuna.storages.RDBStorage(target)
    app = dashboard.wsgi(storage)

    def get(path: str) -> Any:
        """A request as a server on this machine makes it, without a socket."""
        answer: dict[str, Any] = {}
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
        }  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the dashboard's own: it calls experimental parts of Optuna
            body = b"".join(app(environ, lambda status, headers, error=None: answer.update(status=status)))
        assert answer["status"].startswith("200"), (path, answer, body[:300])
        return body

    assert b"<html" in get("/dashboard").lower()
    listed = json.loads(get("/api/studies"), parse_constant=pytest.fail)["study_summaries"]
    assert sorted(s["study_name"] for s in listed) == names
    for summary in listed:
        detail = json.loads(get(f"/api/studies/{summary['study_id']}"), parse_constant=pytest.fail)
        fold = names.index(summary["study_name"])
        rows = trials.filter(pl.col("fold") == fold).rows(named=True)
        assert len(detail["trials"]) == len(rows)
        for shown, row in zip(detail["trials"], rows, strict=True):
            assert shown["state"] == {"complete": "Complete", "failed": "Fail"}.get(row["state"], "Pruned")
            if row["state"] == "complete":
                assert float(shown["values"][0]) == float(f"{row['sharpe_ratio']:.12g}")
    if kind == "sqlite":
        storage.engine.dispose()
