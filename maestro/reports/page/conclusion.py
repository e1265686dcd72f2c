"""What the reader should believe: plain sentences from the evidence, by thresholds that are written down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from maestro._core.formatting import known, label, listed, number, percent, plural
from maestro.reports.page.evidence import Evidence, gather
from maestro.reports.tables.columns import WalkForwardResult
from maestro.reports.tables.parameter_stability import RANDOM, STEADY

EFFICIENCY_GOOD = 0.5
"""At least half of the in-sample growth is left out of sample (Pardo, 2008, asks for 50 to 60 %)."""
EFFICIENCY_ODD = 1.5
"""Above it, the windows tested were simply better times than those searched; no merit of the search."""
PROFITABLE_GOOD, PROFITABLE_BAD = 0.6, 0.4
"""Share of the folds that earn money out of sample."""
TRADES_FEW, TRADES_SOME = 30, 100
"""Below the first nothing can be said; below the second averages still depend on a few trades."""
FOLDS_FEW = 4
"""Folds with a result; below it no grade is given."""
COSTS_HIGH = 0.5
"""Costs above this share of the profit before them: small errors in their estimate decide the result."""
AGREEMENT_SOME = 0.3
"""Rank correlation of the folds' in-sample and out-of-sample figures from which on there is some agreement."""

Tone = Literal["for", "against", "open", "warning"]
Grade = Literal["holds", "partly", "fails", "none"]
GRADES: dict[Grade, str] = {
    "holds": "Holds up so far",
    "partly": "Holds up in part",
    "fails": "Does not hold up",
    "none": "No conclusion",
}


@dataclass(frozen=True)
class Finding:
    """One thing that the evidence says, and which way it points."""

    tone: Tone
    title: str
    text: str


@dataclass(frozen=True)
class Conclusion:
    """Grade, headline, findings and warnings; `str()` gives them as plain text."""

    grade: Grade
    headline: str
    summary: str
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    notes: tuple[str, ...]
    """What else a reader should know of the data."""
    believe: str
    """What may be taken from the result, and what may not."""
    evidence: Evidence

    def __str__(self) -> str:
        marks = {"for": "+", "against": "-", "open": "?", "warning": "!"}
        lines = [f"{GRADES[self.grade]}: {self.headline}", self.summary]
        lines += [f"{marks[f.tone]} {f.title}: {f.text}" for f in (*self.warnings, *self.findings)]
        lines += [f"* {note}" for note in self.notes]
        return "\n".join([*filter(None, lines), self.believe])


def conclude(wf: WalkForwardResult | Evidence) -> Conclusion:
    """Conclude from a walk-forward, or from evidence gathered already.

    Grades: *none* where fewer than `FOLDS_FEW` folds or `TRADES_FEW` trades were evaluated; *fails* where the
    stitched equity lost money, nothing was earned in sample, or at most `PROFITABLE_BAD` of the folds earned
    money; *holds* where the efficiency is at least `EFFICIENCY_GOOD`, at least `PROFITABLE_GOOD` of the folds
    earned money and the Sharpe ratio is no worse than buy and hold's; *partly* otherwise. No grade is a
    statistical test.
    """
    evidence = wf if isinstance(wf, Evidence) else gather(wf)
    grade = _grade(evidence)
    findings = [
        *_efficiency(evidence), *_consistency(evidence), *_benchmark(evidence), *_agreement(evidence),
        *_parameters(evidence), *_sample(evidence), *_costs(evidence),
    ]  # fmt: skip
    return Conclusion(
        grade, _headline(evidence, grade), _summary(evidence), tuple(findings), tuple(_warnings(evidence)),
        tuple(_notes(evidence)), _believe(evidence, grade), evidence,
    )  # fmt: skip


def _grade(e: Evidence) -> Grade:
    if e.ruined:
        return "fails"
    if e.evaluated < FOLDS_FEW or e.trades < TRADES_FEW or not known(e.oos_annual):
        return "none"
    share = e.profitable / e.evaluated
    if e.total_return <= 0 or not e.is_annual > 0 or share <= PROFITABLE_BAD:
        return "fails"
    ahead = not known(e.benchmark_sharpe) or (known(e.oos_sharpe) and e.oos_sharpe >= e.benchmark_sharpe)
    return "holds" if e.efficiency >= EFFICIENCY_GOOD and share >= PROFITABLE_GOOD and ahead else "partly"


