"""The verdict of a portfolio: the checks of a walk-forward on its equity curve, by the same thresholds and rule."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import polars as pl

from maestro._core.formatting import listed, percent, plural
from maestro.errors import (
    BarsError,
    MaestroError,
    MissingExtraError,
    RunCancelled,
    RunError,
    SettingsError,
    StrategyError,
)
from maestro.execution.choose import HEAVY, prepare
from maestro.reproduce.plan import strategies_of
from maestro.typing import FloatArray
from maestro.validation.lookahead.check import lookahead
from maestro.validation.multiple.permutation import permutation_test_portfolio
from maestro.validation.robustness.break_even import HIGHEST_MULTIPLE, break_even, multiplied
from maestro.validation.robustness.choices import Choices, Outcome, choices_of
from maestro.validation.robustness.shifts import shifts
from maestro.validation.statistics.bootstrap import bootstrap_metrics
from maestro.validation.statistics.permutation import Permutation
from maestro.validation.statistics.snooping import spa
from maestro.validation.verdict.checks import all_checks
from maestro.validation.verdict.inputs import VerdictInputs, own_permutation
from maestro.validation.verdict.notes import Caveat, hints_of, notes_of, summary, warnings_of
from maestro.validation.verdict.portfolio_evidence import count_looks, gather_portfolio
from maestro.validation.verdict.progress import StepProgress
from maestro.validation.verdict.result import Verdict
from maestro.version import __version__
from maestro.walkforward.portfolio import Portfolio
from maestro.walkforward.portfolio import portfolio as make
from maestro.walkforward.result import WalkForward

_CUTS, _RESAMPLES, _SPA_RESAMPLES, _LEVEL, _PRECISION = 60, 1_000, 500, 0.90, 0.02
"""As in the verdict of a walk-forward."""
_PBO = (
    "Not applicable: a portfolio weighs its sleeves by a rule and chooses no set of parameters; the verdict of each "
    "sleeve has this check."
)


@dataclass
class PortfolioInputs(VerdictInputs):
    """Inputs of the checks for a portfolio; `wf` is the first of its sleeves."""

    portfolio: Portfolio | None = None

    def __post_init__(self) -> None:
        assert self.portfolio is not None
        self.evidence = gather_portfolio(self.portfolio)

    @property
    def returns(self) -> FloatArray:
        """Returns of the portfolio, one per bar, or per day if the sleeves have bars of different length."""
        assert self.portfolio is not None
        return self.portfolio.returns


def preliminary_portfolio_verdict(of: Portfolio) -> Verdict:
    """Return the verdict of a portfolio from its tables alone; `ms.verdict` runs all checks."""
    return _draw_up(_inputs(of, "Not done yet: it is part of the full verdict."), {}, preliminary=True)


def portfolio_verdict(
    of: Portfolio, *, permutations: int | Permutation, seed: int, strategies: Any, workers: int | None,
    cancel: threading.Event, shown: StepProgress,
) -> Verdict:  # fmt: skip
    """Run all checks of a portfolio; see `maestro.verdict`."""
    work = _Work(of, seed, strategies, workers, cancel, shown)
    inputs = work.inputs_with(permutations)
    repetitions = permutations if isinstance(permutations, int) else permutations.repetitions
    made = _draw_up(inputs, {"seed": seed, "trials": inputs.trials, "permutations": repetitions}, notes=work.notes)
    of.verdict = made
    return made


def _inputs(of: Portfolio, pending: str) -> PortfolioInputs:
    inputs = PortfolioInputs(next(iter(of.runs.values())), pending=pending, portfolio=of)
    inputs.reasons["pbo"] = _PBO
    return inputs


def _draw_up(
    inputs: PortfolioInputs, settings: dict[str, Any], *, notes: list[str] | None = None, preliminary: bool = False
) -> Verdict:
    of, evidence = inputs.portfolio, inputs.evidence
    assert of is not None
    texts = _texts(inputs)
    checks = tuple(
        replace(check, meaning=texts[check.key]) if check.key in texts and check.outcome != "not done" else check
        for check in all_checks(inputs)
    )
    warnings = list(warnings_of(evidence))
    broke = [note for note in of.notes if "lost all of its capital" in note]
    if broke:
        warnings.append(Caveat(f"{plural(len(broke), 'sleeve')} ruined", " ".join(broke[:3])))
    kept = [note for note in notes_of(evidence, () if preliminary else checks) if note not in broke]
    return Verdict(
        checks, of.id, evidence.strategy, evidence.series, summary=summary(evidence), warnings=tuple(warnings),
        hints=hints_of(checks), notes=(*(notes or []), *kept),
        settings={"maestro": __version__, "subject": "portfolio", **settings}, preliminary=preliminary,
    )  # fmt: skip


def _texts(inputs: PortfolioInputs) -> dict[str, str]:
    """Texts of checks for a portfolio, if those for a walk-forward do not apply."""
    texts = {}
    permuted, timing = inputs.permutation, inputs.snooping
    if permuted is not None and not math.isnan(permuted.pvalue):
        better = int((permuted.null >= permuted.observed).sum())
        count = len(permuted.null) + permuted.undefined
        texts["permutation"] = (
            f"All searches, the weights and the account were repeated {plural(count, 'time')} on series whose returns "
            f"were put in another order, the same in all; {better or 'none'} did as well."
        )
    if timing is not None:
        often = percent(timing.pvalue) if timing.pvalue else f"none of {timing.reps:,}"
        texts["spa"] = (
            f"If the portfolio could not time its markets, it would still look as good as here in {often} of the "
            "resamples; constant exposure earns no credit."
        )
    return texts


class _Work:
    """The steps of a portfolio's verdict; the reason why a step failed is kept for the check that needs it."""

    def __init__(
        self, of: Portfolio, seed: int, strategies: Any, workers: int | None, cancel: threading.Event,
        shown: StepProgress,
    ) -> None:  # fmt: skip
        self.of, self.seed, self.strategies = of, seed, strategies_of(strategies, of.runs.values())
        self.workers, self.cancel, self.shown = workers, cancel, shown
        self.inputs = _inputs(of, "Not requested.")
        self.notes: list[str] = []
        self.choices: dict[str, Choices] = {}
        try:
            for name, wf in of.runs.items():
                self.choices[name] = choices_of(wf, None, self.strategies.get(wf.spec.strategy))
        except (RunError, StrategyError, MissingExtraError, BarsError, SettingsError) as error:
            self.choices = {}
            reason = f"{name}: {error}"
            self.inputs.reasons.update(dict.fromkeys(("lookahead", "permutation", "costs", "shifts"), reason))
        self.inputs.trials = count_looks(of.runs)

    def inputs_with(self, permutations: int | Permutation) -> PortfolioInputs:
        """Inputs of all checks."""
        if self.choices:
            if isinstance(permutations, int):
                prepare(self.workers, permutations, HEAVY)
            self._begin("lookahead", "looking for look-ahead")
            self._try("lookahead", self._look)
            self._begin("robustness", "changing costs and parameters")
            self._change()
        self._begin("spa", "testing the timing")
        self._try("spa", self._time)
        if self.choices:
            self._permute(permutations)
        self._begin("bootstrap", "resampling the returns")
        self._try("interval", self._resample)
        return self.inputs

    def _begin(self, step: str, text: str) -> None:
        if self.cancel.is_set():
            raise RunCancelled("the verdict was cancelled; nothing was written.")
        self.shown.begin(step, text)

    def _try(self, key: str, action: Callable[[], None]) -> None:
        try:
            action()
        except RunCancelled as error:
            raise RunCancelled("the verdict was cancelled; nothing was written.") from error
        except MaestroError as error:
            self.inputs.reasons[key] = str(error)

    def _look(self) -> None:
        """Check each distinct strategy on the first sleeve that has it."""
        first: dict[type, str] = {}
        for name, choices in self.choices.items():
            first.setdefault(choices.plan.strategy, name)
        for strategy, name in first.items():
            if self.cancel.is_set():
                raise RunCancelled("cancelled")
            choices = self.choices[name]
            self.inputs.lookahead = lookahead(
                choices.bars, strategy(**choices.params[-1]), cuts=_CUTS, starts=6, seed=self.seed
            )
            if self.inputs.lookahead.failed:
                self.notes.append(f"The look-ahead was found in {strategy.__name__} on {name}.")
                return
        if len(first) < len(self.choices):
            self.notes.append(
                f"Look-ahead was checked once for each strategy, on {listed(list(first.values()))}: its code is the "
                "same in the other sleeves."
            )

    def _change(self) -> None:
        paying = {n: c for n, c in self.choices.items() if c.plan.costs.fee or c.plan.costs.slippage}
        if paying:
            self._try("costs", lambda: setattr(self.inputs, "cost_multiple", self._break_even()))
        else:
            self.inputs.reasons["costs"] = "No sleeve has a fee or slippage, so there is nothing to multiply."
        if not self.inputs.evidence.oos_sharpe > 0:
            self.inputs.reasons["shifts"] = "The portfolio itself has no positive Sharpe ratio out of sample."
            return
        self._try("shifts", lambda: setattr(self.inputs, "shifts", self._shifted()))
        if self.inputs.shifts == {}:
            self.inputs.reasons["shifts"] = "Only options were searched, which cannot be shifted."

    def _break_even(self) -> float:
        signals = {name: choices.signals() for name, choices in self.choices.items()}

        def total_return(multiple: float) -> float:
            if self.cancel.is_set():
                raise RunCancelled("cancelled")
            runs = {}
            for name, choices in self.choices.items():
                costs = multiplied(choices.plan.costs, multiple)
                found = choices.stitched(signals=signals[name], costs=costs)
                runs[name] = changed_run(self.of.runs[name], found, costs.to_dict())
            return make(runs, **self.of.given).metrics["total_return"]

        return break_even(total_return, HIGHEST_MULTIPLE, precision=_PRECISION)

    def _shifted(self) -> dict[str, float]:
        """Sharpe ratio of the portfolio with one parameter of one strategy shifted in all sleeves that have it."""
        several = len({choices.plan.strategy for choices in self.choices.values()}) > 1
        changed: dict[str, dict[str, WalkForward]] = {}
        for name, choices in self.choices.items():
            for shift, sets in shifts(choices.plan.space, choices.params):
                if self.cancel.is_set():
                    raise RunCancelled("cancelled")
                title = f"{choices.plan.strategy.__name__} {shift}" if several else shift
                outcome = replace(choices, params=tuple(sets)).stitched()
                changed.setdefault(title, {})[name] = changed_run(self.of.runs[name], outcome)
        return {
            title: make({**self.of.runs, **runs}, **self.of.given).metrics["sharpe_ratio"]
            for title, runs in changed.items()
        }

    def _time(self) -> None:
        _, timing = self.of.timing
        if self.inputs.evidence.ruined:
            raise SettingsError("The portfolio was ruined, so there is no timing to test.")
        self.inputs.snooping = spa(timing, reps=_SPA_RESAMPLES, seed=self.seed)

    def _permute(self, permutations: int | Permutation) -> None:
        if isinstance(permutations, Permutation):
            self.inputs.permutation = own_permutation(
                permutations, self.of.metrics, "portfolio", "ms.validation.permutation_test_portfolio(p)"
            )
            return
        if permutations == 0:
            self.inputs.reasons["permutation"] = "Not requested: permutations=0."
            return
        self._begin("permutations", "repeating all searches on permuted bars")
        test = partial(
            permutation_test_portfolio, self.of, repetitions=permutations, seed=self.seed, workers=self.workers,
            strategies=self.strategies, cancel=self.cancel,
            progress=lambda done: self.shown.advance("permutations", done / permutations),
        )  # fmt: skip
        self._try("permutation", lambda: setattr(self.inputs, "permutation", test()))

    def _resample(self) -> None:
        self.inputs.intervals = bootstrap_metrics(
            self.inputs.returns, periods_per_year=self.inputs.periods_per_year, level=_LEVEL, reps=_RESAMPLES,
            seed=self.seed, cancel=self.cancel,
        )  # fmt: skip


def changed_run(wf: WalkForward, outcome: Outcome, costs: dict[str, Any] | None = None) -> WalkForward:
    """A walk-forward with the out-of-sample returns and positions of its choices under other conditions."""
    if outcome.position is None or len(outcome.returns) != len(wf.equity):
        raise RunError(f"run {wf.id} gave {len(outcome.returns):,} bars out of sample when repeated, not as before.")
    cash = float(wf.spec.cash)
    equity = cash * (1.0 + pl.Series("return", outcome.returns)).cum_prod()
    table = wf.equity.with_columns(
        pl.Series("return", outcome.returns), equity.alias("equity"), pl.Series("position", outcome.position)
    )
    spec = wf.spec if costs is None else replace(wf.spec, costs=replace(wf.spec.costs, **costs))
    tables = {"folds": wf.folds, "trials": wf.trials, "equity": table, "trades": wf.trades}
    made = WalkForward({**wf.manifest, "spec": spec.to_dict()}, tables)
    made.bars, made.plan = wf.bars, wf.plan
    return made
