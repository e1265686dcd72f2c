"""Small files that unpack to gigabytes, and tables of more rows than fit, are refused before they fill the memory."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.errors import BarsError

ROWS = "timestamp,open,high,low,close,volume\n" + "2024-01-01,1,1,1,1,1\n" * 200_000


def packed(kind: str, data: bytes) -> bytes:
    if kind == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bars.csv", data)
        return out.getvalue()
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind](data)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zip"])
def test_a_file_that_unpacks_to_more_than_the_limit(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"bars.csv.{kind}"
    path.write_bytes(packed(kind, ROWS.encode()))
    monkeypatch.setenv("MAESTRO_FILES_UNPACKED", "1MB")
    with pytest.raises(BarsError, match=r"unpacks to more than 1 MB, the limit of files\.unpacked"):
        ms.load(path)


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_a_table_of_more_rows_than_the_limit(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = ms.synthetic_bars(2_000).to_frame()
    path = tmp_path / f"bars.{form}"
    frame.write_parquet(path) if form == "parquet" else frame.write_ipc(path)
    assert len(ms.load(path)) == 2_000
    monkeypatch.setenv("MAESTRO_FILES_ROWS", "1999")
    with pytest.raises(BarsError, match=r"holds 2,000 rows of \d+ columns, more than the 1,999 rows of files\.rows"):
        ms.load(path)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_a_bomb_does_not_fill_the_memory(tmp_path: Path) -> None:
    """30 million equal rows are 0.1 MB of Parquet and 0.5 GB of memory."""
    path = tmp_path / "bomb.parquet"
    columns = {name: pl.repeat(1.0, 30_000_000, eager=True) for name in ("open", "high")}
    pl.DataFrame(columns).write_parquet(path)
    assert path.stat().st_size < 2**20
    code = (
        "import re, sys, maestro as ms\n"
        "from maestro.errors import BarsError\n"
        "try:\n    ms.load(sys.argv[1])\nexcept BarsError as error:\n    print(error)\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    message, peak = done.stdout.splitlines()
    assert "30,000,000 rows" in message
    assert int(peak) < 400


@pytest.mark.parametrize("stamp", [2**62, -(2**62), 300_000_000_000_000_000])
def test_a_stamp_that_is_no_date_is_an_error_in_words(stamp: int, tmp_path: Path) -> None:
    frame = ms.synthetic_bars(300).to_frame()
    name = frame.columns[0]
    stamps = frame[name].to_physical().scatter(7, stamp).cast(frame.schema[name])
    frame.with_columns(stamps.alias(name)).write_ipc(tmp_path / "bars.feather")
    with pytest.raises(BarsError, match=r"the timestamp .* at row 7 would be in the year -?\d+"):
        ms.load(tmp_path / "bars.feather")


def test_flipped_bits_of_a_parquet_file_are_an_error_in_words(tmp_path: Path) -> None:
    good = tmp_path / "good.parquet"
    ms.synthetic_bars(300).to_frame().write_parquet(good)
    content, path = bytearray(good.read_bytes()), tmp_path / "flipped.parquet"
    for place in range(4, len(content) - 8, max(1, len(content) // 400)):
        changed = content.copy()
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with contextlib.suppress(BarsError):  # anything else fails the test; a bit of a value changes it
            ms.load(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of a file's size")
@pytest.mark.parametrize("name", ["bars.parquet", "bars.csv", "bars.csv.gz"])
def test_a_full_disk_is_reported_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys, maestro as ms\n"
        "from maestro.data.files.exporting import write_file\n"
        "from pathlib import Path\n"
        "frame = ms.synthetic_bars(5_000).to_frame()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try:\n    write_file(frame, Path(sys.argv[1]))\nexcept ms.errors.SettingsError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"cannot write {tmp_path / name}: ")
    assert list(tmp_path.iterdir()) == []
