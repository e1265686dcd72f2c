"""Repeat a recorded run, one fold or all, and compare it bit by bit with what is on disk."""

from __future__ import annotations

import hashlib
import math
import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.compiled import kernel_hash
from maestro._core.markup import html, joined, table
from maestro.bars import Bars
from maestro.errors import BarsError, LedgerError, RunError, SettingsError
from maestro.execution import events as ev
from maestro.execution.protocol import Outcome
from maestro.ledger import Ledger, folder, uncounted
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.differences import differences, unequal
from maestro.reproduce.plan import recorded_strategy, repeated_run
from maestro.runs import RunSpec, RunStore, find, source_hash, versions
from maestro.runs.identity import canonical
from maestro.runs.spec import ObjectSpec
from maestro.runs.store import MANIFEST, TABLES
from maestro.strategies import Strategy
from maestro.walkforward.folds import run_folds
from maestro.walkforward.result import WalkForward
from maestro.walkforward.run import PreparedRun
from maestro.walkforward.tables import FoldTables, assemble, fold_tables

_DECIDING = ("python", "maestro", "code", "kernels", "machine", "cpu", "numpy", "numba", "polars", "optuna")

_CAUSES = {
    "code": "Maestro's own code",
    "kernels": "the compiled code",
    "cpu": "the kind of CPU",
    "machine": "the machine",
}


@dataclass
class Verification:
    """Whether a run repeats bit for bit.

    Attributes
    ----------
    id : str
    folds : list of int
        Folds that were repeated; of how many says `of`.
    differences : list of (what, text)
        ``file``, ``manifest``, ``ledger``: something on disk is not as it was written; ``bars``, ``code``: what went
        in is not what it was; ``result``: the repetition gives another result.
    notes : list of str
        What does not make the run another one, but may be why it differs: versions, the kind of CPU.
    kernels : str
        Hash of the compiled code that repeated the run: sources of the kernels, compiler and its options.
    seconds : float
    """

    id: str
    of: int = 0
    folds: list[int] = field(default_factory=list)
    differences: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kernels: str = field(default_factory=kernel_hash)
    seconds: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def conclusion(self) -> str:
        """The outcome in a sentence."""
        several = len(self.folds) > 1
        one = f"fold{'s' * several} {', '.join(map(str, self.folds))} of {self.of}"
        part = f"all {self.of} folds" if len(self.folds) == self.of > 1 else one
        repeats = f"{part} {'repeat' if several else 'repeats'} bit for bit"
        if self.equal:
            return f"Run {self.id}: {repeats}."
        kinds = list(dict.fromkeys(what for what, _ in self.differences))
        if not self.folds:
            return f"Run {self.id} was not repeated: {_and(_WORDS[kind] for kind in kinds)}."
        if "result" in kinds:
            causes = [_WORDS[kind] for kind in kinds if kind != "result"]
            why = f" ({_and(causes)})" if causes else ""
            return f"Run {self.id}: {part} {'do' if several else 'does'} not repeat the recorded result{why}."
        return f"Run {self.id}: {repeats}, but {_and(_WORDS[kind] for kind in kinds)}."

    def __repr__(self) -> str:
        return "\n".join([self.conclusion, *(f"  {what}: {text}" for what, text in self.differences)])

    def _repr_html_(self) -> str:
        title = html("<p><b>{}</b></p>", self.conclusion)
        found = table((), self.differences) if self.differences else ""
        return str(title + found + joined("<div style='opacity:.75'>{}</div>", self.notes))


_WORDS = {
    "file": "a file was changed after it was written",
    "manifest": "its manifest was changed after it was written",
    "ledger": "the ledger of its series is not as it was written",
    "bars": "its bars are not what they were",
    "code": "its strategy is not what it was",
    "result": "the result is another one",
}


