"""Test windows that end when the market's regime changes, between a shortest and a longest gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from maestro.bars import Bars
from maestro.data.durations import duration_unit, offset
from maestro.data.timeframes import timeframe_us
from maestro.errors import SettingsError, SplitError
from maestro.regime import UNKNOWN, Regimes, most_probable
from maestro.walkforward.splitters import SHORTEST, Window

_REASONS = {
    "regime": "a change of regime", "longest gap": "the longest gap", "end of the bars": "the end of the bars",
}  # fmt: skip


@dataclass(frozen=True)
class Cut:
    """One fold of a triggered walk-forward, and the reason why its test window ends.

    Attributes
    ----------
    window : Window
    reason : {"regime", "longest gap", "end of the bars"}
    decided : int
        Index of the bar at whose close the end was decided; the window ends one bar later.
    state : int
        State at the beginning of the test window.
    new_state : int
        State that ended it, -1 for another reason.
    probability : float
        Filtered probability of `new_state` at the bar of the decision, NaN for another reason.
    fit : dict
        Training window and parameters of the model, as plain values.
    """

    window: Window
    reason: str
    decided: int
    state: int
    new_state: int
    probability: float
    fit: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a run's manifest; new_state and probability are None unless the regime changed."""
        changed = self.reason == "regime"
        return {
            **asdict(self), "window": list(self.window), "new_state": self.new_state if changed else None,
            "probability": self.probability if changed else None,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OnRegime:
    """Re-optimise when the regime changes.

    In each fold the model is fitted on the training window and filtered over the bars that follow. The test window
    ends when another state than the one it began in has had a probability of at least `p` for `confirm` bars, but not
    before `min_gap`, and at the latest at `max_gap`. The decision uses bars up to its own close; the window ends one
    bar later, so that nothing is filled at the close that decided it.

    Compare such a run with `ms.validation.retiming`: the same number of re-optimisations at random times. In Maestro's
    own benchmark, a trigger showed no gain over regular intervals.

    Parameters
    ----------
    model : Regimes
    train : str
        Length of each training window: ``"6mo"``, ``"2w"``, ``"90d"``.
    p : float
        Probability in (0.5, 1].
    confirm : int
        Bars in a row.
    min_gap, max_gap : str
        Shortest and longest length of a test window.
    """

    model: Regimes = field(default_factory=Regimes)
    train: str = "6mo"
    p: float = 0.9
    confirm: int = 3
    min_gap: str = "2w"
    max_gap: str = "3mo"

    event_stops = True
    """The end of a test window may depend on the bars inside it; `boundary_audit` checks it accordingly."""

    def __post_init__(self) -> None:
        if not isinstance(self.model, Regimes):
            raise SplitError(f"OnRegime: model={self.model!r} is not a regime model; give ms.Regimes(...).")
        for name in ("train", "min_gap", "max_gap"):
            if duration_unit(getattr(self, name)) is None:
                raise SplitError(
                    f"OnRegime: {name}={getattr(self, name)!r} is not a length; give one like '6mo', '2w' or '90d'."
                )
        if isinstance(self.p, bool) or not isinstance(self.p, (int, float)) or not 0.5 < self.p <= 1:
            raise SplitError(f"OnRegime: p={self.p!r} is not a probability above 0.5 and at most 1.")
        if isinstance(self.confirm, bool) or not isinstance(self.confirm, int) or self.confirm < 1:
            raise SplitError(f"OnRegime: confirm={self.confirm!r} is not a whole number of at least 1.")
        if offset(0, self.min_gap) > offset(0, self.max_gap):
            raise SplitError(f"OnRegime: min_gap={self.min_gap!r} is longer than max_gap={self.max_gap!r}.")

    def split(self, bars: Bars) -> list[Window]:
        """Return the windows; `SplitError` where none fits."""
        return [cut.window for cut in self.cuts(bars)]

    def cuts(self, bars: Bars) -> list[Cut]:
        """Return the folds with the reason of each cut.

        Raises
        ------
        SplitError
            The bars are not longer than a training window and the shortest gap, or the model cannot be fitted.
        """
        found = list(bars.cached(("cuts", self), lambda: tuple(self._walk(bars))))
        if not found:
            raise SplitError(
                f"OnRegime(train={self.train!r}, min_gap={self.min_gap!r}) finds no fold between {bars.start} and "
                f"{bars.end}; give more bars or shorter lengths."
            )
        return found

    def notes(self, bars: Bars) -> list[str]:
        """How many test windows ended for which reason, and what to compare the run with."""
        cuts = self.cuts(bars)
        counts = [(reason, sum(cut.reason == reason for cut in cuts)) for reason in _REASONS]
        ends = ", ".join(f"{count} by {_REASONS[reason]}" for reason, count in counts if count)
        return [
            f"Test windows ended: {ends}. In our measurements re-optimising when the regime changes did not pay; "
            "ms.validation.retiming(wf) repeats the run with as many re-optimisations on the calendar and at random "
            "times."
        ]

    def _walk(self, bars: Bars) -> Iterator[Cut]:
        end = int(bars.time[-1]) + timeframe_us(bars.timeframe)
        start = int(np.searchsorted(bars.time, offset(int(bars.time[0]), self.train)))
        while start < len(bars) and offset(int(bars.time[start]), self.min_gap) <= end:
            opened = int(bars.time[start])
            begin = int(np.searchsorted(bars.time, offset(opened, f"-{self.train}")))
            earliest, latest = (
                int(np.searchsorted(bars.time, offset(opened, g))) for g in (self.min_gap, self.max_gap)
            )
            last = min(latest, len(bars))
            training = bars[begin:start]
            try:
                fit = self.model.fit(training)
            except SettingsError as error:
                raise SplitError(
                    f"OnRegime: the training window from {training.start} cannot be fitted: {error}"
                ) from error
            probabilities = fit.probabilities(bars[begin:last])[start - begin :]
            state = int(most_probable(fit.probabilities(training)[-1:])[0])
            decided = self._change(probabilities, state, earliest - start)
            if decided is not None and start + decided + 2 <= last:
                at, stop, reason = start + decided, start + decided + 2, "regime"
                new = int(probabilities[decided].argmax())
                share = float(probabilities[decided, new])
            else:
                stop = last
                at, new, share = stop - 1, UNKNOWN, float("nan")
                reason = (
                    "longest gap" if latest < len(bars) or offset(opened, self.max_gap) <= end else "end of the bars"
                )
            if stop - start < SHORTEST or start - begin < SHORTEST:
                return
            yield Cut(Window(begin, start, start, stop), reason, at, state, new, share, fit.to_dict())
            start = stop

    def _change(self, probabilities: Any, state: int, earliest: int) -> int | None:
        """Row at which another state is confirmed and the shortest gap is over; None if there is none."""
        other = probabilities >= self.p
        if state != UNKNOWN:
            other[:, state] = False
        winner = np.where(other.any(axis=1), other.argmax(axis=1), UNKNOWN)
        run = 0
        for row, now in enumerate(winner):
            run = run + 1 if now != UNKNOWN and row and now == winner[row - 1] else int(now != UNKNOWN)
            if run >= self.confirm and row + 2 >= earliest:
                return row
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, with the kind of splitter."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "model"}
        return {"kind": "OnRegime", **own, "model": self.model.to_dict()}
