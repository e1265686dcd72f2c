"""Archives of backups are read by every Python from 3.11.0 on, and write nothing outside the folder."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from maestro.errors import BackupError
from maestro.operations.backup.archives import Archives
from maestro.operations.backup.contents import describe


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 3 if kind == tarfile.REGTYPE else 0
    return info


def hostile(folder: Path, *members: tarfile.TarInfo) -> Archives:
    with tarfile.open(folder / "b.tar.gz", "w:gz") as archive:
        for one in members:
            archive.addfile(one, io.BytesIO(b"bad"))
    return Archives(folder)


def test_a_backup_is_unpacked_without_the_filters_of_newer_versions_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged, backups, restored = (tmp_path / name for name in ("staged", "backups", "restored"))
    (staged / "service").mkdir(parents=True)
    backups.mkdir()
    key = staged / "service" / "service.key"
    key.write_bytes(b"secret" * 1000)
    key.chmod(0o600)
    contents = describe(staged, "b", "2026-01-01T00:00:00Z")
    (staged / "backup.json").write_bytes(contents.to_bytes())
    archives = Archives(backups)
    archives.put(staged, contents)
    for name in ("extract", "extractall"):  # Debian 12 has Python 3.11.2, which has no filters
        monkeypatch.delattr(tarfile.TarFile, name)
    archives.take("b", restored)
    found = restored / "service" / "service.key"
    assert found.read_bytes() == key.read_bytes()
    assert found.stat().st_mode == key.stat().st_mode
    assert found.stat().st_mtime == pytest.approx(key.stat().st_mtime, abs=1)


@pytest.mark.parametrize(
    "members",
    [
        (member("../out"),),
        (member("a/../../out"),),
        (member("{outside}"),),
        (member("link", tarfile.SYMTYPE, ".."), member("link/out")),
        (member("link", tarfile.LNKTYPE, "../secret"),),
        (member("pipe", tarfile.FIFOTYPE),),
        (member("twice"), member("twice")),
    ],
    ids=["up", "up-later", "absolute", "symlink", "hard-link", "pipe", "twice"],
)
def test_nothing_is_written_outside_the_folder(tmp_path: Path, members: tuple[tarfile.TarInfo, ...]) -> None:
    inside, outside = tmp_path / "in" / "folder", tmp_path / "in" / "out"
    inside.mkdir(parents=True)
    (tmp_path / "backups").mkdir()
    for one in members:
        one.name = one.name.format(outside=outside)
    with pytest.raises(BackupError, match="is not a file of a backup"):
        hostile(tmp_path / "backups", *members).take("b", inside)
    assert not outside.exists()
    assert {path.name for path in inside.rglob("*")} <= {"twice"}
