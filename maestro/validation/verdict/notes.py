"""The summary, warnings and notes that a verdict states in addition to its checks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro._core.formatting import known, label, listed, number, percent, plural
from maestro.validation.robustness.parameter_stability import RANDOM
from maestro.validation.verdict.evidence import Evidence
from maestro.validation.verdict.rule import Check

IMPLAUSIBLE_EFFICIENCY = 1.5
"""Above it, the tested windows were better times than the searched ones, which is no merit of the search."""
RELIABLE_TRADES = 100
"""With fewer closed trades, averages still depend on a few of them."""
HIGH_COSTS = 0.5
"""Share of the profit before costs above which small errors in the assumed costs decide the result."""
SOME_CORRELATION = 0.3
"""Rank correlation between in-sample and out-of-sample figures of the folds that is worth mentioning."""
_NOT_DONE = 3
"""Number of checks that may be missing before a note says so."""
_IN_WARNINGS = ("synthetic", "looks ahead", "ruined", "proxy", "failed; their errors", "fatal defects")
"""Words of notes of the run that a warning states already."""


@dataclass(frozen=True)
class Caveat:
    """A warning that a reader must see before any figure."""

    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.title}: {self.text}"


def summary(e: Evidence) -> str:
    """Growth in sample, out of sample and of buy and hold, in one or two sentences; empty if no fold has a result."""
    if not e.evaluated or not known(e.total_return):
        return ""
    sentence = f"Out of sample it returned {percent(e.total_return, sign=True)} in total"
    if known(e.benchmark_return):
        sentence += f", buy and hold {percent(e.benchmark_return, sign=True)} over the same bars"
    if known(e.is_annual) and known(e.oos_annual):
        kept = f" (efficiency {number(e.efficiency)})" if known(e.efficiency) else ""
        sentence += (
            f". The chosen parameters returned {percent(e.is_annual, sign=True)} a year in sample and "
            f"{percent(e.oos_annual, sign=True)} a year out of sample{kept}"
        )
    return f"{sentence}."


def warnings_of(e: Evidence) -> tuple[Caveat, ...]:
    """Warnings, most serious first."""
    return tuple(Caveat(title, text) for title, text in _warnings(e))


def _warnings(e: Evidence) -> Iterator[tuple[str, str]]:
    if e.synthetic:
        yield "Synthetic prices", "Returns are meaningless: the prices were generated, not recorded on a market."
    if e.fill == "close":
        yield (
            "Look-ahead fills",
            'Orders were filled at the close that decides them (fill="close"), which is not possible in trading.',
        )
    for note in e.notes:
        if "fatal defects" in note:
            yield "Defective data", note
    if e.failed:
        one = e.failed == 1
        yield (
            f"{plural(e.failed, 'fold')} of {e.folds} failed",
            f"{'It has' if one else 'They have'} no result and {'is' if one else 'are'} excluded from every figure, "
            "not counted as zero; the table of folds has the reason. The result does not cover the whole period.",
        )
    if e.ruined:
        yield "Ruin", "In at least one fold the equity fell to zero or below, which ended the account."
    if e.overlapping:
        yield (
            "Overlapping test windows",
            "The stitched equity has each bar once, but trades and costs count the shared bars twice.",
        )
    if e.trades and known(e.costs.total) and e.costs.total == 0:
        yield "No costs", "No fee, slippage or funding was charged, so the result is better than trading can be."
    for note in e.notes:
        if "proxy" in note:
            yield "Proxy data", note


def notes_of(e: Evidence, checks: Sequence[Check]) -> tuple[str, ...]:
    """Notes on parameters, costs and number of trades, and the notes of the run."""
    lacking = sum(check.outcome == "not done" for check in checks)
    found = [*_of_figures(e)]
    if lacking > _NOT_DONE:
        found.append(f"{lacking} of {len(checks)} checks could not be done; without them the verdict is cautious.")
    found += [note for note in e.notes if not any(words in note for words in _IN_WARNINGS)]
    return tuple(found)


def _of_figures(e: Evidence) -> Iterator[str]:
    if known(e.efficiency) and e.efficiency > IMPLAUSIBLE_EFFICIENCY:
        yield (
            f"Growth out of sample was {number(e.efficiency, 1)} times that in sample. No search can improve on what "
            "it found: the tested windows were better times than the searched ones, so expect less."
        )
    if known(e.agreement):
        follows = (
            "better folds in sample were better out of sample"
            if e.agreement >= SOME_CORRELATION
            else "better folds in sample were worse out of sample"
            if e.agreement <= -SOME_CORRELATION
            else "a good fold in sample says nothing about out of sample"
        )
        yield (
            f"Across the folds the rank correlation of the {_metric(e.ranking)} in sample and out of sample is "
            f"{number(e.agreement)}: {follows}."
        )
    wild = [name for name, value in e.movements.items() if known(value) and value >= RANDOM]
    if wild:
        yield (
            f"{listed(wild)} {'changes' if len(wild) == 1 else 'change'} from fold to fold as much as random picks "
            "would: the data does not determine the value."
        )
    bounds = [name for name, count in e.at_bounds.items() if count and count * 2 >= e.evaluated]
    if bounds:
        yield (
            f"In at least half of the folds {listed(bounds)} {'is' if len(bounds) == 1 else 'are'} at a bound of the "
            "searched range; consider widening it."
        )
    if e.idle:
        yield f"{plural(e.idle, 'fold')} made no trade out of sample."
    if 0 < e.trades < RELIABLE_TRADES:
        yield (
            f"There are {e.trades} closed trades; with fewer than {RELIABLE_TRADES}, averages depend on a few of them."
        )
    yield from _of_costs(e)


def _of_costs(e: Evidence) -> Iterator[str]:
    paid = e.costs
    if not e.trades or not known(paid.total) or paid.total == 0:
        return
    if paid.gross <= 0:
        yield "It lost money before costs; lower costs would not make it profitable."
    elif paid.share > HIGH_COSTS:
        yield (
            f"Costs took {percent(paid.share, 0)} of the profit before costs, both added over folds that start with "
            "the same cash; small errors in the assumed costs decide the result."
        )


def hints_of(checks: Sequence[Check]) -> tuple[str, ...]:
    """Sentences on what more data or more repetitions would change."""
    found = {check.key: check for check in checks}
    hints = []
    sharpe, length, permuted = found["sharpe"], found["length"], found["permutation"]
    needed = float(sharpe.details.get("needed", math.inf))
    if sharpe.outcome == "fail" and known(needed):
        times = f"{number(needed / (length.value or 1.0), 1)} times as many bars"
        hints.append(f"With the same Sharpe ratio, {times} out of sample would distinguish it from zero.")
    if (
        permuted.outcome == "fail"
        and permuted.value is not None
        and permuted.value <= 0.15
        and permuted.details["repetitions"] < 199
    ):
        hints.append("The permutation test is close to its threshold: permutations=199 would be more precise.")
    if "fail" in (found["trades"].outcome, length.outcome):
        hints.append("Use more bars, a shorter timeframe, or a strategy that trades more often.")
    return tuple(hints)


def _metric(name: str) -> str:
    title = label(name)
    return title if title.isupper() or title.startswith("Sharpe") else title[0].lower() + title[1:]