def _headline(e: Evidence, grade: Grade) -> str:
    if not e.evaluated:
        return "No fold could be evaluated, so there is nothing to judge."
    if e.ruined:
        return "The account was ruined out of sample: equity fell to zero or below."
    if grade == "none":
        few = [
            text
            for text, short in (
                (plural(e.evaluated, "fold"), e.evaluated < FOLDS_FEW),
                (plural(e.trades, "trade") if e.trades else "no trade", e.trades < TRADES_FEW),
            )
            if short
        ]
        what = listed(few) or "too short a time"
        return f"{what[0].upper()}{what[1:]} out of sample: too little to judge the strategy by."
    if e.total_return <= 0:
        if e.is_annual > 0:
            return "What the search found in the past did not continue: out of sample the strategy lost money."
        return "The strategy lost money out of sample, and found little in sample to begin with."
    if not e.is_annual > 0:
        return (
            "It earned money out of sample, though the search found nothing that worked in sample: chance, not skill."
        )
    if e.profitable / e.evaluated <= PROFITABLE_BAD:
        return "The gain comes from a few folds; in most of them the strategy lost money out of sample."
    if grade == "holds":
        return "Most of what the search found in sample was still there out of sample."
    if e.efficiency < EFFICIENCY_GOOD:
        return "Out of sample the strategy earned money, but less than half of what it promised in sample."
    if known(e.benchmark_sharpe) and not (known(e.oos_sharpe) and e.oos_sharpe >= e.benchmark_sharpe):
        return "It earned money out of sample, but for the risk taken buy and hold did better."
    return "It earned money out of sample, but not evenly enough over the folds to rely on."


def _summary(e: Evidence) -> str:
    if not e.evaluated or not known(e.oos_annual):
        return ""
    if known(e.is_annual):
        past = f"In sample the chosen parameters grew at {percent(e.is_annual)} a year"
        future = f"on the bars that followed, which the search never saw, at {percent(e.oos_annual)} a year"
        ratio = f": an efficiency of {number(e.efficiency)}" if known(e.efficiency) else ""
        text = f"{past}; {future}{ratio}."
    else:
        text = f"Out of sample the strategy grew at {percent(e.oos_annual)} a year."
    if known(e.benchmark_return):
        text += (
            f" Over those bars it returned {percent(e.total_return, sign=True)} in total, "
            f"buy and hold {percent(e.benchmark_return, sign=True)}."
        )
    return text


def _efficiency(e: Evidence) -> list[Finding]:
    title = "In sample against out of sample"
    sharpe = f" The Sharpe ratio went from {number(e.is_sharpe)} (mean of the folds) to {number(e.oos_sharpe)}."
    sharpe = sharpe if known(e.is_sharpe) and known(e.oos_sharpe) else ""
    if not known(e.efficiency):
        if known(e.is_annual):
            text = f"The best sets of the search earned {percent(e.is_annual)} a year in sample: nothing to carry over."
            return [Finding("against", title, text + sharpe)]
        return []
    if e.efficiency > EFFICIENCY_ODD:
        text = (
            f"Out of sample it earned {number(e.efficiency, 1)} times the in-sample rate. No search can do that: the "
            "test windows were better times than those searched, so expect less."
        )
        return [Finding("open", title, text + sharpe)]
    kept = f"{percent(max(e.efficiency, 0.0), 0)} of the in-sample growth was left out of sample"
    if e.efficiency >= EFFICIENCY_GOOD:
        return [Finding("for", title, f"{kept}; at least {percent(EFFICIENCY_GOOD, 0)} is asked for.{sharpe}")]
    if e.oos_annual > 0:
        text = f"{kept}; at least {percent(EFFICIENCY_GOOD, 0)} is asked for. Much of the rest was fitted to the past."
    else:
        text = "Nothing of the in-sample growth was left out of sample."
    return [Finding("against", title, text + sharpe)]


