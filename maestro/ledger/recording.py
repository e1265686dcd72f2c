"""A listener that enters the trials of walk-forwards and sweeps as they finish, and never prevents a result."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from maestro.bars import Bars
from maestro.errors import MaestroError
from maestro.execution import events as ev
from maestro.ledger.book import Ledger
from maestro.ledger.tally import Tally
from maestro.runs import run_id, source_hash

if TYPE_CHECKING:
    from maestro.engine import Backtest

_EVERY = 0.25
"""Seconds between two times that entries are forced to disk; at once is 0.3 ms here and 10 ms on a slow disk."""
_silent: ContextVar[str] = ContextVar("uncounted", default="")


@contextmanager
def uncounted(why: str) -> Iterator[None]:
    """Count no trials inside: for what repeats a run or works on made-up bars, and chooses nothing on real ones."""
    before = _silent.set(why)
    try:
        yield
    finally:
        _silent.reset(before)


class Recorder:
    """Enters the trials of one run or sweep; a listener of its events.

    A ledger that cannot be written does not end the run: `notes` say which trials it lacks.

    Parameters
    ----------
    bars : Bars
    kind : str
    strategy, source, run : str
        Name of the rule, hash of its source, and id of what is done: equal for an exact repetition.
    """

    def __init__(self, bars: Bars, kind: str, *, strategy: str, source: str, run: str) -> None:
        self._bars, self._kind = bars, kind
        self._what: dict[str, Any] = {"strategy": strategy, "source": source, "run": run}
        self._ledger: Ledger | None = None
        self._synced = time.monotonic()
        self._dirty = False
        self._lost, self._unsynced, self._why = 0, 0, ""
        self._head: Any = None

    def record(self, sharpes: Iterable[float], trials: int, fold: int | None = None, state: str = "done") -> None:
        """Enter finished trials by their annualised Sharpe ratios; NaN is one without."""
        if _silent.get():
            return
        now = time.monotonic()
        tally = Tally.of(sharpes, trials, periods_per_year=self._bars.periods_per_year)
        self._append([(tally, fold, state)], sync=now - self._synced > _EVERY)

    def record_all(self, events: Iterable[ev.TrialsEvaluated]) -> None:
        """Enter several folds in one write and force them to disk."""
        periods = self._bars.periods_per_year
        tallies = [
            (Tally.of(e.sharpe_ratios, e.trials, periods_per_year=periods), e.fold, e.state)
            for e in events
            if e.trials or e.state != "interrupted"
        ]
        if tallies and not _silent.get():
            self._append(tallies, sync=True)

    def __call__(self, event: ev.Event) -> None:
        """Listen to a run: enter the trials that were evaluated, and force all to disk if it ends early."""
        if isinstance(event, ev.TrialsEvaluated) and (event.trials or event.state != "interrupted"):
            self.record(event.sharpe_ratios, event.trials, event.fold, event.state)
        elif isinstance(event, ev.RunStopped):
            self.close()

    def close(self) -> None:
        """Force all to disk and move the anchor."""
        if self._dirty and self._ledger is not None:
            if not self._try(self._ledger.sync):
                self._lost += self._unsynced
            self._dirty = False

    @property
    def notes(self) -> list[str]:
        """Notes on trials that could not be entered."""
        if not self._lost:
            return []
        what = "1 trial" if self._lost == 1 else f"{self._lost:,} trials"
        return [f"{what} could not be entered in the ledger, whose count is too small by that: {self._why}"]

    @property
    def mark(self) -> dict[str, Any]:
        """Where the ledger ended after this: it proves later that nothing before was removed or changed."""
        if self._ledger is None or self._head is None:
            return {}
        whose = self._ledger.folder.name
        return {
            "series": self._ledger.series, "user": whose, "entries": self._head.count, "hash": self._head.hash
        }  # fmt: skip

    def _append(self, tallies: list[tuple[Tally, int | None, str]], sync: bool) -> None:
        trials = sum(tally.trials for tally, _, _ in tallies)

        def write() -> None:
            if self._ledger is None:
                self._ledger = Ledger(self._bars)
            self._head = self._ledger.extend(self._kind, tallies, sync=sync, **self._what)
            self._dirty = not sync
            self._unsynced = 0 if sync else self._unsynced + trials
            self._synced = time.monotonic() if sync else self._synced

        if not self._try(write):
            self._lost += trials

    def _try(self, action: Any) -> bool:
        try:
            action()
        except (MaestroError, OSError) as error:
            self._why = str(error)
            return False
        return True


_scored_at = 0.0


def scored(backtest: Backtest, kind: str = "slider") -> tuple[str, ...]:
    """Count a backtest whose score somebody looked at: a slider that was moved, say.

    The same rule, parameters, settings and bars are one attempt however often one comes back to them. It never stands
    in the way: the note that is returned states what could not be entered.
    """
    global _scored_at
    strategy, bars = backtest.strategy, backtest.bars
    name = "signals" if strategy is None else type(strategy).__name__
    source = "" if strategy is None else source_hash(type(strategy))
    params = {} if strategy is None else {key: repr(value) for key, value in strategy.params.items()}
    spec = {
        "strategy": name, "source": source, "fingerprint": bars.fingerprint, "params": params, "cash": backtest.cash,
        "costs": backtest.costs.to_dict(), "sizing": backtest.sizing.to_dict(), "fill": backtest.fill,
    }  # fmt: skip
    book = Recorder(bars, kind, strategy=name, source=source, run="" if strategy is None else run_id(spec))
    book.record([backtest.metrics["sharpe_ratio"]], 1)
    if time.monotonic() - _scored_at > _EVERY:
        book.close()
        _scored_at = time.monotonic()
    return tuple(book.notes)
