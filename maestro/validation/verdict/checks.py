"""The checks of a verdict: each a figure, its threshold, and one plain sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from maestro.bars import Bars
from maestro.ledger import Ledger
from maestro.search.space import Space
from maestro.typing import FloatArray, Parameters
from maestro.validation.lookahead.check import LookAhead
from maestro.validation.statistics.bootstrap import Intervals
from maestro.validation.statistics.overfitting import Overfitting
from maestro.validation.statistics.permutation import Permutation
from maestro.validation.statistics.sharpe import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)
from maestro.validation.statistics.snooping import Snooping
from maestro.validation.statistics.trials import sharpe_variance
from maestro.validation.verdict.rule import Check, Outcome, Question

TRADES, FOLDS = 30, 4
"""Closed trades and evaluated folds below which nothing can be said."""
GOOD_SHARPE = 3.0
"""A year; the stretch must be long enough to tell even such a good one from zero."""
CONFIDENCE = 0.95
EFFICIENCY = 0.5
PROFITABLE = 0.6
PBO = 0.25
SIGNIFICANT = 0.05
COSTS = 2.0
"""Multiple of the costs that must still leave a profit."""
KEPT = 0.5
"""Share of the Sharpe ratio that the middle neighbour must keep."""


@dataclass
class Material:
    """What the checks look at; `why` says, by the key of a check, why there is nothing to look at."""

    wf: Any
    bars: Bars | None = None
    trials: tuple[int, float, str] = (0, math.nan, "")
    lookahead: LookAhead | None = None
    overfitting: Overfitting | None = None
    snooping: Snooping | None = None
    permutation: Permutation | None = None
    intervals: Intervals | None = None
    costs: float | None = None
    kept: dict[str, float] | None = None
    lost: str = ""
    """Which of the sets that were tried could not be simulated again; empty if all could."""
    why: dict[str, str] = field(default_factory=dict)

    @property
    def returns(self) -> FloatArray:
        """Out-of-sample returns a bar."""
        found: FloatArray = self.wf.equity["return"].to_numpy()
        return found

    @property
    def periods(self) -> float:
        """Bars a year."""
        return float(self.wf.spec["periods_per_year"])

    @property
    def moments(self) -> tuple[float, float, float]:
        """Sharpe ratio per period, skew and raw kurtosis of the out-of-sample returns."""
        values = self.returns
        spread = values.std(ddof=1) if len(values) > 1 else 0.0
        if spread < 1e-14 or self.wf.metrics["ruined"] > 0:
            return math.nan, 0.0, 3.0
        z = (values - values.mean()) / values.std()
        return float(values.mean() / spread), float((z**3).mean()), float((z**4).mean())


def all_checks(m: Material) -> tuple[Check, ...]:
    """Every check, in the order of the table."""
    made = (
        _trades(m), _folds(m), _length(m), _lookahead(m),
        _sharpe(m), _interval(m), _benchmark(m),
        _efficiency(m), _consistency(m), _pbo(m),
        _deflated(m), _permutation(m), _spa(m),
        _costs(m), _neighbourhood(m),
    )  # fmt: skip
    said: set[str] = set()
    checks = []
    for check in made:
        again = check.outcome == "not done" and check.meaning in said
        said.add(check.meaning)
        checks.append(replace(check, meaning="Not done for the same reason.") if again else check)
    return tuple(checks)


def counted(wf: Any, bars: Bars | None) -> tuple[int, float, str]:
    """Trials behind a run, the variance of their Sharpe ratios per period, and where the count is from.

    From the ledger of the series, unless it knows fewer than the run itself (another machine, another person).
    """
    own, own_variance = sharpe_variance(wf)
    spec = wf.spec["bars"]
    if spec["synthetic"]:
        return own, own_variance, "of this run alone: the bars are synthetic"
    try:
        series: Any = bars if bars is not None else f"{spec['provider']}:{spec['symbol']}:{spec['timeframe']}"
        found = Ledger(series).trials
    except Exception as error:  # a ledger that cannot be read is told, and the run's own count stands
        return own, own_variance, f"of this run alone: the ledger cannot be read ({error})"
    if found.distinct < own or not math.isfinite(found.variance):
        return own, own_variance, "of this run alone: the ledger here knows fewer"
    return found.distinct, found.variance, "ever run on this series, by the ledger"


# -- is there enough? -----------------------------------------------------------------------


def _trades(m: Material) -> Check:
    count = int(m.wf.metrics["num_trades"]) if math.isfinite(m.wf.metrics["num_trades"]) else 0
    text = (
        f"{count:,} trades were closed out of sample; below {TRADES} a few lucky ones decide everything."
        if count < TRADES
        else f"{count:,} trades were closed out of sample, enough for their average to mean something."
    )
    return _made("trades", "Closed trades", "data", count, TRADES, True, f"{count:,}", f"at least {TRADES}", text)


def _folds(m: Material) -> Check:
    count = len(m.wf.folds) - len(m.wf.failed_folds)
    failed = len(m.wf.failed_folds)
    also = f" {failed} failed and count in no figure." if failed else ""
    text = f"{count} of {len(m.wf.folds)} folds have a result.{also}"
    return _made("folds", "Folds with a result", "data", count, FOLDS, True, f"{count}", f"at least {FOLDS}", text)


def _length(m: Material) -> Check:
    _, skew, kurtosis = m.moments
    good = GOOD_SHARPE / math.sqrt(m.periods)
    needed = minimum_track_record_length(good, confidence=CONFIDENCE, skew=skew, kurtosis=kurtosis)
    if not math.isfinite(needed):
        needed = minimum_track_record_length(good, confidence=CONFIDENCE)
    have = len(m.returns)
    text = (
        f"{_years(have, m)} of bars were tested; even a Sharpe ratio of {GOOD_SHARPE:g} a year takes "
        f"{_years(needed, m)} to be told from zero."
    )
    return _made(
        "length", "Length tested", "data", have, needed, True, f"{have:,} bars", f"at least {math.ceil(needed):,}", text
    )


# -- is the test sound? ---------------------------------------------------------------------


def _lookahead(m: Material) -> Check:
    title = "No look-ahead"
    if m.wf.spec["fill"] == "close":
        text = 'Orders were filled at the very close that decided them (fill="close"): nobody can trade like that.'
        return Check(
            "lookahead", title, "sound", "fail", 1.0, 0.0, False, "fills at the close", "nothing allowed", text
        )
    if m.lookahead is None:
        return _not_done(m, "lookahead", title, "sound", "nothing allowed")
    failed = m.lookahead.failed
    if failed:
        rows = m.lookahead.table.filter(~m.lookahead.table["passed"])
        text = f"The rule knows too much: {rows['finding'][0]}"
    else:
        text = f"{len(m.lookahead.cuts)} times the future was cut off, and no signal changed."
    return Check(
        "lookahead", title, "sound", "fail" if failed else "pass", float(len(failed)), 0.0, False,
        ", ".join(failed) or "nothing found", "nothing allowed", text,
    )  # fmt: skip


# -- did it earn? ---------------------------------------------------------------------------


def _sharpe(m: Material) -> Check:
    sharpe, skew, kurtosis = m.moments
    n = len(m.returns)
    title, asked = "Sharpe ratio above zero", f"at least {CONFIDENCE:.0%} sure"
    if math.isnan(sharpe):
        text = "The account was ruined or never moved out of sample, so there is no Sharpe ratio."
        return Check("sharpe", title, "earned", "fail", None, CONFIDENCE, True, "none", asked, text)
    value = probabilistic_sharpe_ratio(sharpe, n_obs=n, skew=skew, kurtosis=kurtosis)
    needed = minimum_track_record_length(sharpe, confidence=CONFIDENCE, skew=skew, kurtosis=kurtosis)
    annual = f"A Sharpe ratio of {sharpe * math.sqrt(m.periods):.2f} a year"
    if not math.isfinite(needed):
        text = f"{annual} is no gain at all."
    else:
        text = (
            f"{annual} takes {_years(needed, m)} to be told from zero with {CONFIDENCE:.0%}; here are {_years(n, m)}."
        )
    return _made("sharpe", title, "earned", value, CONFIDENCE, True, f"{value:.1%} sure", asked, text,
                 needed=needed, annual=sharpe * math.sqrt(m.periods))  # fmt: skip


def _interval(m: Material) -> Check:
    title, asked = "Sharpe ratio in resamples", "lower end above 0"
    if m.intervals is None:
        return _not_done(m, "interval", title, "earned", asked)
    low, high = m.intervals["sharpe_ratio"]
    if not math.isfinite(low):
        text = "The resamples have no Sharpe ratio: nothing was traded."
        return Check("interval", title, "earned", "fail", None, 0.0, True, "none", asked, text)
    total = m.intervals["total_return"]
    text = (
        f"Shuffled in blocks, the same returns give Sharpe ratios from {low:.2f} to {high:.2f} and returns from "
        f"{_growth(total[0])} to {_growth(total[1])} in {m.intervals.level:.0%} of the cases."
    )
    figures = {row["metric"]: [row["low"], row["high"]] for row in m.intervals.table.to_dicts()}
    return _made("interval", title, "earned", low, 0.0, True, f"{low:.2f} to {high:.2f}", asked, text, strict=True,
                 level=m.intervals.level, block=m.intervals.block, reps=m.intervals.reps,
                 intervals=figures)  # fmt: skip


def _benchmark(m: Material) -> Check:
    title = "Against buy and hold"
    wf = m.wf
    held = wf.benchmark["sharpe_ratio"]
    own = wf.metrics["sharpe_ratio"]
    asked = f"at least {held:.2f}"
    if math.isnan(held):
        m.why.setdefault("benchmark", "Buy and hold has no Sharpe ratio on this stretch.")
        return _not_done(m, "benchmark", title, "earned", "at least that of buy and hold")
    if math.isnan(own):
        text = f"The strategy has no Sharpe ratio; buy and hold has {held:.2f}."
        return Check("benchmark", title, "earned", "fail", None, held, True, "none", asked, text)
    words = "more" if own > held else "as much" if own == held else "less"
    text = f"For the risk taken it earned {words} than buying and holding (Sharpe ratio {own:.2f} against {held:.2f})."
    return _made("benchmark", title, "earned", own, held, True, f"{own:.2f}", asked, text)


# -- did it carry over? ---------------------------------------------------------------------


def _efficiency(m: Material) -> Check:
    title, asked = "Walk-forward efficiency", f"at least {EFFICIENCY:g}"
    inside = m.wf.in_sample_annual_return
    value = m.wf.efficiency
    if math.isnan(value):
        if math.isfinite(inside) and inside <= 0:
            text = (
                f"Even the best sets of the search lost money in sample ({inside:+.1%} a year): nothing to carry over."
            )
        else:
            text = "There is no growth in sample or out of sample to compare."
        return Check("efficiency", title, "carried", "fail", None, EFFICIENCY, True, "none", asked, text)
    outside = m.wf.metrics["annual_return"]
    text = f"Growth of {inside:+.1%} a year in sample became {outside:+.1%} on the bars that followed."
    return _made("efficiency", title, "carried", value, EFFICIENCY, True, f"{value:.2f}", asked, text)


def _consistency(m: Material) -> Check:
    title, asked = "Folds that earned", f"at least {PROFITABLE:.0%}"
    returns = m.wf.folds["oos_total_return"].drop_nulls().to_numpy()
    if not len(returns):
        m.why.setdefault("consistency", "No fold has a result.")
        return _not_done(m, "consistency", title, "carried", asked)
    value = float((returns > 0).mean())
    text = f"{int((returns > 0).sum())} of {len(returns)} folds earned money out of sample."
    return _made("consistency", title, "carried", value, PROFITABLE, True, f"{value:.0%}", asked, text)


def _pbo(m: Material) -> Check:
    title, asked = "Probability of overfitting", f"at most {PBO:.0%}"
    if m.overfitting is None:
        return _not_done(m, "pbo", title, "carried", asked)
    value = m.overfitting.pbo
    text = (
        f"In {value:.0%} of {len(m.overfitting.logits):,} ways of halving the past, the best set of one half was below "
        "the middle in the other."
    )
    return _made("pbo", title, "carried", value, PBO, False, f"{value:.0%}", asked, text,
                 sets=m.overfitting.n_trials, blocks=m.overfitting.n_blocks,
                 loss=m.overfitting.probability_of_loss)  # fmt: skip


# -- is it luck? ----------------------------------------------------------------------------


def _deflated(m: Material) -> Check:
    title, asked = "Deflated Sharpe ratio", f"at least {CONFIDENCE:.0%} sure"
    sharpe, skew, kurtosis = m.moments
    count, variance, source = m.trials
    if math.isnan(sharpe) or not count or not math.isfinite(variance):
        m.why.setdefault("deflated", "There is no Sharpe ratio, or no two trials had one.")
        return _not_done(m, "deflated", title, "luck", asked)
    value = deflated_sharpe_ratio(
        sharpe, n_obs=len(m.returns), n_trials=count, trials_variance=variance, skew=skew, kurtosis=kurtosis
    )
    luck = expected_max_sharpe(count, variance) * math.sqrt(m.periods)
    text = (
        f"The best of {count:,} trials ({source}) is expected to show a Sharpe ratio of {luck:.2f} by luck alone; here "
        f"are {sharpe * math.sqrt(m.periods):.2f}. Strict: the trials chose on the bars before, not on these."
    )
    return _made("deflated", title, "luck", value, CONFIDENCE, True, f"{value:.1%} sure", asked, text,
                 trials=count, variance=variance, luck=luck, source=source)  # fmt: skip


def _permutation(m: Material) -> Check:
    title, asked = "The same search on shuffled bars", f"p at most {SIGNIFICANT:g}"
    found = m.permutation
    if found is None or math.isnan(found.pvalue):
        if found is not None:
            m.why["permutation"] = "The metric is defined on no shuffled series, or not on the real one."
        return _not_done(m, "permutation", title, "luck", asked)
    better = int((found.null >= found.observed).sum())
    count = len(found.null) + found.undefined
    text = (
        f"The whole procedure was repeated on {count} series with the same returns in another order; "
        f"{better or 'none'} did as well."
    )
    if found.undefined:
        text += f" On {found.undefined} of them nothing was traded."
    return _made("permutation", title, "luck", found.pvalue, SIGNIFICANT, False, f"p = {found.pvalue:.3g}", asked, text,
                 **found.to_dict())  # fmt: skip


def _spa(m: Material) -> Check:
    title, asked = "Best of all sets tried (SPA)", f"p at most {SIGNIFICANT:g}"
    found = m.snooping
    if found is None:
        return _not_done(m, "spa", title, "luck", asked)
    often = f"{found.pvalue:.1%}" if found.pvalue else f"none of {found.reps:,}"
    text = (
        f"Of {found.n_rules:,} distinct sets, the best times the market so well in {often} of the worlds in which none "
        "can; holding as much all the time counts for nothing."
    )
    shown = f"p = {found.pvalue:.3g}" if found.pvalue else f"p < {1 / found.reps:.3g}"
    return _made("spa", title, "luck", found.pvalue, SIGNIFICANT, False, shown, asked, text,
                 lower=found.lower, upper=found.upper, rules=found.n_rules, periods=found.n_periods, block=found.block,
                 reps=found.reps)  # fmt: skip


# -- does it bear small changes? ------------------------------------------------------------


def _costs(m: Material) -> Check:
    title, asked = "Costs it can bear", f"at least {COSTS:g} times"
    value = m.costs
    if value is None:
        return _not_done(m, "costs", title, "sturdy", asked)
    if value == 0:
        text, shown = "It loses money before any costs.", "none"
    elif math.isinf(value):
        text, shown = "It earns money out of sample even at 16 times the fee and slippage.", "above 16 times"
    else:
        text, shown = f"Out of sample it breaks even at {value:.1f} times the fee and slippage.", f"{value:.1f} times"
    return _made("costs", title, "sturdy", value, COSTS, True, shown, asked, text)


def _neighbourhood(m: Material) -> Check:
    title, asked = "Neighbouring parameters", f"at least {KEPT:.0%} kept"
    if not m.kept:
        return _not_done(m, "neighbourhood", title, "sturdy", asked)
    value = float(np.median(list(m.kept.values())))
    own = m.wf.metrics["sharpe_ratio"]
    text = (
        f"With each number a tenth larger or smaller, the Sharpe ratio out of sample goes from {own:.2f} to "
        f"{value * own:.2f} in the middle case and {min(m.kept.values()) * own:.2f} in the worst."
    )
    shown = f"{value:.0%} kept" if value > 0 else "none kept"
    return _made("neighbourhood", title, "sturdy", value, KEPT, True, shown, asked, text, kept=m.kept)


# -- how a check is made --------------------------------------------------------------------


def _made(
    key: str, title: str, question: Question, value: float, threshold: float, least: bool, shown: str, asked: str,
    text: str, *, strict: bool = False, **details: Any,
) -> Check:  # fmt: skip
    good = value > threshold if strict else value >= threshold if least else value <= threshold
    outcome: Outcome = "pass" if good else "fail"
    return Check(key, title, question, outcome, float(value), float(threshold), least, shown, asked, text, details)


def _not_done(m: Material, key: str, title: str, question: Question, asked: str) -> Check:
    return Check(
        key, title, question, "not done", None, None, True, "not done", asked, m.why.get(key, "Not asked for.")
    )


def _growth(value: float) -> str:
    return f"{value:+.0%}" if value < 10 else f"{1 + value:,.0f} times the money"


def _years(count: float, m: Material) -> str:
    years = count / m.periods
    if years >= 1.95:
        return f"{years:,.1f} years"
    return f"{years * 12:,.1f} months" if years * 12 >= 1.95 else f"{years * 365.25:,.0f} days"


def sets_of(wf: Any, space: Space) -> list[Parameters | None]:
    """Chosen parameters of each fold, None where it failed."""
    return [None if row["error"] else space.from_row(row) for row in wf.folds.sort("fold").to_dicts()]
