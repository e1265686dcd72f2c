"""Bars: one symbol's validated OHLCV in one timeframe, columnar, UTC, sliced without copies."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Hashable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import polars as pl

from maestro._core.formatting import moment
from maestro.bars.calendar import MarketCalendar, given_calendar, infer_calendar
from maestro.bars.dates import calendar_dates
from maestro.bars.display import bars_html
from maestro.bars.moments import as_us, range_text
from maestro.bars.others import aligned_higher, aligned_other, cut_others, named_other
from maestro.bars.quality import Quality, assess
from maestro.bars.resampling import resampled_calendar, resampled_columns
from maestro.data.files.frames import to_polars
from maestro.data.files.names import OPTIONAL, PRICES
from maestro.data.files.options import ReadOptions
from maestro.data.files.reading import read_frame
from maestro.data.files.rules import check_distance
from maestro.data.timeframes import (
    as_datetime,
    infer_timeframe,
    timeframe_name,
    timeframe_us,
)
from maestro.errors import BarsError, SettingsError
from maestro.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from maestro.bars.aligned import AlignedBars

T = TypeVar("T")
_COLUMNS = (*PRICES, "volume", *OPTIONAL)
METADATA = "maestro"
"""Key of a Parquet file's metadata that says what bars it holds."""
_ABOUT = ("provider", "symbol", "timeframe", "periods_per_year", "synthetic", "notes")


class BarsWarning(UserWarning):
    """Something was left out of the bars, as the message says."""