def verify(
    run: str | Path | WalkForward,
    *,
    folds: int | Sequence[int] | str | None = None,
    runs_dir: str | Path = "runs",
    bars: Bars | str | Path | None = None,
    strategy: type[Strategy] | None = None,
    search: Any = None,
    pruner: Any = None,
    workers: int | None = None,
    executor: Any = None,
    progress: bool | ev.Listener | Sequence[bool | ev.Listener] | None = None,
    cancel: threading.Event | None = None,
) -> Verification:
    """Repeat a recorded run and compare trials, folds, equity and trades bit by bit.

    Nothing is written, and nothing counts in the ledger.

    Parameters
    ----------
    run : str, path or WalkForward
        Id of a run, the beginning of one, its folder, or the result itself.
    folds : int, ints or "all", optional
        Which folds to repeat; one at random if not given, which takes seconds.
    runs_dir : path
    bars : Bars or a name for `ms.load`, optional
        In place of where the manifest says that the bars come from.
    strategy : type of Strategy, optional
        Class of the user-defined strategy of the run.
    search, pruner : optional
        An Optuna sampler and pruner, where the run was searched by such objects.
    workers, executor, progress, cancel
        As in `walk_forward`.

    Returns
    -------
    Verification
        `equal`, or every difference by name.

    Raises
    ------
    RunError
        There is no such run, or it is unfinished.
    SettingsError, StrategyError
        No such fold; a strategy, sampler or pruner that must be given and was not.
    RunCancelled
    """
    began = time.perf_counter()
    if isinstance(run, WalkForward):
        wf, outcome = run, Verification(run.id)
        if wf.folder is not None and _files(RunStore(wf.folder), outcome) is None:
            return outcome
    else:
        store = find(run, runs_dir)
        outcome = Verification(store.id)
        read = _files(store, outcome)
        if read is None:
            return outcome
        wf = WalkForward(*read, store.folder)
    outcome.of = len(wf.folds)
    _figures(wf, outcome)
    _ledger(wf, outcome)
    wanted = _wanted(folds, len(wf.folds))
    cls = recorded_strategy(wf, strategy)
    _inputs(wf.spec, search, pruner)
    _versions(wf.manifest, outcome)
    source = source_hash(cls)
    if source != wf.spec.source:
        text = f"the source of {cls.__name__} is {source[:16]}, recorded was {wf.spec.source[:16]}"
        outcome.differences.append(("code", text))
    try:
        found = recorded_bars(wf, bars)
    except BarsError as error:
        outcome.differences.append(("bars", str(error)))
        outcome.seconds = time.perf_counter() - began
        return outcome
    listeners = ev.listeners_of(progress)
    with uncounted("a verification"):
        again = repeated_run(wf.spec, cls, found, search, pruner)
        _repeat(wf, again, wanted, outcome, workers, executor, listeners, cancel or threading.Event())
    outcome.seconds = round(time.perf_counter() - began, 3)
    return outcome


# -- what is on disk -----------------------------------------------------------------------------


def _files(store: RunStore, outcome: Verification) -> tuple[dict[str, Any], dict[str, pl.DataFrame]] | None:
    """Manifest and tables of a run; None, with the reasons in `outcome`, where they are not as they were written."""
    if not (store.folder / MANIFEST).exists():
        raise RunError(f"no run is stored in {store.folder}; ms.runs.list_runs() shows those that are.")
    try:
        manifest = store.manifest()
    except RunError as error:
        outcome.differences.append(("manifest", str(error)))
        return None
    outcome.of = manifest["n_folds"]
    if manifest["status"] != "done":
        store.tables()  # says that it is unfinished, and what to do
    for name in TABLES:
        path = store.folder / f"{name}.parquet"
        content = path.read_bytes() if path.exists() else None
        if content is None or hashlib.sha256(content).hexdigest() != manifest["sha256"].get(name):
            how = "is missing" if content is None else "was changed after it was written"
            outcome.differences.append(("file", f"{path} {how}"))
    return None if outcome.differences else (manifest, store.tables())


def _figures(wf: WalkForward, outcome: Verification) -> None:
    """Compare the manifest's figures with its tables."""
    recorded = wf.manifest.get("metrics") or {}
    now = {name: value if math.isfinite(value) else None for name, value in wf.metrics.items()}
    wrong = [name for name, value in recorded.items() if name in now and value != now[name]]
    if wrong:
        text = f"its {', '.join(wrong)} are not those of its tables"
        outcome.differences.append(("manifest", text))
    if wf.manifest.get("n_folds") != len(wf.folds):
        outcome.differences.append(
            ("manifest", f"it says {wf.manifest.get('n_folds')} folds, there are {len(wf.folds)}")
        )


def _ledger(wf: WalkForward, outcome: Verification) -> None:
    """Look whether the ledger still has the entry with which the run ended."""
    mark = wf.manifest.get("ledger")
    if not mark:
        return
    try:
        book = Ledger(mark["series"], folder(str(mark.get("user", ""))))  # older runs name no user
        there = book.holds(mark["entries"], mark["hash"])
        changed = [f"line {found.line}: {found.text}" for found in book.verify() if found.severity == "error"]
    except (LedgerError, SettingsError) as error:
        outcome.notes.append(f"The ledger could not be looked at: {error}")
        return
    if there is None:
        outcome.notes.append(
            f"There is no ledger of {mark['series']} by {book.folder.name} here: it was not looked at."
        )
    elif not there and (url := RunStore(wf.folder).fetched_from() if wf.folder else ""):
        outcome.notes.append(
            f"The run was made on {url}, whose ledger of {mark['series']} is not the one of {book.folder.name} here: "
            "it was not looked at."
        )
    elif not there:
        text = (
            f"entry {mark['entries']} of {book.path} is not the one that the run left there; see: maestro ledger verify"
        )
        outcome.differences.append(("ledger", text))
    elif changed:
        more = f", and {len(changed) - 1} more; see: maestro ledger verify" if len(changed) > 1 else ""
        outcome.differences.append(("ledger", f"{book.path} was changed after it was written: {changed[0]}{more}"))