def _consistency(e: Evidence) -> list[Finding]:
    if not e.evaluated:
        return []
    share = e.profitable / e.evaluated
    tone: Tone = "for" if share >= PROFITABLE_GOOD else "against" if share <= PROFITABLE_BAD else "open"
    text = f"{e.profitable} of {plural(e.evaluated, 'fold')} earned money out of sample ({percent(share, 0)})."
    if e.idle:
        text += f" {'One' if e.idle == 1 else e.idle} of them made no trade."
    return [Finding(tone, "Evenness over time", text)]


def _benchmark(e: Evidence) -> list[Finding]:
    if not (known(e.benchmark_sharpe) and known(e.benchmark_return)):
        return []
    title = "Against buy and hold"
    text = (
        f"Return {percent(e.total_return, sign=True)} against {percent(e.benchmark_return, sign=True)}, "
        f"largest drawdown {percent(e.max_drawdown)} against {percent(e.benchmark_drawdown)}, "
        f"Sharpe ratio {number(e.oos_sharpe) if known(e.oos_sharpe) else 'not defined'} against "
        f"{number(e.benchmark_sharpe)}."
    )
    better = known(e.oos_sharpe) and e.oos_sharpe >= e.benchmark_sharpe
    richer = e.total_return >= e.benchmark_return
    if better and not richer:
        text += " Buy and hold made more money, at more risk."
    elif richer and not better:
        text += " It made more money than buy and hold, at more risk for each unit of return."
    return [Finding("for" if better else "against", title, text)]


def _agreement(e: Evidence) -> list[Finding]:
    if not known(e.agreement):
        return []
    name = label(e.ranking)
    name = name if name.isupper() else name[0].lower() + name[1:] if not name.startswith("Sharpe") else name
    text = f"Over the folds, {name} in sample and out of sample have a rank correlation of {number(e.agreement)}: "
    if e.agreement >= AGREEMENT_SOME:
        return [
            Finding(
                "for", "Does a good past mean a good future?", text + "better searches were followed by better results."
            )
        ]
    text += (
        "a fold that looked good in sample did "
        + ("worse" if e.agreement <= -AGREEMENT_SOME else "no better")
        + " afterwards."
    )
    return [Finding("open", "Does a good past mean a good future?", text)]


def _parameters(e: Evidence) -> list[Finding]:
    moves = {name: value for name, value in e.movements.items() if known(value)}
    if not moves:
        return []
    wild = [name for name, value in moves.items() if value >= RANDOM]
    steady = [name for name, value in moves.items() if value <= STEADY]
    if wild:
        verb = "jumps" if len(wild) == 1 else "jump"
        pinned = "it" if len(wild) == 1 else "them"
        text = f"{listed(wild)} {verb} between folds like picks at random; the data does not pin {pinned} down."
        tone: Tone = "against" if len(wild) * 2 >= len(moves) else "open"
    elif len(steady) == len(moves):
        text, tone = "The same region is chosen in fold after fold.", "for"
    else:
        text, tone = "The choices drift from fold to fold, less than picks at random would.", "open"
    bound = [name for name, count in e.at_bounds.items() if count * 2 >= max(e.evaluated, 1)]
    if bound:
        verb = "lies" if len(bound) == 1 else "lie"
        text += f" {listed(bound)} {verb} at a bound of the search in half of the folds or more: widen it."
    return [Finding(tone, "Stability of the parameters", text)]


def _sample(e: Evidence) -> list[Finding]:
    if not e.trades:
        return [Finding("against", "Number of trades", "No trade was closed out of sample.")]
    text = f"{plural(e.trades, 'closed trade')} out of sample"
    if e.trades < TRADES_FEW:
        return [
            Finding(
                "against",
                "Number of trades",
                f"{text}: fewer than {TRADES_FEW}, so a few lucky ones decide everything.",
            )
        ]
    if e.trades < TRADES_SOME:
        return [
            Finding(
                "open",
                "Number of trades",
                f"{text}: averages over fewer than {TRADES_SOME} still depend on a few of them.",
            )
        ]
    return [Finding("for", "Number of trades", f"{text}, enough for averages to mean something.")]


