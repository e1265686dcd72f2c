"""Look-ahead check: whether a strategy's signals depend on later bars, and related checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro._core.markup import LEFT, html, outcome_cell, table
from maestro._core.quiet import ignored
from maestro.bars import Bars
from maestro.engine import resolve
from maestro.errors import MaestroError, SettingsError, StrategyError
from maestro.strategies.base import Strategy
from maestro.strategies.signals import Signals
from maestro.validation.lookahead.determinism import mutation, randomness, statefulness
from maestro.validation.lookahead.probing import Answer, Refused, ask, fresh_copies, private
from maestro.validation.lookahead.truncation import Changes, Finding, choose_cuts, truncation
from maestro.validation.lookahead.warmup import dependence

CHECKS = ("look-ahead", "warm-up", "history", "randomness", "state", "mutation")
"""The checks, in the order of the table."""
_CHANGES: dict[str, Any] = {
    "cut": pl.Int64, "signal": pl.String, "bar": pl.Int64, "timestamp": pl.Datetime("us", "UTC"), "bars": pl.Int64,
    "whole": pl.String, "truncated": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class LookAhead:
    """Result of `lookahead`.

    Attributes
    ----------
    passed : bool
        Whether no check found a problem. A check that could not be made does not count; `table` names it.
    table : polars frame, one row per check
        check, passed (null where it could not be made), signal, bar, timestamp, cut, columns, finding.
    changes : polars frame, one row per signal that a cut changed
        cut (bars given), signal, bar and timestamp of its first change, bars (how many changed), and its value there
        with all bars (whole) and with the first `cut` of them (truncated).
    strategy, bars : str
        Strategy that was checked, and the bars.
    cuts : tuple of int
        Numbers of bars that the strategy was run on.
    seed : int
        Seed of the choice of cuts and later starts.
    """

    table: pl.DataFrame
    changes: pl.DataFrame
    strategy: str
    bars: str
    cuts: tuple[int, ...]
    seed: int

    @property
    def passed(self) -> bool:
        """Whether no check found a problem."""
        return not self.failed

    @property
    def failed(self) -> list[str]:
        """Names of the checks that found a problem."""
        return self.table.filter(~pl.col("passed"))["check"].to_list()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "strategy": self.strategy, "bars": self.bars, "passed": self.passed, "failed": self.failed,
            "cuts": len(self.cuts), "seed": self.seed, "checks": self.table.to_dicts(),
            "changes": self.changes.to_dicts(),
        }  # fmt: skip

    def __repr__(self) -> str:
        lines = [f"LookAhead({self.strategy} on {self.bars}: {self._verdict()})"]
        marks = {True: "pass", False: "FAIL", None: "–"}
        lines += [f"  {marks[row['passed']]:4}  {row['check']:11} {row['finding']}" for row in self.table.to_dicts()]
        return "\n".join(lines)

    def _verdict(self) -> str:
        return f"{len(self.cuts)} cuts, " + ("passed" if self.passed else f"FAILED: {', '.join(self.failed)}")

    def _repr_html_(self) -> str:
        marks = {True: "✓ pass", False: "✗ fail", None: "–"}
        title = html("<p><b>{}</b> on {}: {}</p>", self.strategy, self.bars, self._verdict())
        rows = (
            (row["check"], outcome_cell(row["passed"], marks[row["passed"]]), row["finding"])
            for row in self.table.to_dicts()
        )
        return str(title + table(("check", "", "finding"), rows, ("", "", LEFT)))


def lookahead(
    bars: Bars,
    strategy: Any,
    *,
    params: dict[str, Any] | None = None,
    cuts: int = 100,
    starts: int = 12,
    seed: int = 0,
) -> LookAhead:
    """Check that a strategy's signals depend on past bars only.

    Signals on the first k bars must be those on all bars, up to k, for every k tried, and the same when later values
    are altered. Six checks, each named in the table:

    - *look-ahead*: a signal changes when later bars change; reported with signal, bar, and the columns that cause it.
    - *warm-up*: signals that disappear with a longer history, because `warmup` is too short.
    - *history*: signals that always depend on where the bars begin. A dependence that fades within 20 warm-ups, as of
      recursive averages do, passes, and the result states its size.
    - *randomness*: the same bars give different signals.
    - *state*: the signals depend on earlier calls (a wrongly keyed cache).
    - *mutation*: the strategy changes the bars.

    Parameters
    ----------
    bars : Bars
        At least four times the warm-up; more bars detect more.
    strategy : str, type of Strategy or Strategy
        A user-defined class, too.
    params : dict, optional
        Parameter values; the others keep their defaults.
    cuts : int
        Number of lengths tried, half of them next to bars where a signal changes; each is one call of the strategy.
    starts : int
        Number of later starts.
    seed : int
        Seed of the choice of both.

    Returns
    -------
    LookAhead

    Raises
    ------
    SettingsError
        Too few bars, or numbers of cuts and starts that check nothing.
    StrategyError, ParameterError, MissingSeriesError
        Not a strategy, or one that refuses these bars.

    Notes
    -----
    Removing bars does not affect what a class reads from elsewhere, such as a file of future prices; the check
    *state* reports signals that do not depend on the bars at all. A rule that looks ahead only at bars that were not
    cut at is not detected: use more cuts.
    """
    if not isinstance(bars, Bars):
        raise SettingsError(f"bars is a {type(bars).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame).")
    rule = resolve(strategy, params)
    if isinstance(rule, Signals):
        raise StrategyError("signals cannot be checked without their strategy; give the strategy that makes them.")
    for name, value, low in (("cuts", cuts, 1), ("starts", starts, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise SettingsError(f"{name}={value!r} is not a whole number of at least {low}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SettingsError(f"seed={seed!r} is not a whole number of at least 0.")
    fresh = fresh_copies(rule)
    _accepts(fresh(), bars)
    n, warm = len(bars), rule.warmup(rule.params)
    first = _begin(rule, bars)
    least = max(2 * warm, 2, first + 1)
    if n < least + 2:
        raise SettingsError(
            f"{n} bars are too few to check {rule!r}: it warms up for {warm} bars, so give at least {least + 2}."
        )
    rng = np.random.default_rng(seed)
    changes = Changes()
    findings = _findings(fresh, bars, first, least, cuts, starts, rng, changes)
    return LookAhead(
        _table(findings[0], bars), _changes(changes, bars), repr(rule), bars.name or f"{n:,} bars", findings[1], seed
    )


def _accepts(rule: Strategy, bars: Bars) -> None:
    """Let the strategy refuse these bars with its own error; any other error is a finding."""
    try:
        with ignored():
            rule.evaluate(private(bars))
    except MaestroError:
        raise
    except Exception:
        return


def _begin(rule: Strategy, bars: Bars) -> int:
    """First bar at which every series that the rule requires has a value."""
    first = 0
    if not rule.params.get("proxy"):
        for name in rule.requires:
            values = getattr(bars, name)
            if values is not None:
                first = max(first, int(np.argmax(~np.isnan(values))))
    return first


def _findings(
    fresh: Callable[[], Strategy], bars: Bars, first: int, least: int, cuts: int, starts: int,
    rng: np.random.Generator, changes: Changes,
) -> tuple[list[Finding], tuple[int, ...]]:  # fmt: skip
    answers: list[Answer | Refused] = []
    try:
        whole = ask(fresh(), private(bars))
    except Refused as error:
        found = mutation([error])
        if found.passed:
            found = Finding("look-ahead", False, f"The strategy raises {error}.")
        return [found], ()
    answers.append(whole)
    chosen = choose_cuts(whole, len(bars), least, cuts, rng)
    chance = randomness(fresh, bars, whole)
    written = mutation(answers)
    if not chance.passed or not written.passed:  # answers that change by themselves say nothing else
        return [written, chance], tuple(chosen)
    state = statefulness(fresh, bars, whole, chosen[len(chosen) // 2])
    # A strategy that keeps something is asked by a new copy each time, so that the other checks see the rule alone.
    one = fresh()
    of = (lambda: one) if state.passed else fresh
    ahead = truncation(of, bars, whole, chosen, rng, changes)
    none = "starts=0: not looked at."
    warm, history = Finding("warm-up", None, none), Finding("history", None, none)
    if starts:
        warm, history = dependence(of, bars, whole, first, starts, rng)
    return [ahead, warm, history, chance, state, written], tuple(chosen)


def _table(findings: list[Finding], bars: Bars) -> pl.DataFrame:
    known = {one.check: one for one in findings}
    rows = []
    for check in CHECKS:
        one = known.get(check) or Finding(check, None, "Not looked at: another check failed first.")
        stamp = None if one.bar is None else int(bars.time[one.bar])
        rows.append(
            {"check": check, "passed": one.passed, "signal": one.signal, "bar": one.bar, "timestamp": stamp,
             "cut": one.cut, "columns": list(one.columns), "finding": one.words}
        )  # fmt: skip
    return pl.DataFrame(
        rows,
        schema={"check": pl.String, "passed": pl.Boolean, "signal": pl.String, "bar": pl.Int64, "timestamp": pl.Int64,
                "cut": pl.Int64, "columns": pl.List(pl.String), "finding": pl.String},
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))  # fmt: skip


def _changes(changes: Changes, bars: Bars) -> pl.DataFrame:
    rows = [
        {**row, "timestamp": int(bars.time[row["bar"]]), "whole": str(row["whole"]), "truncated": str(row["truncated"])}
        for row in changes.rows
    ]
    frame = pl.DataFrame(rows, schema={**_CHANGES, "timestamp": pl.Int64})
    return frame.with_columns(pl.col("timestamp").cast(_CHANGES["timestamp"])).sort("cut", "bar", "signal")
