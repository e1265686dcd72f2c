"""Joint permutation of the returns of several series, which preserves their correlation."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from maestro.bars import Bars
from maestro.errors import SettingsError
from maestro.typing import IntArray
from maestro.validation.statistics.permutation import drawn_order, reordered_bars

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class JointOrder:
    """Timestamps of several series, in classes within which bars may be exchanged.

    All stamps of a class are stamps of the same series: if a bar of one series moves from Monday to Friday, so does
    that of every other series that trades on both. The first stamp of each series stays where it is.

    Attributes
    ----------
    rows : dict of int64 arrays
        Position of each series' bars among all timestamps.
    classes : tuple of int64 arrays
        Positions that may be exchanged, ascending in each class.
    stamps : int
    """

    rows: dict[Any, IntArray]
    classes: tuple[IntArray, ...]
    stamps: int

    @property
    def fixed(self) -> float:
        """Share of the stamps that stay where they are: no other stamp has the same series."""
        return 1.0 - sum(len(one) for one in self.classes) / self.stamps

    def source(self, rng: np.random.Generator, block: int = 1) -> IntArray:
        """For each stamp, the stamp whose bars are put there."""
        out = np.arange(self.stamps)
        for places in self.classes:
            out[places] = places[drawn_order(len(places), block, rng)]
        return out

    def of(self, key: Any, source: IntArray) -> IntArray:
        """The order of one series, as `reordered_bars` takes it."""
        rows = self.rows[key]
        found: IntArray = np.searchsorted(rows, source[rows])[1:]
        return found


def joint_order(series: Mapping[Key, Bars]) -> JointOrder:
    """Sort the stamps of several series of one timeframe into classes."""
    stamps: IntArray = np.unique(np.concatenate([bars.time for bars in series.values()]))
    rows = {key: np.searchsorted(stamps, bars.time) for key, bars in series.items()}
    label = np.zeros(len(stamps), np.int64)
    for place in rows.values():
        inside = np.zeros(len(stamps), np.int64)
        inside[place] = 1
        label = np.unique(2 * label + inside, return_inverse=True)[1].astype(np.int64)
    label[[int(place[0]) for place in rows.values()]] = -1
    order = np.argsort(label, kind="stable")
    edges = np.flatnonzero(np.diff(label[order])) + 1
    classes = [part for part in np.split(order, edges) if label[part[0]] >= 0 and len(part) > 1]
    return JointOrder(rows, tuple(classes), len(stamps))


def joint_orders(series: Mapping[Key, Bars], timeframe: Mapping[Key, str]) -> dict[str, JointOrder]:
    """Joint orders by timeframe.

    Raises
    ------
    SettingsError
        Most stamps of a timeframe would stay where they are.
    """
    found = {}
    for name in sorted(set(timeframe.values())):
        one = joint_order({key: bars for key, bars in series.items() if timeframe[key] == name})
        if one.fixed > 0.5:
            raise SettingsError(
                f"{one.fixed:.0%} of the stamps of the series of {name or 'one timeframe'} would stay where they are, "
                "because few timestamps have the same series. Permute the series one by one with "
                "ms.validation.permutation_test, or leave out series with many gaps."
            )
        found[name] = one
    return found


def jointly_permuted(
    series: Mapping[Key, Bars],
    orders: Mapping[str, JointOrder],
    timeframe: Mapping[Key, str],
    seed: Any,
    block: int = 1,
) -> Iterator[tuple[Key, Bars]]:
    """Yield each series with its returns permuted, jointly for all series of a timeframe.

    Each timeframe is drawn from the same seed by itself, so that one series comes out the same whichever others of
    another timeframe there are.
    """
    sources = {name: order.source(np.random.default_rng(seed), block) for name, order in orders.items()}
    for key, bars in series.items():
        name = timeframe[key]
        yield key, reordered_bars(bars, orders[name].of(key, sources[name]))