class Bars:
    """Open, high, low, close, volume of one symbol, one row per bar.

    Built by `Bars.from_frame`, which refuses what is broken; `quality()` reports what is odd.

    Attributes
    ----------
    time : int64 array [µs since 1970, UTC], the **open** of each bar, strictly increasing
    open, high, low, close, volume : float64 arrays, read-only
    funding_rate : float64 array or None
        Rate settled since the previous bar's open, up to and including this one's; NaN is no settlement.
    funding_count : float64 array or None, settlements in the bar (1 if not given)
    open_interest, basis : float64 arrays or None, known at the bar's close
    provider, symbol, timeframe : str
    periods_per_year : float
        Bars per year for annualising: by the market's calendar, unless given.
    calendar : MarketCalendar
        When the market trades, as the stamps show it; kept through slices.
    synthetic : bool, made by `ms.synthetic_bars`, not by a market
    notes : tuple of str, what was left out on the way here
    origin : str, the Python expression that gives these bars again, where it is known
    outages : tuple of (from, to) [µs], gaps that the exchange itself has, where the store knows
    others : dict of str to Bars, other symbols joined by `with_other`, as far as they are known here
    """

    __slots__ = (
        "_cache", "_calendar", "basis", "close", "funding_count", "funding_rate", "high", "low", "notes", "open",
        "open_interest", "origin", "others", "outages", "periods_per_year", "provider", "symbol", "synthetic", "time",
        "timeframe", "volume",
    )  # fmt: skip

    time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    funding_rate: FloatArray | None
    funding_count: FloatArray | None
    open_interest: FloatArray | None
    basis: FloatArray | None

    def __init__(
        self,
        columns: dict[str, Any],
        *,
        provider: str,
        symbol: str,
        timeframe: str,
        periods_per_year: float,
        synthetic: bool = False,
        notes: tuple[str, ...] = (),
        origin: str = "",
        calendar: MarketCalendar | None = None,
    ) -> None:
        """Take validated arrays as they are; use `Bars.from_frame`."""
        self.time = columns["time"]
        for name in _COLUMNS:
            setattr(self, name, columns.get(name))
        self.provider, self.symbol, self.timeframe = provider, symbol, timeframe
        self.periods_per_year = periods_per_year
        self.synthetic = synthetic
        self.notes = notes
        self.origin = origin
        self.outages: tuple[tuple[int, int], ...] = ()
        self.others: dict[str, Bars] = {}
        self._cache: dict[Any, Any] = {}
        self._calendar = calendar

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        provider: str = "",
        symbol: str | None = None,
        timeframe: str | None = None,
        periods_per_year: float | None = None,
        synthetic: bool = False,
        notes: tuple[str, ...] = (),
        **reading: Any,
    ) -> Bars:
        """Validate a polars or pandas frame with any usual column names.

        Parameters
        ----------
        frame : polars or pandas frame
            One row per bar; stamps are the bar's open as datetimes (naive is UTC), dates, ISO text or epoch
            numbers in s, ms, µs, ns.
        provider, symbol : str
            Names for display; where the frame has a ``symbol`` column of several, `symbol` takes one.
        timeframe : str, optional
            ``"1h"``, ``"1d"``, ``"1mo"``, …; the greatest common step of the stamps if not given.
        periods_per_year : float, optional
            For annualising; inferred from the stamps if not given: 252 days for weekdays, 252 times the bars of a
            session, 365 days for a market that never closes (`Bars.calendar`).
        synthetic : bool
            The bars were made by a formula; shown wherever they are.
        notes : tuple of str
            What a reader must know of how these bars came about, shown wherever they are.
        **reading
            Options that a frame may need as a file does: columns, unit, zone, stamps, duplicates, decimal
            (see `ms.load`).

        Raises
        ------
        BarsError
            An empty frame, a missing column, stamps unsorted, doubled or of mixed zones, a price that is NaN,
            infinite or not above zero, a high below another price, a low above one (the open excepted), a
            negative or missing volume, a `timeframe` that the stamps contradict.
        """
        options = ReadOptions.of({"symbol": symbol, "timeframe": timeframe, **reading})
        found = read_frame(frame, options, made_up=synthetic)
        columns, time = found.columns, found.time
        for values in columns.values():
            values.flags.writeable = False
        if timeframe is None:
            timeframe = infer_timeframe(time)
        length = timeframe_us(timeframe)
        check_distance(time, timeframe, length)
        time, dated = calendar_dates(time, timeframe)
        columns["time"] = time
        time.flags.writeable = False
        if periods_per_year is not None and not 0 < periods_per_year < np.inf:
            raise BarsError(
                f"periods_per_year={periods_per_year} must be above 0; leave it out to take the market's own number."
            )
        timeframe = timeframe_name(length)
        calendar = infer_calendar(time, timeframe)
        if periods_per_year is not None:
            calendar = given_calendar(periods_per_year, calendar)
        every_note = [*notes, *found.notes, dated, "" if synthetic or periods_per_year is not None else calendar.text]
        return cls(
            columns,
            provider=provider,
            symbol=found.symbol if symbol is None else symbol,
            timeframe=timeframe,
            periods_per_year=calendar.periods_per_year,
            synthetic=synthetic,
            notes=tuple(dict.fromkeys(filter(None, every_note))),
            calendar=calendar,
        )

    # -- what the bars are ------------------------------------------------------------------

    def __len__(self) -> int:
        return self.time.shape[0]

    @property
    def name(self) -> str:
        """``PROVIDER:SYMBOL:timeframe``, without the parts that are unknown."""
        return ":".join(part for part in (self.provider, self.symbol, self.timeframe) if part)

    @property
    def timestamp(self) -> np.ndarray[Any, np.dtype[np.datetime64]]:
        """Opens of the bars as datetime64[us], UTC, without a copy."""
        return self.time.view("datetime64[us]")

    @property
    def start(self) -> datetime:
        """Open of the first bar."""
        return as_datetime(self.time[0])

    @property
    def end(self) -> datetime:
        """Open of the last bar."""
        return as_datetime(self.time[-1])

    @property
    def fingerprint(self) -> str:
        """SHA-256 of stamps, columns and timeframe, the same on every machine; names do not count."""
        digest = self._cache.get("fingerprint")
        if digest is None:
            sha = hashlib.sha256(f"bars1 {self.timeframe} {len(self)}".encode())
            sha.update(np.ascontiguousarray(self.time, "<i8").data)
            for name in _COLUMNS:
                values = getattr(self, name)
                if values is None:
                    continue
                sha.update(name.encode())
                plain = values + 0.0 if name in ("volume", *OPTIONAL) else values  # -0.0 becomes 0.0
                if name in OPTIONAL:
                    plain = np.where(np.isnan(plain), np.nan, plain)
                sha.update(np.ascontiguousarray(plain, "<f8").data)
            for name, other in sorted(self.others.items()):
                sha.update(f"other {name} {other.fingerprint}".encode())
            digest = self._cache["fingerprint"] = sha.hexdigest()
        return str(digest)

    def cached(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return ``compute()``, which is called once for each `key` and kept with these bars, as they never change."""
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]  # type: ignore[no-any-return]

    @property
    def calendar(self) -> MarketCalendar:
        """When the market trades and how many bars per year it has; ``.text`` says it in words."""
        if self._calendar is None:
            self._calendar = infer_calendar(self.time, self.timeframe)
        if self._calendar.periods_per_year != self.periods_per_year:
            self._calendar = given_calendar(self.periods_per_year, self._calendar)
        return self._calendar

    def quality(self) -> Quality:
        """Report what is odd in the data and what it can do to a backtest; nothing is mended."""
        return self.cached(("quality", self.outages), lambda: assess(self, self.outages))

    # -- cutting ----------------------------------------------------------------------------

    def __getitem__(self, window: slice) -> Bars:
        """Cut a window of rows; the arrays are views."""
        if not isinstance(window, slice) or window.step not in (None, 1):
            raise BarsError(f"bars[{window!r}] is not a window; cut with bars[start:stop], step 1.")
        columns = {"time": self.time[window]}
        if not len(columns["time"]):
            raise BarsError(f"bars[{window.start}:{window.stop}] of {len(self)} bars is empty; bars need a row.")
        for name in _COLUMNS:
            values = getattr(self, name)
            if values is not None:
                columns[name] = values[window]
        cut = [("" if edge is None else str(int(edge))) for edge in (window.start, window.stop)]
        return self.like(columns, f"[{cut[0]}:{cut[1]}]")

    def between(self, start: str | date | None = None, end: str | date | None = None) -> Bars:
        """Bars that open at or after `start` and before `end` (dates, datetimes or ISO text; naive is UTC)."""
        low, high = np.searchsorted(
            self.time,
            [self.time[0] if start is None else as_us(start), self.time[-1] + 1 if end is None else as_us(end)],
        )
        if low >= high:
            held = f"from {moment(self.start)} to {moment(self.end)}"
            raise BarsError(f"no bar {range_text(start, end)}; the bars run {held}.")
        return self[int(low) : int(high)]

    def higher(self, timeframe: str) -> AlignedBars:
        """Closed bars of a longer timeframe for a rule on these bars, aligned without looking ahead.

        A longer bar can be read from the first bar on whose close is not before its own. One that the data does not
        cover whole is left out. The same timeframe gives the same object.

        Raises
        ------
        BarsError
            `timeframe` is not longer, or not a whole multiple of these bars'.
        """
        return self.cached(("higher", timeframe), lambda: aligned_higher(self, timeframe))

    def with_other(self, other: Bars, name: str | None = None) -> Bars:
        """Bars that also carry another symbol, for a rule that looks at two; `other` gives it to the rule.

        It is cut with these bars, so a rule never sees a bar of it that had not closed. `name` is its symbol if absent.
        """
        key, option = named_other(self, other, name), "" if name is None else f", name={name!r}"
        made = self.like({"time": self.time, **{n: getattr(self, n) for n in _COLUMNS}})
        made.origin = f"{self.origin}.with_other({other.origin}{option})" if self.origin and other.origin else ""
        made.others = dict(sorted({**made.others, **cut_others({key: other}, self.time, self.timeframe)}.items()))
        return made

    def other(self, name: str | None = None) -> AlignedBars:
        """Closed bars of another symbol, aligned without looking ahead; `with_other` joins it. The same each time."""
        return self.cached(("other", name), lambda: aligned_other(self, name))

    def resample(self, timeframe: str) -> Bars:
        """Bars of a longer timeframe on the UTC clock (weeks start on Monday, months on the first).

        A first or last bar that the data does not cover whole is dropped, with a `BarsWarning` and in `notes`; where
        the market was closed for the rest of it, by its calendar, it is whole. Bars per year follow the calendar: 52
        weeks, 12 months.
        Funding rates are added up over the settlements since the previous open, up to and including the bar's
        own, as everywhere; open interest and basis are the last known. Gaps inside a bar stay invisible here:
        see `quality()`.

        Raises
        ------
        BarsError
            `timeframe` is not a whole multiple of the present one, or no whole bar is covered.
        """
        columns, notes, _ = resampled_columns(self, timeframe)
        if not len(columns["time"]):
            raise BarsError(f"{len(self)} {self.timeframe} bars do not cover one whole {timeframe} bar.")
        for note in notes:
            warnings.warn(note, BarsWarning, stacklevel=2)
        result = self.like(columns, f".resample({timeframe!r})")
        result.timeframe = timeframe_name(timeframe_us(timeframe))
        result.others = cut_others(self.others, result.time, result.timeframe)
        calendar = resampled_calendar(self.calendar, self.timeframe, result.time, result.timeframe)
        result.periods_per_year, result._calendar = calendar.periods_per_year, calendar
        own = [calendar.text if note == self.calendar.text else note for note in self.notes]
        result.notes = (*own, *notes)
        return result

    def with_series(
        self, *, funding: Any = None, open_interest: Any = None, basis: Any = None, lag: dict[str, str] | None = None
    ) -> Bars:
        """Bars that also carry funding, open interest or basis, as known at each bar.

        Takes frames with ``timestamp`` and ``funding_rate``, ``open_interest`` or ``basis``, of any interval;
        `maestro.data.join.join_series` says what counts when. Where a series does not reach from the first bar to
        the last, `notes` say so.

        Raises
        ------
        BarsError
            A frame without the needed columns, or two different values of one stamp.
        """
        from maestro.data.join import join_series, uncovered

        given = {"funding": funding, "open_interest": open_interest, "basis": basis}
        given = {name: to_polars(frame) for name, frame in given.items() if frame is not None}
        lacks = [uncovered(self.time, timeframe_us(self.timeframe), name, frame) for name, frame in given.items()]
        result = Bars.from_frame(
            join_series(self.to_frame(), self.timeframe, lag=lag, **given),
            provider=self.provider,
            symbol=self.symbol,
            timeframe=self.timeframe,
            periods_per_year=self.periods_per_year,
            synthetic=self.synthetic,
            notes=(*self.notes, *filter(None, lacks)),
        )
        result.outages, result._calendar, result.others = self.outages, self.calendar, self.others
        return result

    def like(self, columns: dict[str, Any], made_by: str = "") -> Bars:
        """Bars of other validated, read-only columns that are otherwise these; `made_by` extends their origin."""
        bars = Bars(
            columns, provider=self.provider, symbol=self.symbol, timeframe=self.timeframe,
            periods_per_year=self.periods_per_year, synthetic=self.synthetic, notes=self.notes,
            origin=self.origin and self.origin + made_by, calendar=self.calendar,
        )  # fmt: skip
        bars.outages = self.outages
        bars.others = cut_others(self.others, bars.time, self.timeframe)
        return bars

    # -- out --------------------------------------------------------------------------------

    def to_frame(self) -> pl.DataFrame:
        """Polars frame: timestamp Datetime('us', 'UTC'), Float64 columns, null where optional series have no value."""
        columns = [pl.Series("timestamp", self.time).cast(pl.Datetime("us", "UTC"))]
        for name in _COLUMNS:
            values = getattr(self, name)
            if values is not None:
                column = pl.Series(name, values)
                columns.append(column.fill_nan(None) if name in OPTIONAL else column)
        return pl.DataFrame(columns)

    def write_parquet(self, path: str | Path, *, force: bool = False) -> None:
        """Write a Parquet file that `ms.load` gives back as these bars: values, names, notes and all.

        Parameters
        ----------
        path : str or Path
            Ending in ``.parquet``.
        force : bool
            Overwrite a file that is there.

        Raises
        ------
        SettingsError
            Another ending, a folder that is not there, a file that is there already.
        """
        from maestro.data.files.exporting import write_file

        if not str(path).lower().endswith(".parquet"):
            raise SettingsError(f"{path} does not end in .parquet; name the file so.")
        about = {name: getattr(self, name) for name in (*_ABOUT, "outages")}
        write_file(self.to_frame(), Path(path), force=force, metadata={METADATA: json.dumps(about)})

    def __reduce__(self) -> tuple[Any, ...]:
        columns = {"time": self.time, **{name: getattr(self, name) for name in _COLUMNS}}
        return _rebuild, (
            self.outages,
            self.others,
            columns,
            *(getattr(self, name) for name in (*_ABOUT, "origin", "calendar")),
        )

    def __repr__(self) -> str:
        noted = f" ({'; '.join(self.notes)})" if self.notes else ""
        return (
            f"Bars({self.name or 'unnamed'}, {len(self):,} bars, {self.start:%Y-%m-%d %H:%M} to "
            f"{self.end:%Y-%m-%d %H:%M} UTC{', synthetic' if self.synthetic else ''}){noted}"
        )

    def _repr_html_(self) -> str:
        """Name, range and the first and last rows, for a notebook."""
        return str(bars_html(self))


def _rebuild(outages: Any, others: dict[str, Bars], columns: dict[str, Any], *rest: Any) -> Bars:
    for values in columns.values():
        if values is not None:
            values.flags.writeable = False
    bars = Bars(columns, **dict(zip((*_ABOUT, "origin", "calendar"), rest, strict=True)))
    bars.outages, bars.others = outages, others
    return bars
