"""All results between a verdict and trading, computed in one call for a page or an app."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from maestro.bars import Bars
from maestro.decision.expectation import expectation
from maestro.decision.now import now
from maestro.errors import MaestroError, RunCancelled, SettingsError
from maestro.regime import Regimes, regimes, training_lengths
from maestro.validation.robustness.by_regime import by_regime
from maestro.validation.robustness.choices import choices_of
from maestro.validation.robustness.retiming import retiming
from maestro.validation.statistics.cpcv import cpcv
from maestro.validation.statistics.parameter_permutation import MOST_SETS, parameter_permutation
from maestro.validation.statistics.trials import MOST_BYTES
from maestro.validation.trades import concentration, kelly, monte_carlo, random_entries
from maestro.walkforward.splitter_text import recorded_splitter
from maestro.walkforward.triggers import OnRegime

CHEAP = ("monte_carlo", "concentration", "kelly")
"""Parts that need the run's tables alone."""
PARTS = (
    *CHEAP, "now", "expected", "regimes", "by_regime", "random_entries", "cpcv", "parameter_permutation", "retiming",
)  # fmt: skip
"""All parts, in the order in which they are measured; `retiming` is for runs with a trigger."""
_DRAWN = 20_000_000
"""Trades drawn in all paths of a Monte Carlo."""


@dataclass(frozen=True)
class Decision:
    """Result of `measure`.

    Attributes
    ----------
    found : dict
        Results by part.
    problems : dict of str
        Why a part has no result, by part.
    training : str
        Length of the training windows of the regimes. For a run with a trigger, model and length are the trigger's.
    """

    found: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    training: str = ""

    def __repr__(self) -> str:
        without = f"; without a result: {', '.join(self.problems)}" if self.problems else ""
        return f"Decision({', '.join(self.found)}{without})"


def measure(
    wf: Any, bars: Bars | None = None, *, parts: Sequence[str] | None = None, strategy: Any = None, seed: int = 0,
    cancel: threading.Event | None = None, progress: Callable[[str], None] | None = None,
) -> Decision:  # fmt: skip
    """Measure the parts of a decision; one that cannot be measured has its reason in `problems`.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        The run's bars; loaded again if not given. Only parts other than `CHEAP` need them.
    parts : names in `PARTS`, optional
        All by default; `retiming` only for a run with a trigger.
    strategy : type of Strategy, optional
        The class, for a run with a user-defined strategy that was loaded from disk.
    seed : int
        Of all draws.
    cancel : threading.Event, optional
        Set it to stop before the next part; `RunCancelled` follows.
    progress : callable, optional
        Called with the name of the part that begins.

    Raises
    ------
    SettingsError
        An unknown part.
    BarsError, RunError
        The bars or the strategy are not those of the run.
    """
    triggered = wf.spec.splitter.kind == "OnRegime"
    wanted = [part for part in PARTS if part != "retiming" or triggered] if parts is None else list(parts)
    wrong = [part for part in wanted if part not in PARTS]
    if wrong:
        raise SettingsError(f"{', '.join(map(repr, wrong))}: not a part of a decision; allowed: {', '.join(PARTS)}.")
    work: dict[str, Callable[[], Any]] = {
        "monte_carlo": lambda: monte_carlo(
            wf, paths=max(500, min(10_000, _DRAWN // max(len(wf.trades), 1))), seed=seed
        ),
        "concentration": lambda: concentration(wf),
        "kelly": lambda: kelly(wf, seed=seed),
    }
    training = ""
    if set(wanted) - set(CHEAP):
        whole = choices_of(wf, bars, strategy).bars
        model, training, refit = _regime_settings(wf, whole, triggered)
        sets = max(2, min(MOST_SETS, MOST_BYTES // (8 * len(whole))))
        work |= {
            "now": lambda: now(wf, whole, strategy=strategy),
            "expected": lambda: expectation(wf, seed=seed),
            "regimes": lambda: regimes(whole, model, train=training, refit=refit),
            "by_regime": lambda: by_regime(wf, model, bars=whole, strategy=strategy, train=training, refit=refit),
            "random_entries": lambda: random_entries(wf, whole, seed=seed),
            "cpcv": lambda: cpcv(wf, whole, strategy=strategy, most=sets, cancel=cancel),
            "parameter_permutation": lambda: parameter_permutation(
                wf, whole, strategy=strategy, most=sets, cancel=cancel
            ),
            "retiming": lambda: retiming(wf, whole, strategy=strategy, seed=seed, cancel=cancel, progress=False),
        }
    result = Decision(training=training)
    for part in wanted:
        if cancel is not None and cancel.is_set():
            raise RunCancelled(f"cancelled before {part} was measured; nothing was changed.")
        if progress is not None:
            progress(part)
        try:
            result.found[part] = work[part]()
        except RunCancelled:
            raise
        except MaestroError as error:
            result.problems[part] = str(error)
    return result


def _regime_settings(wf: Any, bars: Bars, triggered: bool) -> tuple[Regimes | None, str, str]:
    """Model of the regimes, length of its training windows, and between fits; of the run's trigger if it has one."""
    if not triggered:
        return None, *training_lengths(bars)
    trigger = recorded_splitter(wf.spec.splitter)
    assert isinstance(trigger, OnRegime)
    return trigger.model, trigger.train, trigger.max_gap
