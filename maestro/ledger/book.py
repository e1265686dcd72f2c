"""The ledger of one series: what was tried on it, how often, and whether the ledger is intact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from maestro.bars import Bars
from maestro.errors import LedgerError, SettingsError
from maestro.ledger.chain import Chain, Entry, Finding, Head
from maestro.ledger.series import file_name, series_of, user
from maestro.ledger.series import folder as _folder
from maestro.ledger.tally import Tally
from maestro.version import __version__

if TYPE_CHECKING:
    from maestro.engine import Backtest

INDEX = "index.ledger"
SUFFIX = ".ledger"
_COLUMNS: dict[str, Any] = {
    "n": pl.Int64, "time": pl.String, "user": pl.String, "kind": pl.String, "state": pl.String, "strategy": pl.String,
    "source": pl.String, "run": pl.String, "fold": pl.Int64, "trials": pl.Int64, "sharpes": pl.Int64,
    "sharpe_mean": pl.Float64, "sharpe_m2": pl.Float64, "fingerprint": pl.String, "note": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trials:
    """The number of trials on a series.

    Attributes
    ----------
    distinct : int
        Trials without exact repetitions: N of the deflated Sharpe ratio.
    evaluated : int
        All of them: a fold that was interrupted and begun again, or a run repeated to the letter, counts each time.
    variance : float
        Of the distinct trials' Sharpe ratios **per period**; NaN where there are fewer than two.
    missing : int
        Of both, those whose entries were removed: the anchor still knew their number.
    """

    distinct: int
    evaluated: int
    variance: float
    missing: int = 0


class Ledger:
    """Append-only record of every trial run on a series by this user.

    Parameters
    ----------
    series : Bars or str
        Bars, or ``"PROVIDER:SYMBOL:timeframe"``.
    folder : path, optional
        Where the ledgers are; the setting ``ledger_dir``, and in it the user's folder, if not given.
    """

    def __init__(self, series: Bars | str, folder: str | Path | None = None) -> None:
        self.series = series_of(series)
        self._bars = series if isinstance(series, Bars) else None
        self.folder = _folder() if folder is None else Path(folder)
        self.path = self.folder / file_name(self.series)
        self._chain = Chain(self.path)
        self._listed = False

    # -- what was tried ---------------------------------------------------------------------

    @property
    def trials(self) -> Trials:
        """The number of trials on the series, and the variance of their Sharpe ratios.

        The same fold of the same run (equal bars, settings, seed and source, so equal results) is one attempt however
        often it is computed: there is nothing new to choose from. All else counts every time.
        """
        return count_entries([self.lines()])

    @property
    def n_trials(self) -> int:
        """Distinct trials: N of the deflated Sharpe ratio."""
        return self.trials.distinct

    def lines(self) -> list[Entry]:
        """Return the entries as they were written; for `count_entries`."""
        return self._chain.entries()

    def entries(self) -> pl.DataFrame:
        """One row per entry, the oldest first; ``sharpe_mean`` and ``sharpe_m2`` are per period."""
        rows = []
        for entry in self._chain.entries():
            tally = _tally(entry)
            note = entry.get("text") or (f"{entry['dropped']} torn bytes dropped" if entry.get("dropped") else None)
            moments = {"sharpe_mean": tally.mean, "sharpe_m2": tally.m2} if tally.n else {}
            known = {name: entry.get(name) for name in _COLUMNS}
            rows.append({**known, "trials": tally.trials, "sharpes": tally.n, "note": note, **moments})
        return pl.DataFrame(rows, schema=_COLUMNS)

    def verify(self) -> list[Finding]:
        """Every way in which the ledger is not as it was written; an empty list where it is.

        Errors are changed, removed, added or moved lines, also at the end; notes are what a killed process leaves.
        """
        return _check(self.path, self.series)

    def holds(self, entries: int, hash: str) -> bool | None:
        """Whether entry number `entries` has this hash, as a run's manifest notes; None without a ledger."""
        return self._chain.link(entries) == hash if self.path.exists() else None

    # -- writing ----------------------------------------------------------------------------

    def record(
        self, kind: str, *, backtest: Backtest | None = None, sharpes: Iterable[float] = (), trials: int | None = None,
        strategy: str = "", source: str = "", run: str = "",
    ) -> None:  # fmt: skip
        """Enter trials that Maestro does not count by itself: a slider that was moved and looked at, another tool's.

        Parameters
        ----------
        kind : str
            A word for the table: ``"slider"``, ``"backtest"``, ``"by hand"``.
        backtest : Backtest, optional
            One trial, with its strategy and Sharpe ratio.
        sharpes : floats, optional
            The trials' Sharpe ratios **per period**.
        trials : int, optional
            How many, where more than `sharpes` says.
        strategy, source, run : str, optional
            Name of the rule, hash of its source, and what an exact repetition has in common.

        Raises
        ------
        SettingsError
            Nothing to enter, or fewer trials than Sharpe ratios.
        LedgerError
            Not writable, the disk is full, or another writer held it for 10 s.
        """
        tally = Tally.of(sharpes, trials)
        if backtest is not None:
            strategy = strategy or (type(backtest.strategy).__name__ if backtest.strategy else "signals")
            tally += Tally.of([backtest.metrics["sharpe_ratio"]], periods_per_year=backtest.bars.periods_per_year)
        if not tally.trials:
            raise SettingsError("nothing to enter; give backtest=, sharpes= or trials=.")
        self.append(kind, tally, strategy=strategy, source=source, run=run)

    def append(
        self, kind: str, tally: Tally, *, strategy: str = "", source: str = "", run: str = "", fold: int | None = None,
        state: str = "done", sync: bool = True,
    ) -> Head:  # fmt: skip
        """Enter a tally; returns where the chain then ends. Raises as `record`."""
        return self.extend(kind, [(tally, fold, state)], strategy=strategy, source=source, run=run, sync=sync)

    def extend(
        self, kind: str, tallies: Iterable[tuple[Tally, int | None, str]], *, strategy: str = "", source: str = "",
        run: str = "", sync: bool = True,
    ) -> Head:  # fmt: skip
        """Enter several tallies, each with its fold and state, in one write. Returns and raises as `append`."""
        time, whose = _now(), user()
        entries: list[Entry] = [
            {
                "time": time,
                "kind": kind,
                "state": state,
                "strategy": strategy,
                "source": source,
                "run": run,
                **({} if fold is None else {"fold": fold}),
                "user": whose,
                "series": self.series,
                **({} if self._bars is None else {"fingerprint": self._bars.fingerprint}),
                "maestro": __version__,
                "trials": tally.trials,
                "sharpe": [tally.n, tally.mean, tally.m2],
            }
            for tally, fold, state in tallies
        ]
        first = {"kind": "begin", "time": time, "series": self.series, "user": whose}
        head = self._chain.append(entries, first=first, sync=sync)
        if not self._listed and self.path.name not in _index(self.folder):
            index = {"kind": "series", "time": time, "series": self.series, "file": self.path.name}
            Chain(self.folder / INDEX).append([index])
        self._listed = True
        return head

    def sync(self) -> Head:
        """Force to disk what was appended without; raises as `record`."""
        return self._chain.sync()

    def head(self) -> Head:
        """Where the chain ends: number of entries, trials, hash of the last."""
        return self._chain.head()

    def __repr__(self) -> str:
        return f"Ledger({self.series}: {self.n_trials:,} trials, {self.head().count:,} entries, {self.path})"


