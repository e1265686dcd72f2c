"""Real daily bars that come with the installation: five US stocks, from the package bokeh_sampledata."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import polars as pl

from maestro.errors import BarsError, nearest

PER_YEAR = 252.0
"""Trading days a year of a US stock exchange."""

SAMPLES = {
    "AAPL": "Apple, daily, 3,270 bars from 2000-03-01 to 2013-03-01",
    "FB": "Facebook, daily, 196 bars from 2012-05-18 to 2013-03-01",
    "GOOG": "Google, daily, 2,148 bars from 2004-08-19 to 2013-03-01",
    "IBM": "IBM, daily, 3,270 bars from 2000-03-01 to 2013-03-01",
    "MSFT": "Microsoft, daily, 3,270 bars from 2000-03-01 to 2013-03-01",
}
"""Names and what stands behind them."""

ADJUSTED = "prices adjusted for splits and dividends, as the source gives them; stocks, 252 trading days a year"
RAW = "prices as traded: splits look like crashes, dividends are missing; stocks, 252 trading days a year"


def sample_frame(name: str, *, adjusted: bool = True) -> pl.DataFrame:
    """Daily rows of a sample: Date, Open, High, Low, Close, Volume.

    Parameters
    ----------
    name : str
        One of `SAMPLES`.
    adjusted : bool
        Multiply prices by the source's adjusted close over its close, and divide volumes by it, so that neither
        a split nor a dividend is a loss. Traded value (price times volume) stays as it was.

    Raises
    ------
    BarsError
        No such sample.
    """
    if name not in SAMPLES:
        raise BarsError(f"there is no sample {name!r}; there are: {', '.join(SAMPLES)}.{nearest(name, SAMPLES)}")
    spec = find_spec("bokeh_sampledata")
    path = Path(spec.origin).parent / "_data" / "stocks.csv.gz" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise BarsError("the package bokeh_sampledata, which holds the samples, is incomplete; install it again.")
    names = ("Open", "High", "Low", "Close", "Volume", "Adj Close")
    schema = {"Ticker": pl.String, "Date": pl.String, **dict.fromkeys(names, pl.Float64)}
    rows = pl.read_csv(path, schema=schema).filter(pl.col("Ticker") == name).drop("Ticker")
    if adjusted:
        factor = pl.col("Adj Close") / pl.col("Close")
        rows = rows.with_columns(*(pl.col(price) * factor for price in names[:4]), Volume=pl.col("Volume") / factor)
    return rows.drop("Adj Close")
