"""Bytes of a data file out of archives and compression, recognised by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from maestro.data.files.unpacking import is_archive, members_of, read_content
from maestro.errors import BarsError

TEXT = b"Date,Open,High,Low,Close\n2024-01-01,1,3,1,2\n2024-01-02,1,3,1,2\n"
GZIP = gzip.compress(TEXT, mtime=0)  # names of tests contain it: the same in every process of the run


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name.replace("_", "."), content)
    return path


@pytest.mark.parametrize(
    ("data", "packing"),
    [(TEXT, ""), (GZIP, "gzip, "), (bz2.compress(TEXT), "bzip2, "), (lzma.compress(TEXT), "xz, "),
     (gzip.compress(bz2.compress(TEXT), mtime=0), "gzip, bzip2, ")],
)  # fmt: skip
def test_compression_is_recognised_whatever_the_name(tmp_path: Path, data: bytes, packing: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    content = read_content(path)
    assert (content.data, content.name, content.packing) == (TEXT, "a.csv", packing)
    assert not is_archive(path)


def test_the_only_data_file_of_an_archive_is_taken(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", b_csv=TEXT, README_txt=b"read me", license_txt=b"free")
    assert is_archive(path)
    assert members_of(path) == ["b.csv"]
    content = read_content(path)
    assert (content.data, content.name, content.packing) == (TEXT, "b.csv", "zip of b.csv, ")


def test_a_report_beside_the_rows_is_not_data(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", b_csv=TEXT, b_txt=b"Gap of 61s found between 1 and 2\n")
    assert read_content(path).name == "b.csv"


def test_of_several_data_files_one_is_chosen(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", b_csv=TEXT, c_csv=TEXT)
    with pytest.raises(BarsError, match=r"holds 2 files \(b.csv, c.csv\); give one of them as a.zip#b.csv"):
        read_content(path)
    assert read_content(path, "c.csv").name == "c.csv"
    with pytest.raises(BarsError, match=r"has no file 'd.csv'; it has b.csv, c.csv"):
        read_content(path, "d.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"), (b" \n\n", "is empty"), (GZIP[:-9], "cannot be read .*is the file complete"),
        (b"SQLite format 3\x00", "is an SQLite database"), (b"\x80\x04abc", "is a pickle, which may run any code"),
        (b"7z\xbc\xaf\x27", "is a 7z archive; unpack it first"), (b"x" * 257 + b"ustar", "is a tar archive"),
        (b"%PDF-1.7", "is a PDF"), (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(BarsError, match=message):
        read_content(path)


def test_a_file_that_is_not_there_and_an_empty_archive(tmp_path: Path) -> None:
    with pytest.raises(BarsError, match="cannot be read: No such file"):
        read_content(tmp_path / "a.csv")
    with pytest.raises(BarsError, match="is an empty archive"):
        read_content(zipped(tmp_path / "a.zip"))
