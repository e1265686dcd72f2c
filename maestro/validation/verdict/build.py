"""`verdict`: run every check of a walk-forward and draw the conclusion."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from maestro.bars import Bars
from maestro.errors import (
    BarsError,
    MaestroError,
    MissingExtraError,
    RunCancelled,
    RunError,
    RunInterrupted,
    SettingsError,
    StrategyError,
)
from maestro.execution.choose import prepare
from maestro.ledger import uncounted
from maestro.runs.writing import write_file
from maestro.search.tpe import check_seed
from maestro.validation.lookahead.check import lookahead
from maestro.validation.robustness.break_even import break_even_multiple
from maestro.validation.robustness.choices import Choices, choices_of
from maestro.validation.robustness.shifts import shifted_metric
from maestro.validation.statistics.bootstrap import bootstrap_metrics
from maestro.validation.statistics.overfitting import pbo
from maestro.validation.statistics.permutation import Permutation, permutation_test, work_of_permutations
from maestro.validation.statistics.snooping import spa
from maestro.validation.statistics.trials import PBO_BLOCKS, trial_returns
from maestro.validation.verdict.inputs import VerdictInputs, count_trials, own_permutation
from maestro.validation.verdict.portfolio import portfolio_verdict
from maestro.validation.verdict.preliminary import assemble_verdict
from maestro.validation.verdict.progress import StepProgress
from maestro.validation.verdict.result import FILE, Verdict
from maestro.walkforward.portfolio import Portfolio
from maestro.walkforward.result import WalkForward

PERMUTATIONS = 19
"""The fewest repetitions that can show p = 0.05; a tenth of those of a careful test, and of its time."""
_PERIODS, _SETS = 2_000, 1_000
"""Size to which the matrix of trial returns is compounded and drawn: 16 MB."""
_COARSE = 400
"""Periods for the test of superior predictive ability, which resamples the whole matrix."""
_RESAMPLES = 1_000
_SPA_RESAMPLES = 500
_LEVEL = 0.90
"""Level of the bootstrap intervals: 5 % below, as for the other checks."""
_CUTS = 60
_NEED_BARS = ("lookahead", "pbo", "permutation", "spa", "costs", "shifts")
"""Keys of the checks that need the bars."""


def verdict(
    wf: WalkForward | Portfolio,
    bars: Bars | None = None,
    *,
    permutations: int | Permutation = PERMUTATIONS,
    seed: int = 0,
    strategy: Any = None,
    workers: int | None = None,
    progress: bool | Callable[[float, str], None] | None = None,
    cancel: threading.Event | None = None,
    save: bool = True,
) -> Verdict:
    """Judge a walk-forward or a portfolio: robust, inconclusive, fitted to the past, or not enough data?

    Checks answer six questions; ``docs/verdict.md`` states each with its threshold, and the rule. No single check
    decides. `WalkForward.verdict` has a preliminary verdict at once, without the checks that take time.

    Parameters
    ----------
    wf : WalkForward, live or loaded, or Portfolio
        A portfolio is judged by its own equity curve, with the trials on all of its series; checks that do not apply
        to it are "not done", with the reason.
    bars : Bars, optional
        Bars of the run. By default the run's own while it is live, otherwise loaded by their name; checks
        that need bars are "not done" if that fails.
    permutations : int or Permutation
        Number of repetitions of the search on permuted bars, 0 for none; or the result of a test
        (`ms.validation.permutation_test`), for many repetitions.
    seed : int
        The verdict depends on the run, the seed, the number of permutations and the ledger only, not on `workers`.
    strategy : type of Strategy, optional
        The class, for a run with a user-defined strategy that was loaded from disk; for a portfolio, a mapping of
        names to classes.
    workers : int, optional
        How many processes at most for the permutations; by default all cores, or none for little work.
    progress : bool or callable, optional
        True shows a bar, which a notebook also shows by itself for work over a second; a callable
        receives the share that is done (0 to 1) and the current step.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` is raised and nothing is written.
    save : bool
        Whether to write ``verdict.json`` into the run's folder, if it has one; `load_run` and the report show it.

    Raises
    ------
    SettingsError
        An invalid number of permutations or seed, a permutation test of another run, or a strategy that no sleeve has.
    BarsError
        The given bars are not those of the run.
    RunCancelled

    Notes
    -----
    No trial is recorded in the ledger, as nothing is chosen.
    """
    if isinstance(permutations, bool) or (isinstance(permutations, int) and permutations < 0):
        raise SettingsError(f"permutations={permutations!r} is not a whole number of at least 0; 19 can show p = 0.05.")
    if not isinstance(permutations, (int, Permutation)):
        raise SettingsError(f"permutations is a {type(permutations).__name__}; give a number, or a permutation test.")
    check_seed(seed)
    if isinstance(wf, Portfolio):
        if bars is not None:
            raise SettingsError("a portfolio has the bars of its sleeves; leave bars out.")
        with uncounted("a verdict"), StepProgress(progress) as shown:
            return portfolio_verdict(
                wf, permutations=permutations, seed=seed, strategies=strategy, workers=workers,
                cancel=cancel or threading.Event(), shown=shown,
            )  # fmt: skip
    if not isinstance(wf, WalkForward):
        raise SettingsError(
            f"a {type(wf).__name__} has no verdict; give a walk-forward, or a portfolio (ms.portfolio)."
        )
    with uncounted("a verdict"), StepProgress(progress) as shown:
        work = _Work(wf, bars, seed, strategy, workers, cancel or threading.Event(), shown)
        try:
            inputs = work.inputs_with(permutations)
        except KeyboardInterrupt as stop:
            raise RunInterrupted("the verdict was interrupted; no result is kept.") from stop
        repetitions = permutations if isinstance(permutations, int) else permutations.to_dict()["repetitions"]
        made = assemble_verdict(inputs, {"seed": seed, "trials": inputs.trials, "permutations": repetitions})
    wf.verdict = made
    if save and wf.folder is not None:
        write_file(wf.folder / FILE, made.to_json())
    return made


class _Work:
    """The steps of a verdict; the reason why a step failed is kept for the check that needs it."""

    def __init__(
        self, wf: WalkForward, bars: Bars | None, seed: int, strategy: Any, workers: int | None,
        cancel: threading.Event, shown: StepProgress,
    ) -> None:  # fmt: skip
        self.wf, self.seed, self.strategy = wf, seed, strategy
        self.workers, self.cancel, self.shown = workers, cancel, shown
        self.inputs = VerdictInputs(wf)
        self.choices: Choices | None = None
        if not len(wf.equity):
            self._impossible(_NEED_BARS, "No fold has a result.")
        else:
            try:
                self.choices = choices_of(wf, bars, strategy)
            except (RunError, StrategyError, MissingExtraError, BarsError) as error:
                if bars is not None and isinstance(error, BarsError):
                    raise
                self._impossible(_NEED_BARS, str(error))
        self.bars = self.choices.bars if self.choices is not None else bars if bars is not None else wf.bars
        self.inputs.trials = count_trials(wf, self.bars)

    def inputs_with(self, permutations: int | Permutation) -> VerdictInputs:
        """Inputs of all checks."""
        if self.choices is not None:
            if isinstance(permutations, int) and permutations:
                plan, bars, windows = self.choices.plan, self.choices.bars, self.choices.windows
                prepare(self.workers, permutations, work_of_permutations(plan, bars, windows, permutations))
            self._look(self.choices)
            self._change_a_little(self.choices)
            self._simulate_trials()
            self._permute(permutations)
        self._bootstrap()
        return self.inputs

    def _begin(self, step: str, text: str) -> None:
        if self.cancel.is_set():
            raise RunCancelled("the verdict was cancelled; nothing was written.")
        self.shown.begin(step, text)

    def _look(self, choices: Choices) -> None:
        self._begin("lookahead", "looking for look-ahead")

        def look() -> None:
            strategy = choices.plan.strategy(**choices.params[-1])
            self.inputs.lookahead = lookahead(choices.bars, strategy, cuts=_CUTS, starts=6, seed=self.seed)

        self._try("lookahead", look)

    def _change_a_little(self, choices: Choices) -> None:
        self._begin("robustness", "changing costs and parameters")
        inputs, costs = self.inputs, choices.plan.costs
        if costs.fee == 0 and costs.slippage == 0:
            self._impossible(["costs"], "The run has neither fee nor slippage, so there is nothing to multiply.")
        else:
            self._try("costs", lambda: setattr(inputs, "cost_multiple", break_even_multiple(choices)))
        if not inputs.evidence.oos_sharpe > 0:
            self._impossible(["shifts"], "The choices themselves have no positive Sharpe ratio out of sample.")
            return
        self._try("shifts", lambda: setattr(inputs, "shifts", shifted_metric(choices, "sharpe_ratio")))
        if inputs.shifts == {}:
            self._impossible(["shifts"], "Only options were searched, which cannot be shifted.")

    def _simulate_trials(self) -> None:
        self._begin("trials", "simulating the trials")
        found: list[Any] = []

        def simulate() -> None:
            found.append(
                trial_returns(
                    self.wf, self.bars, periods=_PERIODS, most=_SETS, seed=self.seed, strategy=self.strategy,
                    cancel=self.cancel,
                )
            )  # fmt: skip

        self._try("pbo", simulate)
        if not found:
            self._impossible(["spa"], self.inputs.reasons["pbo"])
            return
        [trials] = found
        if trials.left_out:
            self.inputs.drawn_from = trials.returns.shape[1] + trials.failed + trials.left_out
        if trials.failed:
            self.inputs.lost = (
                f"{trials.failed:,} of {trials.failed + trials.returns.shape[1]:,} sets that were tried could not be "
                f"simulated again; the first error: {trials.error}"
            )
        if trials.returns.shape[1] < 2:
            words = self.inputs.lost or "Only one set was tried, so there was nothing to choose from."
            self._impossible(("pbo", "spa"), words)
            return
        self._begin("pbo", "splitting the past into halves")
        self._try("pbo", lambda: setattr(self.inputs, "overfitting", pbo(trials.returns, PBO_BLOCKS)))
        self._begin("spa", "testing the best of all sets")
        timing = trials.coarser(_COARSE).timing
        self._try("spa", lambda: setattr(self.inputs, "snooping", spa(timing, reps=_SPA_RESAMPLES, seed=self.seed)))

    def _bootstrap(self) -> None:
        self._begin("bootstrap", "resampling the returns")

        def resample() -> None:
            self.inputs.intervals = bootstrap_metrics(
                self.inputs.returns, periods_per_year=self.inputs.periods_per_year, level=_LEVEL, reps=_RESAMPLES,
                seed=self.seed, cancel=self.cancel,
            )  # fmt: skip

        self._try("interval", resample)

    def _permute(self, permutations: int | Permutation) -> None:
        if isinstance(permutations, Permutation):
            self.inputs.permutation = own_permutation(
                permutations, self.wf.metrics, "run", "ms.validation.permutation_test(wf)"
            )
            return
        if permutations == 0:
            self._impossible(["permutation"], "Not requested: permutations=0.")
            return
        self._begin("permutations", "repeating the search on permuted bars")

        def permute() -> None:
            self.inputs.permutation = permutation_test(
                self.wf, self.bars, repetitions=permutations, seed=self.seed, strategy=self.strategy,
                workers=self.workers, cancel=self.cancel,
                progress=lambda done: self.shown.advance("permutations", done / permutations),
            )  # fmt: skip

        self._try("permutation", permute)

    def _impossible(self, keys: Any, reason: str) -> None:
        self.inputs.reasons.update(dict.fromkeys(keys, reason))

    def _try(self, key: str, action: Callable[[], None]) -> None:
        """Compute an input of a check; an expected failure becomes the reason why the check is not done."""
        try:
            action()
        except RunCancelled as error:
            raise RunCancelled("the verdict was cancelled; nothing was written.") from error
        except MaestroError as error:
            self.inputs.reasons[key] = str(error)
