"""Bars by name: a sample, a file, a series of the configured store, or a random walk."""

from __future__ import annotations

import json
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from maestro.bars.bars import METADATA, Bars
from maestro.bars.samples import ADJUSTED, PER_YEAR, RAW, SAMPLES, sample_frame
from maestro.data.files.options import ReadOptions
from maestro.data.files.reading import holds_members, read_series
from maestro.data.files.unpacking import ENDINGS
from maestro.errors import BarsError, nearest

_SERIES = re.compile(r"[A-Za-z0-9_-]+:.+:[1-9]\d*[a-zA-Z]{1,2}")
_READING = ("columns", "unit", "zone", "stamps", "duplicates", "decimal")


def load(name: str | Path, start: str | date | None = None, end: str | date | None = None, **options: Any) -> Bars:
    """Load bars by name.

    Parameters
    ----------
    name : str or path
        ``"sample:AAPL"`` (`samples` lists them); a CSV or Parquet file, ``"prices.parquet"`` or, of several
        symbols, ``"prices.parquet#ETHUSD"``; or ``"PROVIDER:SYMBOL:TIMEFRAME"`` of the configured store
        (``maestro data ls`` lists it, ``maestro data fetch`` fills it).
    start, end : str, date or datetime, optional
        Bars that open at or after `start` and before `end`; naive is UTC.
    **options
        periods_per_year; for files also provider, symbol, timeframe, and what `maestro data import` takes: columns
        (``{"volume": "VolumeBTC"}``), unit, zone, stamps, duplicates, decimal; for samples also adjusted; for the
        store also join, the series that are joined as known at each bar:
        ``join=("funding", "open_interest:1h", "basis:1h")`` (funding is joined by default for
        ``BINANCE-PERPETUAL`` and ``BITMEX``). None stands for an option that is not given.

    Returns
    -------
    Bars

    Raises
    ------
    BarsError
        Nothing of that name, a file that cannot be read, data that breaks a rule, or an empty range.
    """
    options = {key: value for key, value in options.items() if value is not None}
    if isinstance(name, str) and _SERIES.fullmatch(name) and not Path(name).is_file():
        from maestro.bars.catalog import stored_bars

        bars = stored_bars(name, start, end, options)
    else:
        bars = _load(name, options)
        if start is not None or end is not None:
            bars = bars.between(start, end)
    given = {"start": start and str(start), "end": end and str(end), **options}
    arguments = "".join(f", {key}={value!r}" for key, value in given.items() if value is not None)
    bars.origin = f"ms.load({str(name)!r}{arguments})"
    return bars


def is_series_name(name: str) -> bool:
    """Whether a text has the form ``PROVIDER:SYMBOL:TIMEFRAME`` of a stored series."""
    return _SERIES.fullmatch(name) is not None


def _load(name: str | Path, options: dict[str, Any]) -> Bars:
    text = str(name)
    if isinstance(name, str) and text.startswith("sample:"):
        _refuse_other(text, options, ("adjusted", "periods_per_year"))
        return load_sample(text.removeprefix("sample:"), **options)
    path, _, symbol = text.partition("#")
    if text.lower().endswith(ENDINGS) or path.lower().endswith(ENDINGS) or os.path.isfile(text):
        _refuse_other(text, options, ("provider", "symbol", "timeframe", "periods_per_year", "notes", *_READING))
        return _load_file(Path(text), options) if os.path.isfile(text) else _load_file(Path(path), options, symbol)
    known = [f"sample:{sample}" for sample in SAMPLES]
    raise BarsError(
        f"nothing is called {text!r}; give a sample ({', '.join(known)}), a file (CSV, Parquet, Feather, JSON, "
        f"Excel; packed or not), or PROVIDER:SYMBOL:TIMEFRAME of the store.{nearest(text, [*known, *SAMPLES])}"
    )


def _refuse_other(name: str, options: dict[str, Any], allowed: tuple[str, ...]) -> None:
    other = [option for option in options if option not in allowed]
    if other:
        raise BarsError(
            f"{name} has no use for {', '.join(other)}; leave it out. Allowed: {', '.join(allowed)}."
            + "".join(dict.fromkeys(nearest(option, allowed) for option in other))
        )


