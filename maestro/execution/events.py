"""Events of a walk-forward that its listeners get, and a progress bar as a listener."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from maestro.errors import SettingsError
from maestro.typing import FloatArray


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run begins; `done` of its `folds` are stored already."""

    id: str
    name: str
    folds: int
    trials: int
    done: int = 0


@dataclass(frozen=True, slots=True)
class TrialDone:
    """A trial of a fold is finished. Folds in local processes send none before they are finished."""

    fold: int
    number: int
    state: str


@dataclass(frozen=True, slots=True)
class TrialsEvaluated:
    """Trials were evaluated, whether or not anything comes of them; sent before any result of them is stored.

    Attributes
    ----------
    trials : int
        Trials that gave metrics; failed and infeasible ones are not among them.
    sharpe_ratios : float64
        Annualised, of these trials; NaN or absent where undefined.
    fold : int or None
    state : {"done", "failed", "interrupted"}
    """

    trials: int
    sharpe_ratios: FloatArray = field(compare=False)
    fold: int | None = None
    state: str = "done"


@dataclass(frozen=True, slots=True)
class FoldDone:
    """A fold is finished, or failed with `error`."""

    fold: int
    trials: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RunDone:
    """All folds are finished, and the result is stored; a run that was loaded sends this event alone.

    Attributes
    ----------
    result : object or None
        What the call returns.
    """

    id: str
    seconds: float
    result: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RunStopped:
    """The run ended early: cancelled, or failed with `error`."""

    id: str
    done: int
    error: str


Event: TypeAlias = RunStarted | TrialDone | TrialsEvaluated | FoldDone | RunDone | RunStopped
Listener: TypeAlias = Callable[[Event], None]


def bar_options(progress: Any) -> dict[str, Any] | None:
    """Options of the progress bar that `progress` asks for, None without one.

    True asks for a bar. None asks for one in a notebook, and only for work that takes longer than a second.
    """
    if progress is True:
        return {}
    shell = sys.modules["IPython"].get_ipython() if progress is None and "IPython" in sys.modules else None
    return {"delay": 1.0} if type(shell).__name__ == "ZMQInteractiveShell" else None


class ProgressBar:
    """A bar of trials with rate and time left, on stderr in a terminal and as a widget in a notebook."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._bar: Any = None
        self._trials: dict[int, int] = {}

    def __call__(self, event: Event) -> None:
        """Listen."""
        if isinstance(event, RunStarted):
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=event.folds * event.trials, initial=event.done * event.trials, desc=event.name, unit="trial",
                dynamic_ncols=True, **self._options,
            )  # fmt: skip
            self._each = event.trials
        elif self._bar is None:
            return
        elif isinstance(event, TrialDone):
            self._trials[event.fold] = self._trials.get(event.fold, 0) + 1
            self._bar.update()
        elif isinstance(event, FoldDone):
            self._bar.update(max(self._each - self._trials.get(event.fold, 0), 0))
        elif isinstance(event, (RunDone, RunStopped)):
            self._bar.close()


def asked_for(progress: Any, what: str = "an event") -> tuple[dict[str, Any] | None, list[Callable[[Any], None]]]:
    """Return the options of the bar that `progress` asks for, None without one, and the functions that listen.

    Parameters
    ----------
    progress : bool, callable, None, or an iterable of booleans and callables
        In an iterable, True asks for a bar beside the functions.
    what : str
        What the functions take, for the message.

    Raises
    ------
    SettingsError
        Anything else.
    """
    single = progress is None or isinstance(progress, bool) or callable(progress)
    if not single and (isinstance(progress, str) or not isinstance(progress, Iterable)):
        raise _no_progress(progress, what)
    every = [progress] if single else list(progress)
    for one in every:
        if not (callable(one) or isinstance(one, bool) or (single and one is None)):
            raise _no_progress(progress, what)
    options = bar_options(progress if single else any(one is True for one in every))
    return options, [one for one in every if callable(one)]


def _no_progress(progress: Any, what: str) -> SettingsError:
    return SettingsError(f"progress={progress!r}; give True, False, a function of {what}, or a list of these.")


def listeners_of(progress: bool | Listener | Sequence[bool | Listener] | None) -> list[Listener]:
    """Return the listeners that `progress` asks for, a bar among them; errors as of `asked_for`."""
    options, listeners = asked_for(progress)
    return listeners if options is None else [ProgressBar(**options), *listeners]
