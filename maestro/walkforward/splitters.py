"""Splitters: pairs of a training and a test window, as bar indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from maestro._core.formatting import plural
from maestro.bars import Bars
from maestro.data.durations import duration_unit, offset, truncate
from maestro.data.timeframes import as_datetime, timeframe_us
from maestro.errors import SplitError

SHORTEST = 2
"""Bars that a window has at least."""


class Window(NamedTuple):
    """Half-open index ranges of one fold: train [train_start, train_stop), test [test_start, test_stop)."""

    train_start: int
    train_stop: int
    test_start: int
    test_stop: int

    @property
    def tested(self) -> tuple[int, int]:
        """Begin and end of the test window in its `history`."""
        return self.test_start - self.train_start, self.test_stop - self.train_start

    def history(self, bars: Bars) -> Bars:
        """Return the bars from the start of the training window to the end of the test window."""
        return bars[self.train_start : self.test_stop]

    def training(self, bars: Bars) -> Bars:
        """Return the bars of the training window."""
        return bars[self.train_start : self.train_stop]


class Splitter(Protocol):
    """Splits bars into folds; may depend only on timestamps, and on prices before each fold's test window.

    A splitter that leaves windows out may also have ``notes(bars)``, sentences that become notes of the result.
    """

    def split(self, bars: Bars) -> list[Window]:
        """Return the windows in order of time, or raise `SplitError`."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that say how the bars are cut."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Gap:
    """Bars left out between a training and its test window.

    `purge` bars are dropped from the end of the training window, `embargo` bars from the beginning of the test
    window; signals still see them as history.
    """

    purge: int = 0
    embargo: int = 0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            low = 0 if name in ("purge", "embargo") else 1
            if name in _WHOLE and (isinstance(value, bool) or not isinstance(value, int) or value < low):
                raise SplitError(f"{type(self).__name__}: {name}={value!r} is not a whole number of at least {low}.")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, with the kind of splitter."""
        return {"kind": type(self).__name__, **asdict(self)}

    def _windows(self, bounds: Sequence[tuple[int, int, int]], n: int) -> list[Window]:
        """Turn (train start, test start, test stop) into windows with the gaps taken out."""
        name = type(self).__name__
        if not bounds:
            raise SplitError(f"{name} finds no fold in {n} bars; give more bars, fewer splits or shorter windows.")
        windows = [Window(a, b - self.purge, b + self.embargo, c) for a, b, c in bounds]
        for k, w in enumerate(windows):
            train, test = w.train_stop - w.train_start, w.test_stop - w.test_start
            if train < SHORTEST or test < SHORTEST:
                raise SplitError(
                    f"{name}: fold {k} of {n} bars would have {max(train, 0)} training and {max(test, 0)} test bars "
                    f"(purge {self.purge}, embargo {self.embargo}); at least {SHORTEST} of each are needed: "
                    "give more bars, fewer splits or smaller gaps."
                )
        return windows


_WHOLE = ("n_splits", "train_folds", "test_folds", "purge", "embargo")


@dataclass(frozen=True)
class Rolling(_Gap):
    """Windows of fixed length that advance by one fold, with the arithmetic of the 2020 system.

    The bars are divided into ``n_splits + 1`` folds; a training window takes `train_folds` of them, a test window
    `test_folds`, which gives ``n_splits + 2 - train_folds - test_folds`` splits: (10, 2, 1) gives 9. Bars that do
    not divide go to the first training window.
    """

    n_splits: int = 10
    train_folds: int = 2
    test_folds: int = 1

    def split(self, bars: Bars) -> list[Window]:
        """Return the windows; `SplitError` where there is none."""
        n = len(bars)
        count = self.n_splits + 1
        size, rest = divmod(n, count)
        if size == 0 or self.train_folds + self.test_folds > count:
            raise SplitError(
                f"Rolling({self.n_splits}, {self.train_folds}, {self.test_folds}) cuts {n} bars into {count} folds of "
                f"{size}; that leaves no split of {self.train_folds} + {self.test_folds} folds: "
                "give more bars or fewer splits."
            )
        train, test = size * self.train_folds, size * self.test_folds
        starts = range(train + rest, n - (test - size), size)
        return self._windows(
            [(start - train - (rest if k == 0 else 0), start, start + test) for k, start in enumerate(starts)], n
        )


@dataclass(frozen=True)
class Expanding(_Gap):
    """Training from the first bar on, `n_splits` test windows of equal length one after the other."""

    n_splits: int = 10

    def split(self, bars: Bars) -> list[Window]:
        """Return exactly `n_splits` windows; `SplitError` where the bars do not suffice."""
        n = len(bars)
        size = n // (self.n_splits + 1)
        first = n - size * self.n_splits
        bounds = [(0, first + k * size, first + (k + 1) * size) for k in range(self.n_splits)]
        return self._windows(bounds if size else [], n)


@dataclass(frozen=True)
class Adaptive(_Gap):
    """`n_splits` test windows of equal length, each with a training length set by volatility.

    The base length is `train_folds` test lengths. It is multiplied by the volatility of all returns before the test
    window over that of the last test length before it, limited to `shortest` and `longest`: distant bars
    count less while volatility is higher than before. Only bars before a test window affect its training length.
    """

    n_splits: int = 10
    train_folds: int = 2
    shortest: float = 0.5
    longest: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers = all(isinstance(value, (int, float)) for value in (self.shortest, self.longest))
        if not numbers or not 0 < self.shortest <= self.longest < math.inf:
            raise SplitError(
                f"Adaptive: shortest={self.shortest!r}, longest={self.longest!r}; give 0 < shortest <= longest."
            )

    def split(self, bars: Bars) -> list[Window]:
        """Return exactly `n_splits` windows; `SplitError` where the bars do not suffice."""
        n = len(bars)
        size = n // (self.n_splits + math.ceil(self.train_folds * self.longest))
        bounds = []
        for k in range(self.n_splits if size else 0):
            start = n - size * (self.n_splits - k)
            returns = np.diff(np.log(bars.close[:start]))
            recent = float(returns[-size:].std())
            ratio = float(returns.std()) / recent if recent > 0 else self.longest
            length = round(self.train_folds * size * min(max(ratio, self.shortest), self.longest))
            bounds.append((max(start - length, 0), start, start + size))
        return self._windows(bounds, n)


@dataclass(frozen=True)
class Calendar(_Gap):
    """Windows by the calendar, UTC: ``Calendar(train="6mo", test="1mo")``.

    Lengths are whole numbers of h, d, w, mo, q or y. Test windows begin on the calendar's own boundaries of the
    test length's unit (the first of a month, a Monday, midnight), every `step` (the test length if not given), the
    first one as early as a whole training window before it allows. A last window that the bars do not cover whole
    is left out, and so is one with fewer than two bars to train or test on (a market that was closed); `notes`
    names the dates of those.
    """

    train: str = "6mo"
    test: str = "1mo"
    step: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("train", "test", "step"):
            text = getattr(self, name)
            if duration_unit(text) is None and not (name == "step" and text is None):
                raise SplitError(
                    f"Calendar: {name}={text!r} is not understood; give a length like '6mo', '2w' or '90d'."
                )

    def split(self, bars: Bars) -> list[Window]:
        """Return the windows; `SplitError` where a length is not understood or none fits."""
        whole = self._bounds(bars)
        bounds = [bound for bound in whole if self._fits(bound)]
        if not bounds:
            raise SplitError(
                f"Calendar(train={self.train!r}, test={self.test!r}) finds no whole window between {bars.start} and "
                f"{bars.end}{f' with at least {SHORTEST} bars' if whole else ''}; give more bars or other lengths."
            )
        return self._windows(bounds, len(bars))

    def notes(self, bars: Bars) -> list[str]:
        """Name the test windows that were left out because they hold too few bars."""
        thin = [stamp for bound, stamp in zip(self._bounds(bars), self._starts(bars), strict=True)
                if not self._fits(bound)]  # fmt: skip
        if not thin:
            return []
        dates = ", ".join(f"{as_datetime(stamp):%Y-%m-%d}" for stamp in thin[:5])
        more = f" and {len(thin) - 5} more" if len(thin) > 5 else ""
        return [
            f"{plural(len(thin), 'test window')} of {self.test} left out, with fewer than {SHORTEST} bars to train or "
            f"test on: from {dates}{more}."
        ]

    def _fits(self, bound: tuple[int, int, int]) -> bool:
        first, start, stop = bound
        return start - self.purge - first >= SHORTEST and stop - start - self.embargo >= SHORTEST

    def _bounds(self, bars: Bars) -> list[tuple[int, int, int]]:
        """Training start, test start and test stop of every window that the bars cover whole."""
        starts = self._starts(bars)
        edges = [(offset(start, f"-{self.train}"), start, offset(start, self.test)) for start in starts]
        found = np.searchsorted(bars.time, np.array(edges, np.int64).reshape(-1, 3))
        return [(int(a), int(b), int(c)) for a, b, c in found]

    def _starts(self, bars: Bars) -> list[int]:
        """Begin of each whole test window [µs]."""
        unit = f"1{duration_unit(self.test)}"
        first, last = int(bars.time[0]), int(bars.time[-1]) + timeframe_us(bars.timeframe)
        begin = truncate(first, unit)
        start = offset(begin if begin == first else offset(begin, unit), self.train)
        if truncate(start, unit) != start:  # a training length that is not a multiple of the test's unit
            start = offset(truncate(start, unit), unit)
        starts = []
        while offset(start, self.test) <= last:
            starts.append(start)
            start = offset(start, self.step or self.test)
        return starts


def checked(windows: Sequence[Any], n: int) -> list[Window]:
    """Check that the windows of a splitter, built in or user-defined, are what folds need.

    Raises
    ------
    SplitError
        No window, an invalid window, or one that tests before it has trained.
    """
    if not windows:
        raise SplitError(f"the splitter gives no fold for {n} bars; give more bars or shorter windows.")
    for k, w in enumerate(windows):
        if not isinstance(w, Sequence) or len(w) != 4 or not all(isinstance(edge, (int, np.integer)) for edge in w):
            raise SplitError(
                f"fold {k} is {w!r}; a splitter returns four whole numbers per fold: "
                "(train_start, train_stop, test_start, test_stop)."
            )
        if not 0 <= w[0] < w[1] <= w[2] < w[3] <= n:
            raise SplitError(
                f"fold {k} is {tuple(w)} of {n} bars; training must come before testing: "
                "0 <= train_start < train_stop <= test_start < test_stop <= number of bars."
            )
    return [Window(*map(int, w)) for w in windows]
