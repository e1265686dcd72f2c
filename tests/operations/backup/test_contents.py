"""The manifest of a backup has every file, and finds each one that is missing, added or changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from maestro._core.seal import sealed
from maestro.errors import BackupError
from maestro.operations.backup.contents import NAME, Contents, describe, differences, parse
from maestro.version import __version__


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, and the manifest."""
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "equity.parquet").write_bytes(b"12345")
    (tmp_path / "maestro.yaml").write_bytes(b"")
    contents = describe(tmp_path, "maestro-1", "2026-01-01T00:00:00+00:00")
    (tmp_path / NAME).write_bytes(contents.to_bytes())
    return tmp_path


def test_the_manifest_has_size_and_hash_of_each_file(folder: Path) -> None:
    found = parse((folder / NAME).read_bytes(), "here")
    assert found.files == {
        "maestro.yaml": (0, hashlib.sha256(b"").hexdigest()),
        "runs/a/equity.parquet": (5, hashlib.sha256(b"12345").hexdigest()),
    }
    assert found.size == 5
    assert (found.name, found.version) == ("maestro-1", __version__)
    assert found == describe(folder, "maestro-1", found.created), "the manifest is not part of itself"
    assert differences(folder, found) == []


def test_every_difference_is_named(folder: Path) -> None:
    contents = parse((folder / NAME).read_bytes(), "here")
    (folder / "maestro.yaml").unlink()
    (folder / "runs" / "a" / "equity.parquet").write_bytes(b"12346")
    (folder / "new").write_bytes(b"")
    assert differences(folder, contents) == [
        "maestro.yaml is missing",
        "new is not in the manifest",
        "runs/a/equity.parquet has another content than when it was backed up",
    ]


def fields(**changed: object) -> bytes:
    values = {"format": 1, "name": "a", "created": "x", "version": "1", "files": {"f": [1, "sum"]}} | changed
    return sealed(json.dumps(values, indent=1))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"), (b"[]", "not a JSON object"), (b"{", "Expecting"), (b"\xff\xfe", ""),
        (fields(format=2), "format 2 of a newer Maestro; this one knows 1"), (fields(files=[1]), ""),
        (fields(files={"f": [1]}), "not enough values"), (fields(files={"f": ["many", "sum"]}), "invalid literal"),
        (fields().replace(b'"a"', b'"b"'), "changed after it was written"), (fields()[:-2], ""),
    ],
)  # fmt: skip
def test_what_is_not_a_manifest_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(BackupError, match=f"(?s)archive is not a whole backup: {NAME}: .*{reason}.*take another one"):
        parse(content, "archive")


def test_a_manifest_survives_being_written() -> None:
    contents = Contents("a", "2026", "1.0", {"b": (2, "sum")})
    assert parse(contents.to_bytes(), "here") == contents
