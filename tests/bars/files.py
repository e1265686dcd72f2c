"""Files of synthetic bars."""

from __future__ import annotations

from pathlib import Path

import polars as pl

import maestro as ms


def write(path: Path, symbols: tuple[str, ...] = (), n: int = 48) -> Path:
    frame = ms.synthetic_bars(n, seed=3).to_frame()
    if symbols:
        frame = pl.concat([frame.with_columns(symbol=pl.lit(one)) for one in symbols])
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv(path)
    return path
