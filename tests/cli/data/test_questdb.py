"""``maestro data questdb`` starts, watches and stops the server that Maestro manages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro.cli import _run
from maestro.data.stores import QuestDBStore, SeriesKey
from maestro.data.stores import questdb_server as servers
from tests.cli.commands import Done
from tests.data.stores.test_questdb import HOUR, rows


@pytest.mark.questdb
def test_the_command_starts_watches_and_stops_a_server(
    make_questdb: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jar = servers.find_jar(Path(__file__).parents[3] / ".questdb")
    monkeypatch.setenv("MAESTRO_QUESTDB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAESTRO_QUESTDB_JAR", str(jar))
    monkeypatch.setenv("MAESTRO_QUESTDB_USER", "me")
    monkeypatch.setenv("MAESTRO_QUESTDB_PASSWORD", "secret")
    assert _run(["data", "questdb", "status"]) == 1
    assert "maestro data questdb start" in capsys.readouterr().out
    try:
        assert _run(["data", "questdb", "start", "--port", "0", "--json"]) == 0
        running = json.loads(capsys.readouterr().out)
        store = QuestDBStore(running["url"], user="me", password="secret")
        store.append(SeriesKey("X", "Y", "1h"), rows([0, HOUR]))
        store.close()
        assert _run(["data", "questdb", "start", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == running
        assert _run(["data", "questdb", "start"]) == 0
        assert f"to use it: export MAESTRO_QUESTDB_URL={running['url']}" in capsys.readouterr().out
        assert _run(["data", "questdb", "status", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"server": running, "series": 1, "rows": 2}
    finally:
        assert _run(["data", "questdb", "stop"]) == 0
    assert _run(["data", "questdb", "stop"]) == 1
    capsys.readouterr()
    assert servers._command_of(running["pid"]) == ""
    assert running["pid"] not in {process.pid for process in servers._left_running}


def test_without_a_server_status_and_stop_fail(
    run: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_QUESTDB_HOME", str(tmp_path / "home"))
    none = run("data", "questdb", "status")
    assert (none.code, none.err) == (1, "")
    assert none.out == "no QuestDB started by Maestro is running; start one: maestro data questdb start\n"
    none = run("data", "questdb", "status", "--json")
    assert (none.code, json.loads(none.out)) == (1, {"server": None, "series": 0, "rows": 0})
    none = run("data", "questdb", "stop")
    assert (none.code, none.out) == (1, "no QuestDB started by Maestro is running\n")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--port", "x"), "should be a valid integer, not 'x'."),
        (("--port", "99999"), "less than or equal to 65535, not '99999'."),
        (("--pg-port", "-1"), "greater than or equal to 0, not '-1'."),
    ],
)
def test_bad_input_is_one_line(run: Callable[..., Done], words: tuple[str, ...], message: str) -> None:
    done = run("data", "questdb", "start", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
