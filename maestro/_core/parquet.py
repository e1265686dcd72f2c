"""A frame as the bytes of a Parquet file, and back."""

from __future__ import annotations

import io

import polars as pl


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Return a frame as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def read_parquet_bytes(content: bytes) -> pl.DataFrame:
    """Return the frame of a Parquet file.

    Raises
    ------
    ValueError
        The content is damaged, or not Parquet.
    """
    try:
        return pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, TypeError, OverflowError) as error:
        # Polars panics, or fails while it converts, on some changed bits of metadata.
        raise ValueError(f"not a valid Parquet file ({str(error).partition(chr(10))[0]})") from None
