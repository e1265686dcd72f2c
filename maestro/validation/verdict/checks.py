"""The checks of a verdict, each with a value, a threshold and one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from maestro._core.formatting import known, number, percent, plural, significant
from maestro._core.registry import Registry
from maestro.validation.robustness.break_even import HIGHEST_MULTIPLE
from maestro.validation.robustness.shifts import SHIFT
from maestro.validation.statistics.sharpe import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)
from maestro.validation.verdict.inputs import VerdictInputs
from maestro.validation.verdict.rule import Check, Outcome, Question

MIN_TRADES, MIN_FOLDS = 30, 4
"""Closed trades and folds with a result that any conclusion needs."""
GOOD_SHARPE = 3.0
"""Per year; the test must be long enough to distinguish even such a good one from zero."""
CONFIDENCE = 0.95
MIN_EFFICIENCY = 0.5
"""Half of the in-sample growth is left out of sample (Pardo, 2008, asks for 50 to 60 %)."""
MIN_PROFITABLE = 0.6
MAX_PBO = 0.25
SIGNIFICANCE = 0.05
MIN_COST_MULTIPLE = 2.0
"""Multiple of the costs that must still leave a profit."""
MIN_KEPT = 0.5
"""Share of the Sharpe ratio that the median shift must keep."""

CheckFunction: TypeAlias = Callable[[VerdictInputs], Check]

_HERE = "maestro.validation.verdict.checks"
CHECKS: Registry[CheckFunction] = Registry(
    "maestro.checks",
    "verdict check",
    {
        "trades": f"{_HERE}:trades",
        "folds": f"{_HERE}:folds",
        "length": f"{_HERE}:length",
        "lookahead": f"{_HERE}:lookahead",
        "sharpe": f"{_HERE}:sharpe",
        "interval": f"{_HERE}:interval",
        "benchmark": f"{_HERE}:benchmark",
        "efficiency": f"{_HERE}:efficiency",
        "consistency": f"{_HERE}:consistency",
        "pbo": f"{_HERE}:overfitting",
        "deflated": f"{_HERE}:deflated",
        "permutation": f"{_HERE}:permutation",
        "spa": f"{_HERE}:predictive_ability",
        "costs": f"{_HERE}:break_even_costs",
        "shifts": f"{_HERE}:shifted_parameters",
    },
    callable,
    "a function that takes VerdictInputs and returns a Check",
)
"""The checks by key, in the order of the table; those of plug-ins (entry points ``maestro.checks``) come last."""


def all_checks(inputs: VerdictInputs) -> tuple[Check, ...]:
    """Every built-in check, in the order of the table; a reason that was stated before is not repeated."""
    given: set[str] = set()
    found = []
    for key in CHECKS.builtin:
        check = CHECKS.get(key)(inputs)
        repeated = check.outcome == "not done" and check.meaning in given
        given.add(check.meaning)
        found.append(replace(check, meaning="Not done for the same reason.") if repeated else check)
    return tuple(found)


def make_check(
    key: str, title: str, question: Question, value: float, threshold: float, *, value_text: str, threshold_text: str,
    meaning: str, at_least: bool = True, strict: bool = False, **details: Any,
) -> Check:  # fmt: skip
    """Compare a value with its threshold: it passes if it is at least (or at most) the threshold.

    Parameters
    ----------
    key, title, question, value, threshold, value_text, threshold_text, meaning
        As in `Check`.
    at_least : bool
        Whether the value must be at least the threshold; otherwise at most.
    strict : bool
        Whether the threshold itself fails.
    **details
        Further figures to keep with the verdict, plain values.
    """
    passed = value > threshold if strict else value >= threshold if at_least else value <= threshold
    outcome: Outcome = "pass" if passed else "fail"
    return Check(
        key, title, question, outcome, float(value), float(threshold), at_least, value_text, threshold_text, meaning,
        details,
    )  # fmt: skip


def failed_check(
    key: str, title: str, question: Question, threshold: float, *, threshold_text: str, meaning: str,
    value_text: str = "undefined",
) -> Check:  # fmt: skip
    """Return a check that fails because its value is undefined, which is evidence against the result."""
    return Check(key, title, question, "fail", None, float(threshold), True, value_text, threshold_text, meaning)


def not_done(
    inputs: VerdictInputs, key: str, title: str, question: Question, threshold_text: str, meaning: str = ""
) -> Check:
    """Return a check that was not done, with the reason; it counts neither way."""
    reason = meaning or inputs.reasons.get(key, inputs.pending)
    return Check(key, title, question, "not done", None, None, True, "not done", threshold_text, reason)


# -- is there enough data? ------------------------------------------------------------------


def trades(inputs: VerdictInputs) -> Check:
    """Closed trades out of sample."""
    count = inputs.evidence.trades
    text = f"{plural(count, 'trade') if count else 'No trade'} {'were' if count > 1 else 'was'} closed out of sample"
    few = f"with fewer than {MIN_TRADES} the result depends on a few of them"
    return make_check(
        "trades", "Closed trades", "data", count, MIN_TRADES, value_text=f"{count:,}",
        threshold_text=f"at least {MIN_TRADES}",
        meaning=f"{text}; {few}." if count < MIN_TRADES else f"{text}, enough for averages to be meaningful.",
    )  # fmt: skip


def folds(inputs: VerdictInputs) -> Check:
    """Folds with a result."""
    found = inputs.evidence
    failed = f" {found.failed} failed and {'is' if found.failed == 1 else 'are'} in no figure." if found.failed else ""
    return make_check(
        "folds", "Folds with a result", "data", found.evaluated, MIN_FOLDS, value_text=f"{found.evaluated}",
        threshold_text=f"at least {MIN_FOLDS}",
        meaning=f"{found.evaluated} of {plural(found.folds, 'fold')} {'has' if found.evaluated == 1 else 'have'} a "
        f"result.{failed}",
    )  # fmt: skip


def length(inputs: VerdictInputs) -> Check:
    """Number of tested bars, compared with the number that even a very good Sharpe ratio needs."""
    _, skew, kurtosis = inputs.moments
    good = GOOD_SHARPE / math.sqrt(inputs.periods_per_year)
    needed = minimum_track_record_length(good, confidence=CONFIDENCE, skew=skew, kurtosis=kurtosis)
    if not math.isfinite(needed):
        needed = minimum_track_record_length(good, confidence=CONFIDENCE)
    have = len(inputs.returns)
    return make_check(
        "length", "Length of the test", "data", have, needed, value_text=plural(have, "bar"),
        threshold_text=f"at least {math.ceil(needed):,}",
        meaning=f"{_duration(have, inputs)} were tested; to distinguish even a Sharpe ratio of {GOOD_SHARPE:g} per "
        f"year from zero takes {_duration(needed, inputs)}.",
    )  # fmt: skip


# -- is the test valid? ---------------------------------------------------------------------


def lookahead(inputs: VerdictInputs) -> Check:
    """Whether a signal, or a fill, uses the future."""
    key, title, asked = "lookahead", "No look-ahead", "none"
    if inputs.evidence.fill == "close":
        text = 'Orders were filled at the close that decides them (fill="close"), which is not possible in trading.'
        return Check(key, title, "validity", "fail", 1.0, 0.0, False, "fills at the close", asked, text)
    found = inputs.lookahead
    if found is None:
        return not_done(inputs, key, title, "validity", asked)
    if found.failed:
        text = f"The strategy uses the future: {found.table.filter(~found.table['passed'])['finding'][0]}"
    else:
        text = f"The future was cut off at {plural(len(found.cuts), 'bar')}, and no signal changed."
    return make_check(
        key, title, "validity", len(found.failed), 0, at_least=False,
        value_text=", ".join(found.failed) or "none found", threshold_text=asked, meaning=text,
    )  # fmt: skip


# -- did it perform out of sample? ----------------------------------------------------------


def sharpe(inputs: VerdictInputs) -> Check:
    """Probabilistic Sharpe ratio: confidence that the Sharpe ratio is above zero."""
    ratio, skew, kurtosis = inputs.moments
    n = len(inputs.returns)
    key, title, asked = "sharpe", "Sharpe ratio above zero", f"at least {percent(CONFIDENCE, 0)}"
    if math.isnan(ratio):
        text = "There is no Sharpe ratio: the account was ruined, or never moved, out of sample."
        return failed_check(key, title, "performance", CONFIDENCE, threshold_text=asked, meaning=text)
    value = probabilistic_sharpe_ratio(ratio, n_obs=n, skew=skew, kurtosis=kurtosis)
    needed = minimum_track_record_length(ratio, confidence=CONFIDENCE, skew=skew, kurtosis=kurtosis)
    annual = ratio * math.sqrt(inputs.periods_per_year)
    text = f"The Sharpe ratio is {number(annual)} per year"
    text += (
        f". To distinguish it from zero takes {_duration(needed, inputs)}; {_duration(n, inputs)} were tested."
        if math.isfinite(needed)
        else ", which is no gain."
    )
    return make_check(
        key, title, "performance", value, CONFIDENCE, value_text=f"{percent(value)} confidence", threshold_text=asked,
        meaning=text, needed=needed, annual=annual,
    )  # fmt: skip


def interval(inputs: VerdictInputs) -> Check:
    """Lower end of the bootstrap interval of the Sharpe ratio."""
    key, title, asked = "interval", "Bootstrap interval of the Sharpe ratio", "lower end above 0"
    found = inputs.intervals
    if found is None:
        return not_done(inputs, key, title, "performance", asked)
    low, high = found["sharpe_ratio"]
    if not math.isfinite(low):
        text = "The resampled returns have no Sharpe ratio: there was no trade."
        return failed_check(key, title, "performance", 0.0, threshold_text=asked, meaning=text)
    least, most = (_growth(value) for value in found["total_return"])
    return make_check(
        key, title, "performance", low, 0.0, strict=True, value_text=f"{number(low)} to {number(high)}",
        threshold_text=asked,
        meaning=f"In {percent(found.level, 0)} of the resamples, which draw the returns in blocks, the Sharpe ratio is "
        f"between {number(low)} and {number(high)}, and the total return between {least} and {most}.",
        level=found.level, block=found.block, reps=found.reps,
        intervals={row["metric"]: [row["low"], row["high"]] for row in found.table.to_dicts()},
    )  # fmt: skip


def benchmark(inputs: VerdictInputs) -> Check:
    """Sharpe ratio compared with that of buy and hold."""
    key, title = "benchmark", "Sharpe ratio against buy and hold"
    own, held = inputs.evidence.oos_sharpe, inputs.evidence.benchmark_sharpe
    asked = f"at least {number(held)}"
    if math.isnan(held):
        text = "Buy and hold has no Sharpe ratio over the tested bars."
        return not_done(inputs, key, title, "performance", "at least that of buy and hold", text)
    if math.isnan(own):
        text = f"The strategy has no Sharpe ratio; that of buy and hold is {number(held)}."
        return failed_check(key, title, "performance", held, threshold_text=asked, meaning=text)
    word = "more than" if own > held else "as much as" if own == held else "less than"
    return make_check(
        key, title, "performance", own, held, value_text=number(own), threshold_text=asked,
        meaning=f"Per unit of risk it earned {word} buy and hold: a Sharpe ratio of {number(own)} against "
        f"{number(held)}.",
    )  # fmt: skip


# -- did in-sample performance persist? -----------------------------------------------------


def efficiency(inputs: VerdictInputs) -> Check:
    """Walk-forward efficiency."""
    key, title, asked = "efficiency", "Walk-forward efficiency", f"at least {MIN_EFFICIENCY:g}"
    found = inputs.evidence
    if math.isnan(found.efficiency):
        if found.is_annual <= 0:
            text = (
                f"Even the best sets of the search lost money in sample ({percent(found.is_annual, sign=True)} a year)."
            )
        elif found.ruined:
            text = "The account was ruined out of sample, so there is no growth to compare."
        else:
            text = "There is no growth in sample or out of sample to compare."
        return failed_check(key, title, "persistence", MIN_EFFICIENCY, threshold_text=asked, meaning=text)
    return make_check(
        key, title, "persistence", found.efficiency, MIN_EFFICIENCY, value_text=number(found.efficiency),
        threshold_text=asked,
        meaning=f"Growth of {percent(found.is_annual, sign=True)} a year in sample became "
        f"{percent(found.oos_annual, sign=True)} a year out of sample.",
    )  # fmt: skip


def consistency(inputs: VerdictInputs) -> Check:
    """Share of the folds with a profit out of sample."""
    key, title, asked = "consistency", "Profitable folds", f"at least {percent(MIN_PROFITABLE, 0)}"
    found = inputs.evidence
    if not found.evaluated:
        return not_done(inputs, key, title, "persistence", asked, "No fold has a result.")
    value = found.profitable / found.evaluated
    return make_check(
        key, title, "persistence", value, MIN_PROFITABLE, value_text=percent(value, 0), threshold_text=asked,
        meaning=f"{found.profitable} of {plural(found.evaluated, 'fold')} made a profit out of sample.",
    )  # fmt: skip


def overfitting(inputs: VerdictInputs) -> Check:
    """Probability of backtest overfitting."""
    key, title, asked = "pbo", "Probability of overfitting (PBO)", f"at most {percent(MAX_PBO, 0)}"
    found = inputs.overfitting
    if found is None:
        return not_done(inputs, key, title, "persistence", asked)
    return make_check(
        key, title, "persistence", found.pbo, MAX_PBO, at_least=False, value_text=percent(found.pbo),
        threshold_text=asked,
        meaning=f"In {percent(found.pbo)} of {len(found.logits):,} splits of the past into halves, the best set of "
        "one half was below the median in the other.",
        sets=found.n_trials, blocks=found.n_blocks, loss=found.probability_of_loss,
    )  # fmt: skip


# -- is it more than luck? ------------------------------------------------------------------


def deflated(inputs: VerdictInputs) -> Check:
    """Deflated Sharpe ratio: confidence that the Sharpe ratio exceeds the best of that many trials by luck."""
    key, title, asked = "deflated", "Deflated Sharpe ratio", f"at least {percent(CONFIDENCE, 0)}"
    ratio, skew, kurtosis = inputs.moments
    if inputs.trials is None:
        return not_done(inputs, key, title, "luck", asked)
    count, variance, source = inputs.trials
    if math.isnan(ratio) or not count or not math.isfinite(variance):
        text = "There is no Sharpe ratio, or fewer than two trials have one."
        return not_done(inputs, key, title, "luck", asked, text)
    value = deflated_sharpe_ratio(
        ratio, n_obs=len(inputs.returns), n_trials=count, trials_variance=variance, skew=skew, kurtosis=kurtosis
    )
    root = math.sqrt(inputs.periods_per_year)
    luck = expected_max_sharpe(count, variance) * root
    return make_check(
        key, title, "luck", value, CONFIDENCE, value_text=f"{percent(value)} confidence", threshold_text=asked,
        meaning=f"By luck alone the best of {plural(count, 'distinct trial')} ({source}) is expected to have a Sharpe "
        f"ratio of {number(luck)}; this one is {number(ratio * root)}. The comparison is strict, as the trials "
        "chose on earlier bars.",
        trials=count, variance=variance, luck=luck, source=source,
    )  # fmt: skip


def permutation(inputs: VerdictInputs) -> Check:
    """Permutation test of the whole procedure."""
    key, title, asked = "permutation", "Same search on permuted bars", f"at most {SIGNIFICANCE:g}"
    found = inputs.permutation
    if found is None:
        return not_done(inputs, key, title, "luck", asked)
    if math.isnan(found.pvalue):
        text = "The metric is undefined on every permuted series, or on the real one."
        return not_done(inputs, key, title, "luck", asked, text)
    better, count = int((found.null >= found.observed).sum()), len(found.null) + found.undefined
    text = (
        f"The whole procedure was repeated on {count} series with the same returns in random order; "
        f"{better or 'none'} did as well."
    )
    if found.undefined:
        text += f" On {found.undefined} of them there was no trade."
    return make_check(
        key, title, "luck", found.pvalue, SIGNIFICANCE, at_least=False,
        value_text=f"p = {significant(found.pvalue, 3)}", threshold_text=asked, meaning=text, **found.to_dict(),
    )  # fmt: skip


def predictive_ability(inputs: VerdictInputs) -> Check:
    """Hansen's test of superior predictive ability, on timing only."""
    key, title, asked = "spa", "Superior predictive ability (SPA)", f"at most {SIGNIFICANCE:g}"
    found = inputs.snooping
    if found is None:
        return not_done(inputs, key, title, "luck", asked)
    often = percent(found.pvalue) if found.pvalue else f"none of {found.reps:,}"
    least = f"p < {significant(1 / found.reps, 3)}"
    tried = f"the {found.n_rules:,} distinct sets that the folds tried"
    if inputs.drawn_from:
        tried = f"{found.n_rules:,} sets, drawn from the {inputs.drawn_from:,} distinct ones of the folds,"
    return make_check(
        key, title, "luck", found.pvalue, SIGNIFICANCE, at_least=False,
        value_text=f"p = {significant(found.pvalue, 3)}" if found.pvalue else least, threshold_text=asked,
        meaning=f"If none of {tried} could time the market, the best "
        f"of them would still look as good as here in {often} of the resamples; constant exposure earns no credit.",
        lower=found.lower, upper=found.upper, rules=found.n_rules, periods=found.n_periods, block=found.block,
        reps=found.reps,
    )  # fmt: skip


