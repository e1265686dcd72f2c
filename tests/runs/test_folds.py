"""The file of a finished fold: what was written comes back, and nothing else is taken for it."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from maestro._core.parquet import read_parquet_bytes
from maestro.runs.folds import UnusableFold, fold_bytes, read_fold_bytes

META = {"row": {"fold": 3, "error": None, "sharpe_ratio": 0.1}, "notes": ["a note"]}
TABLES = {"trials": pl.DataFrame({"a": [1.5, None]}), "equity": pl.DataFrame({"bar": [1, 2, 3]})}
CONTENT = fold_bytes("0123456789abcdef", 3, META, TABLES)


def test_a_fold_comes_back() -> None:
    meta, tables = read_fold_bytes(CONTENT, "0123456789abcdef", 3)
    assert meta == META
    assert list(tables) == list(TABLES)
    for name, frame in TABLES.items():
        assert_frame_equal(tables[name], frame)


@pytest.mark.parametrize(
    ("run", "fold", "message"), [("0123456789abcdee", 3, "another run"), ("0123456789abcdef", 4, "another fold")]
)
def test_a_fold_of_something_else_is_named(run: str, fold: int, message: str) -> None:
    with pytest.raises(UnusableFold, match=f"is of {message}"):
        read_fold_bytes(CONTENT, run, fold)


def older() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("fold.json", "{}")
    return buffer.getvalue()


@pytest.mark.parametrize(("content", "message"), [(b"", "damaged"), (b"PK", "damaged"), (older(), "another version")])
def test_what_is_not_a_fold_is_named(content: bytes, message: str) -> None:
    with pytest.raises(UnusableFold, match=message):
        read_fold_bytes(content, "0123456789abcdef", 3)


def test_no_changed_byte_gives_other_values() -> None:
    for position in range(len(CONTENT)):
        changed = CONTENT[:position] + bytes([CONTENT[position] ^ 0x41]) + CONTENT[position + 1 :]
        try:
            meta, tables = read_fold_bytes(changed, "0123456789abcdef", 3)
        except UnusableFold:
            continue
        # What the archive does not need, such as the time of a member, may be another one.
        assert meta == META, position
        assert all(tables[name].equals(frame) for name, frame in TABLES.items()), position


def test_a_parquet_file_with_changed_bits_is_one_kind_of_error() -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"a": list(range(500)), "b": ["x", "yy"] * 250}).write_parquet(buffer)
    whole = buffer.getvalue()
    rng = random.Random(0)
    for _ in range(2_000):
        position = rng.randrange(len(whole))
        changed = whole[:position] + bytes([whole[position] ^ 1 << rng.randrange(8)]) + whole[position + 1 :]
        with contextlib.suppress(ValueError):  # any other error fails the test
            read_parquet_bytes(changed)