def _versions(manifest: dict[str, Any], outcome: Verification) -> None:
    recorded, now = manifest["versions"], versions()
    for name in _DECIDING:
        if name in recorded and recorded[name] != now.get(name):
            outcome.notes.append(f"{_CAUSES.get(name, name)} was {recorded[name]}, now {now.get(name)}.")


# -- what went in --------------------------------------------------------------------------------


def _wanted(folds: Any, count: int) -> list[int]:
    if folds is None:
        return [random.randrange(count)]
    if folds == "all":
        return list(range(count))
    wanted = [folds] if isinstance(folds, int) else list(folds)
    for fold in wanted:
        if isinstance(fold, bool) or not isinstance(fold, int) or not 0 <= fold < count:
            raise SettingsError(
                f"there is no fold {fold!r}; the run has 0 to {count - 1}, and 'all' (--all in the shell) repeats each."
            )
    return sorted(set(wanted))


def _inputs(spec: RunSpec, search: Any, pruner: Any) -> None:
    """Refuse a run whose sampler or pruner was an object and is not given."""
    for name, recorded, given in (("search", spec.search, search), ("pruner", spec.pruner, pruner)):
        if isinstance(recorded, ObjectSpec) and given is None:
            raise SettingsError(
                f"the run's {name} was the object {recorded.name}; give an equal one: {name}=… in Python."
            )


# -- the result --------------------------------------------------------------------------------


def _repeat(
    wf: WalkForward, again: PreparedRun, wanted: Sequence[int], outcome: Verification, workers: int | None,
    executor: Any, listeners: Sequence[ev.Listener], cancel: threading.Event,
) -> None:  # fmt: skip
    spec = wf.spec
    recorded, now = spec.to_dict(), again.spec.to_dict()
    for name in recorded.keys() - {"source"}:
        if canonical(now[name]) != canonical(recorded[name]):
            what = "the windows of the splitter" if name == "windows" else f"the setting {name}"
            outcome.differences.append(("code", f"{what} cannot be reproduced as recorded"))
    if again.spec.windows != spec.windows:
        return

    def tell(event: ev.Event) -> None:
        for listener in listeners:
            listener(event)

    tables = {"folds": wf.folds, "trials": wf.trials, "equity": wf.equity, "trades": wf.trades}
    tell(ev.RunStarted(wf.id, f"again {spec.title}", len(wanted), spec.trials))
    kept: dict[int, FoldTables] = {}
    try:
        for ended in _outcomes(wf, again, wanted, workers, executor, cancel):
            if not ended.finished:  # the error follows
                continue
            result = ended.value
            kept[result.fold] = fold_tables(result, again.bars, again.plan.space, again.plan.cash)
            outcome.folds.append(result.fold)
            tell(ev.FoldDone(result.fold, len(result.trials), result.error))
    except BaseException as error:
        tell(ev.RunStopped(wf.id, len(kept), str(error)))
        raise
    tell(ev.RunDone(wf.id, 0.0))
    outcome.folds.sort()
    found = [text for fold in sorted(kept) for text in differences(fold, tables, kept[fold])]
    if len(kept) == len(wf.folds) and not found:
        whole = assemble([kept[k] for k in sorted(kept)], again.plan.cash)
        found = [text for name in TABLES for text in unequal(name, tables[name], whole[name])]
    outcome.differences += [("result", text) for text in found]


def _outcomes(
    wf: WalkForward,
    again: PreparedRun,
    wanted: Iterable[int],
    workers: int | None,
    executor: Any,
    cancel: threading.Event,
) -> Iterator[Outcome]:
    def warm(fold: int) -> list[dict[str, Any]]:  # each began with the recorded choice of the fold before
        before = wf.folds.row(fold - 1, named=True) if fold else None
        return [] if before is None or before["error"] else [{n: before[n] for n in again.plan.space.names}]

    return run_folds(
        again.plan, again.bars, [(fold, again.windows[fold]) for fold in wanted], workers=workers, executor=executor,
        cancel=cancel, warm=warm if again.warm_start else None,
    )  # fmt: skip


def _and(parts: Iterable[str]) -> str:
    return ", and ".join(parts)
