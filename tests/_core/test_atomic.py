"""Atomic writes: the old file or the new one, and what a killed process left is removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from maestro._core import atomic
from maestro._core.atomic import remove_leftovers, replacing, target_name, temporary_path, write_atomic
from maestro._core.processes import host_id
from tests.support.processes import ended_process

ROOT = Path(__file__).parents[2]


def leftover(path: Path, pid: int, host: str | None = None) -> Path:
    """A part of `path` as the process would have left it."""
    beside = path.with_name(f".{path.name}.{host or host_id()}-{pid}-0123abcd.part")
    beside.write_bytes(b"half")
    return beside


def test_a_file_is_replaced_as_a_whole_and_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_atomic(path, b"old")
    assert path.read_bytes() == b"old"
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["b.json"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    write_atomic(path, b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, refuse)
            with pytest.raises(OSError, match="No space left on device"):
                write_atomic(path, b"new")
        assert path.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["a.bin"]
    with pytest.raises(TypeError), replacing(path) as temporary:
        temporary.write_bytes(None)  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_readers_see_one_whole_content_or_another(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    contents = [bytes([n]) * 100_000 for n in range(4)]
    write_atomic(path, contents[0])
    done = threading.Event()
    seen: list[bytes] = []

    def read() -> None:
        while not done.is_set():
            seen.append(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(60):
            write_atomic(path, contents[turn % 4])
    finally:
        done.set()
        reader.join()
    assert set(seen) <= set(contents)


WRITER = """
import sys
from pathlib import Path
from maestro._core.atomic import write_atomic
path, turn = Path(sys.argv[1]), 0
print("ready", flush=True)
while True:
    turn += 1
    write_atomic(path, str(turn % 10).encode() * 2_000_000)
"""


def test_a_killed_writer_leaves_a_whole_file_and_its_part_is_removed_by_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    for delay in (0.0, 0.01, 0.03, 0.05):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(delay)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 2_000_000
            assert len(set(content)) == 1
    write_atomic(path, b"new")
    assert os.listdir(tmp_path) == ["a.bin"]


def test_parts_of_ended_processes_are_removed_and_those_of_running_ones_stay(tmp_path: Path) -> None:
    path, ended = tmp_path / "a.bin", ended_process()
    mine, foreign = leftover(path, os.getpid()), tmp_path / f".download.{ended}.part"
    foreign.write_bytes(b"another program's")
    gone = [leftover(path, ended), leftover(tmp_path / "b.bin", ended)]
    write_atomic(path, b"new")
    assert not any(one.exists() for one in gone)  # also of a file that is not written again
    assert mine.exists()
    assert foreign.read_bytes() == b"another program's"
    gone = [leftover(path, ended)]
    folder = tmp_path / f".c.{host_id()}-{ended}-0123abcd.part"
    folder.mkdir()
    (folder / "half").write_text("")
    remove_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([mine.name, foreign.name, "a.bin"])
    remove_leftovers(tmp_path / "missing")


def test_parts_of_another_machine_are_removed_after_a_day(tmp_path: Path) -> None:
    foreign = leftover(tmp_path / "a.bin", ended_process(), host="0" * 8)
    remove_leftovers(tmp_path)
    assert foreign.exists()  # its process may be running
    long_ago = time.time() - 2 * 86_400
    os.utime(foreign, (long_ago, long_ago))
    remove_leftovers(tmp_path)
    assert not foreign.exists()


def test_a_temporary_name_contains_the_name_of_its_file_and_fits_into_a_folder(tmp_path: Path) -> None:
    assert target_name(temporary_path(tmp_path / "manifest.json").name) == "manifest.json"
    assert target_name("manifest.json") is None
    assert target_name(".hidden.part") is None
    path = tmp_path / ("ä" * 120 + ".html")
    write_atomic(path, b"x")
    assert path.read_bytes() == b"x"


def test_a_folder_is_not_synced_where_the_system_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> int:
        raise PermissionError(13, "a folder cannot be opened")

    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "name", "nt")
        patch.setattr(atomic.os, "open", forbidden)
        atomic.sync_folder(tmp_path)


def test_windows_waits_for_a_reader_that_has_the_file_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, replace, refusals = tmp_path / "a.bin", os.replace, iter([PermissionError(13, "in use")] * 3)
    path.write_bytes(b"old")

    def refuse_at_first(source: Path, target: Path) -> None:
        for error in refusals:
            raise error
        replace(source, target)

    temporary = tmp_path / "part"
    temporary.write_bytes(b"new")
    with monkeypatch.context() as patch:
        patch.setattr(atomic.time, "sleep", lambda _: None)
        patch.setattr(atomic.os, "replace", refuse_at_first)
        patch.setattr(atomic.os, "name", "nt")
        atomic._replace(temporary, path)
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX permissions")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_is_not_writable_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            write_atomic(tmp_path / "a", b"")
    finally:
        tmp_path.chmod(0o700)
