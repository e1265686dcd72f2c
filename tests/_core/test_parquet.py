"""A frame survives Parquet; damaged bytes are an error and never a frame of something else."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import polars as pl
import pytest

from maestro._core.parquet import parquet_bytes, read_parquet_bytes

FRAME = pl.DataFrame(
    {
        "timestamp": pl.Series([datetime(2024, 1, 1, tzinfo=UTC)] * 3).cast(pl.Datetime("us", "UTC")),
        "value": [1.5, float("nan"), None],
        "count": [1, 2, None],
        "name": ["a", "", None],
    }
)


def test_a_frame_is_read_as_it_was_written() -> None:
    found = read_parquet_bytes(parquet_bytes(FRAME))
    assert found.schema == FRAME.schema
    assert found.equals(FRAME)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a parquet file", parquet_bytes(FRAME)[:-20]])
def test_what_is_not_a_parquet_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a valid Parquet file"):
        read_parquet_bytes(content)


def test_changed_metadata_raises_nothing_but_the_documented_error() -> None:
    whole, rng, refused = parquet_bytes(FRAME), random.Random(1), 0
    for _ in range(200):
        content = bytearray(whole)
        content[rng.randrange(len(whole) - 200, len(whole))] ^= 1 << rng.randrange(8)
        try:
            read_parquet_bytes(bytes(content))
        except ValueError:
            refused += 1
    assert refused
