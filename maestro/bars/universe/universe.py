"""Universe: bars of many symbols, aligned by timestamp, with the anomalies of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from maestro._core.markup import RIGHT, html, joined, table
from maestro._core.quiet import ignored
from maestro.bars.bars import Bars, BarsWarning
from maestro.bars.moments import as_us
from maestro.bars.universe.membership import Span
from maestro.data.timeframes import bar_ends, timeframe_us
from maestro.errors import BarsError, SettingsError, nearest
from maestro.typing import FloatArray, IntArray

_STAMP = pl.Datetime("us", "UTC")
_ALIGNABLE = ("open", "high", "low", "close", "volume")


class Universe(Mapping[str, Bars]):
    """Bars of many symbols; made by `ms.universe`.

    A mapping from symbol to `Bars`, in the order of the symbols' names, so that no result depends on the order in
    which series were read.

    Attributes
    ----------
    symbols : tuple of str
        Those that have bars.
    errors : dict
        Symbols that cannot be used, and why. They appear in `quality()` and as rows of `walk_forward_many`.
    membership : dict
        From symbol to (listed, delisted) [µs since 1970, UTC], where it was given.
    notes : tuple of str
        What a reader must know of the choice of symbols.
    """

    def __init__(
        self, series: Mapping[str, Bars], *, errors: Mapping[str, str] | None = None,
        membership: Mapping[str, Span] | None = None,
    ) -> None:  # fmt: skip
        """Take series as they are; use `ms.universe`."""
        self._series = {symbol: series[symbol] for symbol in sorted(series)}
        self.errors: dict[str, str] = dict(sorted((errors or {}).items()))
        self.membership: dict[str, Span] = dict(sorted((membership or {}).items()))

    # -- a mapping --------------------------------------------------------------------------

    def __getitem__(self, symbol: str) -> Bars:
        if symbol in self._series:
            return self._series[symbol]
        if symbol in self.errors:
            raise BarsError(f"{symbol} has no usable bars: {self.errors[symbol]}")
        raise KeyError(f"no symbol {symbol!r} in the universe.{nearest(str(symbol), self._series)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that have bars."""
        return tuple(self._series)

    # -- what it is -------------------------------------------------------------------------

    @property
    def timeframes(self) -> tuple[str, ...]:
        """Timeframes of the series, the shortest first; usually one."""
        return tuple(sorted({bars.timeframe for bars in self.values()}, key=timeframe_us))

    @property
    def start(self) -> Any:
        """Open of the first bar of any symbol."""
        return min(bars.start for bars in self.values())

    @property
    def end(self) -> Any:
        """Open of the last bar of any symbol."""
        return max(bars.end for bars in self.values())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the symbols and the fingerprints of their bars."""
        parts = "\n".join(f"{symbol} {bars.fingerprint}" for symbol, bars in self.items())
        return hashlib.sha256(f"universe1\n{parts}".encode()).hexdigest()

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the choice of symbols."""
        sentences = []
        if len(self) > 1 and not self.membership and self._all_alive():
            sentences.append(
                "Every series runs to the end: if the symbols were chosen today, those that were delisted are missing, "
                "and results are too good. Give delisted symbols too, and membership=."
            )
        if len(self.timeframes) > 1:
            sentences.append(f"The series have {len(self.timeframes)} timeframes: {', '.join(self.timeframes)}.")
        if self.errors:
            sentences.append(
                f"{len(self.errors)} of {len(self) + len(self.errors)} symbols are unusable: {', '.join(self.errors)}."
            )
        return tuple(sentences)

    def _all_alive(self) -> bool:
        """Whether no series ends more than a hundredth of the whole span before the last one."""
        begin = min(int(bars.time[0]) for bars in self.values())
        ends = [int(bars.time[-1]) for bars in self.values()]
        return min(ends) >= max(ends) - (max(ends) - begin) / 100

    def members(self, at: str | date) -> tuple[str, ...]:
        """Symbols that are members at a moment: listed, not delisted, with bars on both sides of it."""
        moment = as_us(at)
        found = []
        for symbol, bars in self.items():
            listed, delisted = self.membership.get(symbol, Span())
            first = int(bars.time[0]) if listed is None else max(listed, int(bars.time[0]))
            last = int(bar_ends(bars.time[-1:], bars.timeframe)[0])
            if first <= moment < (last if delisted is None else min(delisted, last)):
                found.append(symbol)
        return tuple(found)

    @property
    def time(self) -> IntArray:
        """All stamps at which a bar of any symbol opens, ascending [µs since 1970, UTC]."""
        stamps: IntArray = np.unique(np.concatenate([bars.time for bars in self.values()]))
        return stamps

    def matrix(self, column: str = "close") -> FloatArray:
        """Values of a column, float64[stamps of `time`, symbols]; NaN where a symbol has no bar."""
        if column not in _ALIGNABLE:
            raise SettingsError(
                f"no column {column!r}; there are: {', '.join(_ALIGNABLE)}.{nearest(column, _ALIGNABLE)}"
            )
        time = self.time
        out = np.full((len(time), len(self)), np.nan)
        for place, bars in enumerate(self.values()):
            out[np.searchsorted(time, bars.time), place] = getattr(bars, column)
        return out

    def align(self, column: str = "close", *, how: str = "outer") -> pl.DataFrame:
        """One column of all symbols side by side, aligned by stamp: timestamp, then one column per symbol.

        Parameters
        ----------
        column : {"open", "high", "low", "close", "volume"}
        how : {"outer", "inner"}
            All stamps, null where a symbol has no bar there; or only the stamps that all symbols have.
        """
        if how not in ("outer", "inner"):
            raise SettingsError(f"how={how!r} is unknown; allowed: outer, inner.")
        values = self.matrix(column)
        frame = pl.DataFrame(
            {
                "timestamp": pl.Series(self.time).cast(_STAMP),
                **{symbol: pl.Series(values[:, place]).fill_nan(None) for place, symbol in enumerate(self)},
            }
        )
        return frame.drop_nulls() if how == "inner" else frame

    def quality(self) -> pl.DataFrame:
        """One row per symbol: what the series is, what is odd in it, and why it cannot be used, if so.

        Columns symbol, name, timeframe, bars, start, end, listed, delisted, bars_per_year, fatal, warnings (numbers of
        findings), findings (in words), error.
        """
        rows: list[dict[str, Any]] = []
        for symbol, bars in self.items():
            report, span = bars.quality(), self.membership.get(symbol, Span())
            serious = [f for f in report.findings if f.severity != "info"]
            rows.append(
                {
                    "symbol": symbol, "name": bars.name, "timeframe": bars.timeframe, "bars": len(bars),
                    "start": int(bars.time[0]), "end": int(bars.time[-1]), "listed": span.listed,
                    "delisted": span.delisted, "bars_per_year": bars.periods_per_year,
                    "fatal": sum(f.severity == "fatal" for f in serious),
                    "warnings": sum(f.severity == "warning" for f in serious),
                    "findings": "; ".join(f"{f.check}: {f.examples}" for f in serious) or None,
                }
            )  # fmt: skip
        rows += [{"symbol": symbol, "error": why} for symbol, why in self.errors.items()]
        schema: dict[str, Any] = {
            "symbol": pl.String, "name": pl.String, "timeframe": pl.String, "bars": pl.Int64, "start": pl.Int64,
            "end": pl.Int64, "listed": pl.Int64, "delisted": pl.Int64, "bars_per_year": pl.Float64, "fatal": pl.Int64,
            "warnings": pl.Int64, "findings": pl.String, "error": pl.String,
        }  # fmt: skip
        frame = pl.DataFrame(rows, schema=schema)
        return frame.with_columns(pl.col("start", "end", "listed", "delisted").cast(_STAMP)).sort("symbol")

    # -- parts of it ------------------------------------------------------------------------

    def select(self, symbols: Sequence[str]) -> Universe:
        """Only these symbols."""
        unknown = [symbol for symbol in symbols if symbol not in self._series and symbol not in self.errors]
        if unknown:
            raise SettingsError(
                f"no symbol {unknown[0]!r} in the universe; there are: {', '.join(self.symbols[:8])}."
                + nearest(str(unknown[0]), self._series)
            )
        return self._like(
            {symbol: bars for symbol, bars in self.items() if symbol in symbols},
            {symbol: why for symbol, why in self.errors.items() if symbol in symbols},
        )

    def between(self, start: str | date | None = None, end: str | date | None = None) -> Universe:
        """Bars that open at or after `start` and before `end`; a symbol without any becomes an error."""
        return self._each(lambda bars: bars.between(start, end))

    def resample(self, timeframe: str) -> Universe:
        """Bars of a longer timeframe; a symbol that does not cover one whole bar becomes an error of the universe."""

        def longer(bars: Bars) -> Bars:
            if bars.timeframe == timeframe:
                return bars
            with ignored(BarsWarning):  # what is left out stays in the notes of the bars
                return bars.resample(timeframe)

        return self._each(longer)

    def _each(self, change: Any) -> Universe:
        series, errors = {}, dict(self.errors)
        for symbol, bars in self.items():
            try:
                series[symbol] = change(bars)
            except BarsError as error:
                errors[symbol] = str(error)
        return self._like(series, errors)

    def _like(self, series: dict[str, Bars], errors: dict[str, str]) -> Universe:
        if not series:
            raise BarsError(
                f"no symbol has bars left; the first reason: {next(iter(errors.values()), 'none was named')}"
            )
        return Universe(series, errors=errors, membership={s: v for s, v in self.membership.items() if s in series})

    def __repr__(self) -> str:
        failed = f", {len(self.errors)} unusable" if self.errors else ""
        noted = f" ({'; '.join(self.notes)})" if self.notes else ""
        return (
            f"Universe({len(self):,} symbols{failed}, {', '.join(self.timeframes)}, "
            f"{sum(map(len, self.values())):,} bars, {self.start:%Y-%m-%d} to {self.end:%Y-%m-%d} UTC){noted}"
        )

    def _repr_html_(self) -> str:
        """Title, notes and one row per symbol, for a notebook."""
        shown = [
            (symbol, bars.timeframe, f"{len(bars):,}", f"{bars.start:%Y-%m-%d}", f"{bars.end:%Y-%m-%d}", "")
            for symbol, bars in list(self.items())[:20]
        ]
        shown += [(symbol, "", "", "", "", why) for symbol, why in list(self.errors.items())[:20]]
        title = html(
            "<div><b>Universe</b> · {} symbols · {} · {} to {} UTC</div>", f"{len(self):,}", ", ".join(self.timeframes),
            f"{self.start:%Y-%m-%d}", f"{self.end:%Y-%m-%d}",
        )  # fmt: skip
        more = len(self) - 20
        end = html("<div>and {} more; universe.quality() lists all</div>", f"{more:,}") if more > 0 else html("")
        noted = joined("<div style='opacity:.75'>{}</div>", self.notes)
        head = ("symbol", "timeframe", "bars", "first", "last", "error")
        return str(title + noted + table(head, shown, ("", "", RIGHT)) + end)