def count_entries(ledgers: Iterable[list[Entry]], left_out: str = "") -> Trials:
    """Count the trials in the entries of one or several ledgers, without those of the kind `left_out`.

    The same fold of the same run counts once, also if several users computed it.
    """
    once: dict[Any, Tally] = {}
    evaluated = missing = 0
    for number, entries in enumerate(ledgers):
        here = 0
        for k, entry in enumerate(entries):
            if entry.get("kind") == "damage":
                continue
            run, found = entry.get("run"), _tally(entry)
            here += found.trials
            if left_out and entry.get("kind") == left_out:
                continue
            evaluated += found.trials
            key = (entry.get("kind"), run, entry.get("fold")) if run else (number, k)
            if key not in once or found.trials > once[key].trials:
                once[key] = found
        missing += max(int(entries[-1].get("total", 0)) - here, 0) if entries else 0
    whole = sum(once.values(), Tally())
    return Trials(whole.trials + missing, evaluated + missing, whole.variance, missing)


def ledgers(folder: str | Path | None = None) -> list[Ledger]:
    """All ledgers of this user, or in a folder, by name; also those that the index knows and nobody finds."""
    place = _folder() if folder is None else Path(folder)
    names = set(_index(place).values())
    for path in place.glob(f"*{SUFFIX}"):
        series = _series(Chain(path))
        if path.name != INDEX and series:
            names.add(series)
    return [Ledger(name, place) for name in sorted(names)]


def verify(folder: str | Path | None = None) -> list[Finding]:
    """What is wrong with any ledger of this user, or in a folder: with each, the index, and whether all are there."""
    place = _folder() if folder is None else Path(folder)
    findings: list[Finding] = []
    paths = {path.name for path in place.glob(f"*{SUFFIX}")} | {
        path.name.removesuffix(".head") for path in place.glob(f"*{SUFFIX}.head")
    }
    if not paths:
        return findings
    findings += Chain(place / INDEX).verify()
    known = _index(place)
    for name in sorted((paths | known.keys()) - {INDEX}):
        series = known.get(name)
        if series is None:
            text = "the index does not know this ledger: a process was killed when it began it, or it was put here"
            findings.append(Finding("note", name, None, text))
        if not (place / name).exists():
            findings.append(Finding("error", name, None, f"the ledger of {series or 'a series'} was removed"))
        else:
            findings += _check(place / name, series)
    return findings


def n_trials(series: Bars | str) -> int:
    """Every distinct trial that this user ever ran on a series: N of the deflated Sharpe ratio."""
    return Ledger(series).n_trials


def _check(path: Path, series: str | None) -> list[Finding]:
    chain = Chain(path)
    findings, own = chain.verify(), _series(chain)
    if series is not None and own != series and chain.entries():
        text = f"this is the ledger of {own or 'no series'}, in the place of that of {series}"
        findings.append(Finding("error", path.name, 1, text))
    return findings


def _series(chain: Chain) -> str | None:
    """Series that a ledger was begun for."""
    return next((e["series"] for e in chain.entries() if e.get("kind") == "begin" and _text(e, "series")), None)


def _index(place: Path) -> dict[str, str]:
    """Series by the name of their file, as the folder's index has them."""
    entries = Chain(place / INDEX).entries()
    return {e["file"]: e["series"] for e in entries if _text(e, "file") and _text(e, "series")}


def _text(entry: Entry, name: str) -> bool:
    return isinstance(entry.get(name), str)


def _tally(entry: Entry) -> Tally:
    try:
        n, mean, m2 = entry.get("sharpe", (0, 0.0, 0.0))
        return Tally(int(entry.get("trials", 0)), int(n), float(mean), float(m2))
    except (TypeError, ValueError) as error:
        raise LedgerError(
            f"entry {entry.get('n')} of the ledger is damaged ({error}); see: maestro ledger verify"
        ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