# -- is it robust to small changes? ---------------------------------------------------------


def break_even_costs(inputs: VerdictInputs) -> Check:
    """Multiple of fee and slippage at which it breaks even out of sample."""
    key, title, asked = "costs", "Break-even costs", f"at least {MIN_COST_MULTIPLE:g} times"
    value = inputs.cost_multiple
    if value is None:
        return not_done(inputs, key, title, "robustness", asked)
    if math.isnan(value):
        text = "It loses money out of sample even without costs."
        return failed_check(
            key, title, "robustness", MIN_COST_MULTIPLE, threshold_text=asked, meaning=text, value_text="none"
        )
    if math.isinf(value):
        shown = f"above {HIGHEST_MULTIPLE:g} times"
        text = f"It makes a profit out of sample even at {HIGHEST_MULTIPLE:g} times the fee and slippage."
    else:
        shown = f"{number(value, 1)} times"
        text = f"It breaks even out of sample at {number(value, 1)} times the fee and slippage."
    return make_check(
        key, title, "robustness", value, MIN_COST_MULTIPLE, value_text=shown, threshold_text=asked, meaning=text
    )


def shifted_parameters(inputs: VerdictInputs) -> Check:
    """Share of the Sharpe ratio that is left with each parameter shifted by 10 %."""
    key, title = "shifts", f"Parameters shifted by {percent(SHIFT, 0)}"
    asked = f"at least {percent(MIN_KEPT, 0)} kept"
    if not inputs.shifts:
        return not_done(inputs, key, title, "robustness", asked)
    own = inputs.evidence.oos_sharpe
    found = {name: value if known(value) else 0.0 for name, value in inputs.shifts.items()}  # undefined kept nothing
    kept = {name: value / own for name, value in found.items()}
    value = float(np.median(list(kept.values())))
    return make_check(
        key, title, "robustness", value, MIN_KEPT, value_text=f"{percent(value, 0)} kept" if value > 0 else "none kept",
        threshold_text=asked,
        meaning=f"With each parameter {percent(SHIFT, 0)} lower or higher, the out-of-sample Sharpe ratio goes from "
        f"{number(own)} to {number(value * own)} in the median case and {number(min(found.values()))} in the worst.",
        kept=kept,
    )  # fmt: skip


# -- texts ----------------------------------------------------------------------------------


def _growth(value: float) -> str:
    return percent(value, 0, sign=True) if value < 10 else f"{number(1 + value, 0)} times the money"


def _duration(bars: float, inputs: VerdictInputs) -> str:
    """A number of bars in years, months or days."""
    years = bars / inputs.periods_per_year
    if years >= 1.95:
        return f"{number(years, 1)} years"
    return f"{number(years * 12, 1)} months" if years * 12 >= 1.95 else f"{number(years * 365.25, 0)} days"
