"""Comparison of two stores: rows that only one of them has, and rows with different values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from maestro._core.formatting import minute
from maestro.data.stores import SeriesKey, Store
from maestro.data.stores.rows import differences

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class SeriesComparison:
    """One series in two stores.

    Attributes
    ----------
    key : SeriesKey
    rows : tuple of int
        Rows in the first and in the second store.
    only_first, only_second : int
        Rows whose stamp only one of them has.
    different : int
        Rows of both with another value.
    examples : list of str
        The first differences.
    """

    key: SeriesKey
    rows: tuple[int, int]
    only_first: int
    only_second: int
    different: int
    examples: list[str] = field(default_factory=list)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Rows that only the first store has, that only the second has, and that differ."""
        return self.only_first, self.only_second, self.different

    @property
    def equal(self) -> bool:
        """Whether all rows are the same, to the last bit."""
        return not any(self.counts)


def compare(
    first: Store, second: Store, keys: Sequence[SeriesKey] | None = None, start: int | None = None,
    end: int | None = None,
) -> list[SeriesComparison]:  # fmt: skip
    """Compare series row by row.

    Parameters
    ----------
    keys : sequence of SeriesKey, optional
        All series of the first store by default.
    start, end : int [µs], optional
        Stamps from `start` up to and without `end`.
    """
    chosen = [info.key for info in first.series()] if keys is None else list(keys)
    return [_compared(key, first.read(key, start, end), second.read(key, start, end)) for key in chosen]


def _compared(key: SeriesKey, one: pl.DataFrame, other: pl.DataFrame) -> SeriesComparison:
    only_one = one.join(other, on="timestamp", how="anti", maintain_order="left")
    only_other = other.join(one, on="timestamp", how="anti", maintain_order="left")
    left = one.join(other.select("timestamp"), on="timestamp", how="semi", maintain_order="left")
    right = other.join(one.select("timestamp"), on="timestamp", how="semi", maintain_order="left")
    names = [name for name in dict.fromkeys((*one.columns, *other.columns)) if name != "timestamp"]
    marks = differences(left, right, names)
    examples = [f"{_at(only_one, row)} is in the first only" for row in range(min(len(only_one), _EXAMPLES))]
    examples += [f"{_at(only_other, row)} is in the second only" for row in range(min(len(only_other), _EXAMPLES))]
    for row in marks.arg_true().to_list()[:_EXAMPLES]:
        counts_in_words = [
            f"{name} {a!r} and {b!r}"
            for name in names
            if (a := _value(left, name, row)) != (b := _value(right, name, row))
        ]
        examples.append(f"{_at(left, row)}: {', '.join(counts_in_words)}")
    return SeriesComparison(key, (len(one), len(other)), len(only_one), len(only_other), int(marks.sum()), examples)


def _at(rows: pl.DataFrame, row: int) -> str:
    return minute(int(rows["timestamp"].to_physical()[row]))


def _value(rows: pl.DataFrame, name: str, row: int) -> float | None:
    return rows[name][row] if name in rows.columns else None