def _load_file(path: Path, options: dict[str, Any], member: str = "") -> Bars:
    reading: dict[str, Any] = {name: options[name] for name in ("symbol", "timeframe", *_READING) if name in options}
    if member and not holds_members(path):
        if reading.get("symbol", member) != member:
            raise BarsError(f"{path}#{member} and symbol={options['symbol']!r} contradict each other; give one.")
        reading["symbol"], member = member, ""
    about = _written_about(path)
    outages = about.pop("outages", ())
    found = read_series(path, ReadOptions.of({"timeframe": about.get("timeframe"), **reading}), member)
    notes = (*about.get("notes", ()), *found.notes, *options.get("notes", ()))
    names: dict[str, Any] = {
        name: options[name] for name in ("provider", "timeframe", "periods_per_year") if name in options
    }
    symbol = about.get("symbol") if "symbol" not in reading else ""
    symbol = symbol or found.symbol or path.name.split(".")[0]
    given: dict[str, Any] = {**about, **names, "symbol": symbol, "notes": notes}
    bars = Bars.from_frame(found.frame, **given)
    bars.outages = tuple((int(begin), int(end)) for begin, end in outages)
    return bars


def _written_about(path: Path) -> dict[str, Any]:
    """What `Bars.write_parquet` wrote of its bars into the file; nothing for any other file."""
    if not path.name.lower().endswith((".parquet", ".pq")) or not os.path.isfile(path):
        return {}
    try:
        return dict(json.loads(pl.read_parquet_metadata(path).get(METADATA, "{}")))
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise BarsError(f"{path} cannot be read ({str(error).splitlines()[0]}); is the file complete?") from None


def load_sample(name: str, *, adjusted: bool = True, periods_per_year: float = PER_YEAR) -> Bars:
    """Real daily bars of a US stock, without a network: AAPL, FB, GOOG, IBM or MSFT.

    Annualised with 252 days, as stock exchanges trade.

    Parameters
    ----------
    name : str
        One of `samples`.
    adjusted : bool
        Adjust prices for splits and dividends; without it a split looks like a crash.
    periods_per_year : float

    Raises
    ------
    BarsError
        No such sample.
    """
    bars = Bars.from_frame(
        sample_frame(name, adjusted=adjusted),
        provider="SAMPLE",
        symbol=name,
        timeframe="1d",
        periods_per_year=periods_per_year,
        notes=(ADJUSTED if adjusted else RAW,),
    )
    arguments = ("" if adjusted else ", adjusted=False") + (
        "" if periods_per_year == PER_YEAR else f", periods_per_year={periods_per_year!r}"
    )
    bars.origin = f"ms.load_sample({name!r}{arguments})"
    return bars


def samples() -> pl.DataFrame:
    """Table of the samples: name (for `load_sample`, or ``sample:NAME`` for `load`) and description."""
    return pl.DataFrame({"name": list(SAMPLES), "description": list(SAMPLES.values())})


def synthetic_bars(n: int = 8_760, seed: int = 0, timeframe: str = "1h") -> Bars:
    """Made-up bars from 2020-01-01 on: a random walk without drift, 60 % a year, volatility in clusters.

    No rule can earn on them but by luck, which makes them good for tests of tools, and bad for anything else;
    whatever is computed from them says that they are synthetic. The same everywhere for the same arguments.

    Parameters
    ----------
    n : int
        Number of bars, at least 2.
    seed : int
    timeframe : str

    Raises
    ------
    SettingsError, BarsError
        `n`, `seed` or `timeframe` is not of that kind.
    """
    from maestro.bars.synthetic import synthetic_columns

    bars = Bars.from_frame(
        synthetic_columns(n, seed, timeframe),
        provider="SYNTHETIC",
        symbol=f"WALK-{seed}",
        timeframe=timeframe,
        synthetic=True,
    )
    bars.origin = f"ms.synthetic_bars({n}, seed={seed}, timeframe={timeframe!r})"
    return bars