def _costs(e: Evidence) -> list[Finding]:
    paid = e.costs
    if not known(paid.total) or not e.trades:
        return []
    if paid.total == 0:
        text = "No fee, slippage or funding was charged: real trading is not free, so the result is too good."
        return [Finding("warning", "Costs", text)]
    if paid.gross <= 0:
        return [
            Finding(
                "against", "Costs", "The strategy lost money before costs already; cheaper trading would not save it."
            )
        ]
    if paid.share > 1:
        return [Finding("against", "Costs", "Costs ate the whole profit; before them the strategy earned money.")]
    text = f"Fees, slippage and funding took {percent(paid.share, 0)} of the profit before costs"
    if paid.share > COSTS_HIGH:
        return [Finding("against", "Costs", f"{text}: slightly worse fills would change the picture.")]
    return [Finding("for", "Costs", f"{text}.")]


def _warnings(e: Evidence) -> list[Finding]:
    found = []
    if e.synthetic:
        found.append(
            (
                "Synthetic data",
                "The bars were generated, not recorded on a market. Nothing here says anything about trading.",
            )
        )
    if e.fill == "close":
        text = 'Orders were filled at the very close that decided them (fill="close"). Nobody can trade like that.'
        found.append(("Look-ahead fills", text))
    if e.failed:
        found.append((
            f"{plural(e.failed, 'fold')} of {e.folds} failed",
            f"{'It has' if e.failed == 1 else 'They have'} no result and {'is' if e.failed == 1 else 'are'} left out "
            "of every figure here, not counted as zero; the table of folds says why. Buy and hold holds through. "
            "Do not read the rest as if it covered the whole period.",
        ))  # fmt: skip
    if e.ruined:
        found.append(
            ("Ruin", "In at least one fold equity fell to zero or below. Ratios of that fold are not defined.")
        )
    if e.overlapping:
        text = (
            "Test windows share bars; the stitched equity takes each bar once, but trades and costs count them twice."
        )
        found.append(("Overlapping test windows", text))
    found += [("A stand-in was used", note) for note in e.notes if "proxy" in note]
    return [Finding("warning", title, text) for title, text in found]


def _notes(e: Evidence) -> list[str]:
    """Notes of the run that no warning has said in its own words."""
    said = ("synthetic", "looks ahead", "ruined", "proxy", "failed; their errors")
    return [note for note in e.notes if not any(words in note for words in said)]


def _believe(e: Evidence, grade: Grade) -> str:
    counted = f"{plural(e.tried, 'parameter set was', 'parameter sets were')} tried on the way"
    if e.synthetic:
        return "Believe that the software ran. Do not believe any return on this page: the prices are made up."
    if grade == "none":
        return "Believe nothing yet, good or bad: use more data, more folds, or a rule that trades more often."
    if grade == "fails" and not e.is_annual > 0:
        return "Believe that this rule found nothing to earn on this series, neither in the past nor after it."
    if grade == "fails":
        return (
            "Believe that this rule, searched this way on this series, was fitted to the past. Do not believe the "
            "in-sample figures, nor that one more search over the same bars would mend it."
        )
    start = (
        "Believe that the out-of-sample figures are what this procedure would have earned, costs included"
        if grade == "holds"
        else "Believe the out-of-sample figures, not the in-sample ones"
    )
    return (
        f"{start}. Do not believe yet that it was not luck: {counted}, the test windows may have been seen in earlier "
        "work, and one series in one period is one sample."
    )


def significance_note(e: Evidence) -> str:
    """What this report does not test yet, with the figure that would be needed."""
    trials = f"{e.tried:,}" if e.tried else "the"
    years = ""
    if known(e.oos_sharpe) and e.oos_sharpe > 0:
        needed = (1.645 / e.oos_sharpe) ** 2
        have = _years(e)
        if math.isfinite(have):
            years = (
                f" A rule of thumb meanwhile: a Sharpe ratio of {number(e.oos_sharpe)} takes about "
                f"{number(needed, 1)} years to be told from zero at the 5 % level, had only one set been tried; "
                f"here are {number(have, 1)} years."
            )
    return (
        "Not judged yet: the probability of backtest overfitting, the deflated Sharpe ratio for "
        f"{trials} trials, the search repeated on shuffled bars, and more. ms.verdict(wf) or `maestro verdict` makes "
        f"these tests, and the report then shows them.{years}"
    )


def _years(e: Evidence) -> float:
    if e.start is None or e.end is None:
        return math.nan
    return float((e.end - e.start).total_seconds() / (365.25 * 86_400))
