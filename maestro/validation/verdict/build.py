"""What a walk-forward is worth: `verdict` makes every check that can be made and draws one conclusion."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from maestro.bars import Bars
from maestro.errors import MaestroError, MissingExtraError, RunCancelled, RunError, SettingsError
from maestro.ledger import uncounted
from maestro.reproduce.plan import recorded_bars, recorded_plan, windows_of
from maestro.reproduce.replay import break_even, neighbours, replayed
from maestro.runs.writing import write_file
from maestro.search.tpe import check_seed
from maestro.validation.lookahead.check import lookahead
from maestro.validation.statistics.bootstrap import bootstrap_metrics
from maestro.validation.statistics.overfitting import pbo
from maestro.validation.statistics.permutation import Permutation, permutation_test
from maestro.validation.statistics.snooping import spa
from maestro.validation.statistics.trials import PBO_BLOCKS, trial_returns
from maestro.validation.verdict.checks import Material, all_checks, counted, sets_of
from maestro.validation.verdict.result import FILE, Verdict
from maestro.validation.verdict.rule import Check
from maestro.version import __version__
from maestro.walkforward.fold import Plan

if TYPE_CHECKING:
    from maestro.walkforward.result import WalkForward

PERMUTATIONS = 19
"""The fewest repetitions that can show p = 0.05; a tenth of what a careful test takes, and of its time."""
_PERIODS, _SETS = 2_000, 1_000
"""Size to which the matrix of trial returns is compounded and drawn: 16 MB."""
_COARSE = 400
"""Periods for the test of superior predictive ability, which resamples the whole matrix."""
_RESAMPLES = 1_000
_SPA_RESAMPLES = 500
_LEVEL = 0.90
"""Level of the intervals: 5 % below, as the other checks."""
_CUTS = 60
_OF_BARS = ("lookahead", "pbo", "permutation", "spa", "costs", "neighbourhood")
_STEPS = {"lookahead": 3, "bootstrap": 12, "trials": 12, "pbo": 8, "spa": 12, "sturdy": 5, "permutations": 48}
"""Share of the time that each step takes, about, in percent."""

Progress = bool | Callable[[float, str], None]


def verdict(
    wf: WalkForward,
    bars: Bars | None = None,
    *,
    permutations: int | Permutation = PERMUTATIONS,
    seed: int = 0,
    strategy: Any = None,
    workers: int | None = None,
    progress: Progress = False,
    cancel: threading.Event | None = None,
    save: bool = True,
) -> Verdict:
    """Judge a walk-forward: is it robust, inconclusive, fitted, or is there not enough data to say?

    Fifteen checks answer six questions; ``docs/verdict.md`` states each with its threshold, and the rule. No single
    check makes a conclusion.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run. Where absent: the run's own while it is live, else loaded again by their name; checks that
        need bars are "not done" where that fails.
    permutations : int or Permutation
        Repetitions of the search on permuted bars, 0 for none; or a test that was made already
        (`ms.validation.permutation_test`), for many repetitions.
    seed : int
        The verdict depends on the run, the seed, the number of permutations and the ledger alone: not on workers.
    strategy : type of Strategy, optional
        The class, for a run with a strategy of your own that was loaded from disk.
    workers : int, optional
        Processes for the permutations; all cores where absent.
    progress : bool or callable
        True shows a bar; a callable gets the share that is done (0 to 1) and what is being done.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows, and nothing is written.
    save : bool
        Write ``verdict.json`` into the run's folder, where it has one: `load_run` and the report show it.

    Raises
    ------
    SettingsError
        An impossible number of permutations or seed, or a permutation test of another run.
    BarsError
        The given bars are not those of the run.
    RunCancelled

    Notes
    -----
    No trial is entered in the ledger: nothing is chosen here.
    """
    if isinstance(permutations, bool) or (isinstance(permutations, int) and permutations < 0):
        raise SettingsError(f"permutations={permutations!r} is not a whole number of at least 0; 19 can show p = 0.05.")
    if not isinstance(permutations, (int, Permutation)):
        raise SettingsError(f"permutations is a {type(permutations).__name__}; give a number, or a permutation test.")
    check_seed(seed)
    with uncounted("a verdict"), _Shown(progress) as shown:
        work = _Work(wf, bars, seed, strategy, workers, cancel or threading.Event(), shown)
        checks = work.checks(permutations)
    spec = wf.spec
    settings = {
        "maestro": __version__, "seed": seed, "trials": list(work.material.trials),
        "permutations": permutations if isinstance(permutations, int) else permutations.to_dict()["repetitions"],
    }  # fmt: skip
    hints, notes = _hints(checks), _notes(work.material, checks)
    made = Verdict(checks, wf.id, spec["strategy"], spec["bars"]["name"], hints, notes, settings)
    wf.verdict = made
    if save and wf.folder is not None:
        write_file(wf.folder / FILE, made.to_json())
    return made


class _Work:
    """The steps of a verdict, each of which may be impossible for a reason that is kept."""

    def __init__(
        self, wf: Any, bars: Bars | None, seed: int, strategy: Any, workers: int | None, cancel: threading.Event,
        shown: _Shown,
    ) -> None:  # fmt: skip
        self.wf, self.seed, self.strategy = wf, seed, strategy
        self.workers, self.cancel, self.shown = workers, cancel, shown
        self.material = Material(wf)
        self.bars: Bars | None = None
        self.plan: Plan | None = None
        try:
            self.bars = recorded_bars(wf, bars)
            self.plan = recorded_plan(wf, strategy)
        except (RunError, MissingExtraError) as error:
            self.material.why.update(dict.fromkeys(_OF_BARS, str(error)))
        self.material.bars = self.bars
        self.material.trials = counted(wf, self.bars)

    def checks(self, permutations: int | Permutation) -> tuple[Check, ...]:
        material = self.material
        if self.bars is not None and self.plan is not None and len(self.wf.equity):
            self._look(self.bars, self.plan)
            self._sturdy(self.bars, self.plan)
            self._trials()
            self._permute(permutations)
        elif not len(self.wf.equity):
            material.why.update(dict.fromkeys(_OF_BARS, "No fold has a result."))
        self._bootstrap()
        return all_checks(material)

    def _begin(self, step: str, text: str) -> None:
        if self.cancel.is_set():
            raise RunCancelled("the verdict was cancelled; nothing was written.")
        self.shown.begin(step, text)

    def _look(self, bars: Bars, plan: Plan) -> None:
        self._begin("lookahead", "looking for look-ahead")
        chosen = [params for params in sets_of(self.wf, plan.space) if params is not None]
        try:
            self.material.lookahead = lookahead(bars, plan.strategy(**chosen[-1]), cuts=_CUTS, starts=6, seed=self.seed)
        except RunCancelled:
            raise
        except MaestroError as error:
            self.material.why["lookahead"] = str(error)

    def _sturdy(self, bars: Bars, plan: Plan) -> None:
        self._begin("sturdy", "changing costs and parameters a little")
        windows, sets = windows_of(self.wf), sets_of(self.wf, plan.space)
        material = self.material
        if plan.costs.fee == 0 and plan.costs.slippage == 0:
            material.why["costs"] = "No fee and no slippage was charged, so there is nothing to multiply; charge some."
        else:
            self._try("costs", lambda: setattr(material, "costs", break_even(plan, bars, windows, sets)))
        own = self.wf.metrics["sharpe_ratio"]
        if not own > 0:
            material.why["neighbourhood"] = "The choices themselves earned nothing, so there is no plateau to look for."
            return

        def walk_around() -> None:
            material.kept = {
                name: replayed(plan, bars, windows, moved)["sharpe_ratio"] / own
                for name, moved in neighbours(plan.space, sets)
            }
            if not material.kept:
                material.why["neighbourhood"] = "Only options were searched: they have no neighbours."

        self._try("neighbourhood", walk_around)

    def _trials(self) -> None:
        self._begin("trials", "simulating the trials again")
        found = None
        try:
            found = trial_returns(
                self.wf, self.bars, periods=_PERIODS, most=_SETS, seed=self.seed, strategy=self.strategy,
                cancel=self.cancel,
            )  # fmt: skip
        except RunCancelled:
            raise
        except MaestroError as error:
            self.material.why.update(dict.fromkeys(("pbo", "spa"), str(error)))
        if found is None:
            return
        if found.failed:
            self.material.lost = (
                f"{found.failed:,} of {found.failed + found.returns.shape[1]:,} sets that were tried could not be "
                f"simulated again; the first error: {found.error}"
            )
        if found.returns.shape[1] < 2:
            words = self.material.lost or "Only one set was tried, so there was nothing to choose from."
            self.material.why.update(dict.fromkeys(("pbo", "spa"), words))
            return
        self._begin("pbo", "halving the past in every way")
        self._try("pbo", lambda: setattr(self.material, "overfitting", pbo(found.returns, PBO_BLOCKS)))
        self._begin("spa", "testing the best of all sets")
        timing = found.coarser(_COARSE).timing
        self._try("spa", lambda: setattr(self.material, "snooping", spa(timing, reps=_SPA_RESAMPLES, seed=self.seed)))

    def _bootstrap(self) -> None:
        self._begin("bootstrap", "resampling the returns")

        def resample() -> None:
            self.material.intervals = bootstrap_metrics(
                self.material.returns, periods_per_year=self.material.periods, level=_LEVEL, reps=_RESAMPLES,
                seed=self.seed, cancel=self.cancel,
            )  # fmt: skip

        self._try("interval", resample)

    def _permute(self, permutations: int | Permutation) -> None:
        if isinstance(permutations, Permutation):
            own = self.wf.metrics.get(permutations.metric.removeprefix("-"))
            if own is None or abs(permutations.observed) != abs(own):
                raise SettingsError(
                    f"the permutation test observed {permutations.metric} = {permutations.observed:g} and the run has "
                    f"{own}: it is not of this run; make it with ms.validation.permutation_test(wf)."
                )
            self.material.permutation = permutations
            return
        if permutations == 0:
            self.material.why["permutation"] = "Not asked for: permutations=0."
            return
        self._begin("permutations", "repeating the search on shuffled bars")

        def permute() -> None:
            self.material.permutation = permutation_test(
                self.wf, self.bars, repetitions=permutations, seed=self.seed, strategy=self.strategy,
                workers=self.workers, cancel=self.cancel,
                progress=lambda done: self.shown.advance("permutations", done / permutations),
            )  # fmt: skip

        self._try("permutation", permute)

    def _try(self, key: str, action: Callable[[], None]) -> None:
        """Make what a check needs; an expected failure is the reason why the check is not done."""
        try:
            action()
        except RunCancelled as error:
            raise RunCancelled("the verdict was cancelled; nothing was written.") from error
        except MaestroError as error:
            self.material.why[key] = str(error)


def _hints(checks: tuple[Check, ...]) -> tuple[str, ...]:
    """What more data or more repetitions would change, in sentences."""
    found = {check.key: check for check in checks}
    hints = []
    sharpe = found["sharpe"]
    needed = sharpe.details.get("needed", float("inf"))
    if sharpe.outcome == "fail" and needed < float("inf"):
        have = found["length"].value or 1.0
        times = f"{needed / have:,.1f} times as many bars"
        hints.append(f"With the same Sharpe ratio, {times} out of sample would tell it from zero.")
    permuted = found["permutation"]
    if (
        permuted.outcome == "fail"
        and permuted.value is not None
        and permuted.value <= 0.15
        and permuted.details["repetitions"] < 199
    ):
        hints.append("The shuffled bars are close to deciding it: permutations=199 would say more.")
    if found["trades"].outcome == "fail" or found["length"].outcome == "fail":
        hints.append("More bars, a shorter timeframe, or a rule that trades more often would give enough to judge by.")
    return tuple(hints)


def _notes(material: Material, checks: tuple[Check, ...]) -> tuple[str, ...]:
    wf, notes = material.wf, []
    if material.lost:
        notes.append(material.lost)
    if wf.spec["bars"]["synthetic"]:
        notes.append("The bars are made up: whatever is concluded says something of the procedure, nothing of trading.")
    if len(wf.failed_folds):
        notes.append(f"{len(wf.failed_folds)} of {len(wf.folds)} folds failed and count in no check.")
    lacking = [check.title.lower() for check in checks if check.outcome == "not done"]
    if len(lacking) > 3:
        notes.append(f"{len(lacking)} of {len(checks)} checks could not be done; a verdict without them is cautious.")
    return tuple(notes)


class _Shown:
    """Progress as shares of the whole, for a bar or a listener."""

    def __init__(self, progress: Progress) -> None:
        self._tell: Callable[[float, str], None] = progress if callable(progress) else lambda share, text: None
        self._bar: Any = None
        self._wanted = progress is True
        self._done, self._text, self._step = 0.0, "", ""

    def __enter__(self) -> _Shown:
        if self._wanted:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=100, desc="verdict", dynamic_ncols=True, bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}"
            )
        return self

    def __exit__(self, kind: Any, *rest: object) -> None:
        if kind is None:
            self._step = ""
            self._show(100.0, "done")
        if self._bar is not None:
            self._bar.close()

    def begin(self, step: str, text: str) -> None:
        if self._step:
            self._done += _STEPS[self._step]
        self._step = step
        self._show(self._done, text)

    def advance(self, step: str, share: float) -> None:
        self._done += _STEPS[step] * share
        self._show(self._done, self._text)
        if self._step == step:
            self._step = ""

    def _show(self, percent: float, text: str) -> None:
        self._text = text
        self._tell(min(percent, 100.0) / 100.0, text)
        if self._bar is not None:
            self._bar.set_description_str(f"verdict: {text}", refresh=False)
            self._bar.n = round(min(percent, 100.0))
            self._bar.refresh()
