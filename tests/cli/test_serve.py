"""``maestro serve`` starts the server of the service with its folder, runs, address and port."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro.service.web import server
from tests.cli.commands import Done


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The command sends the logs of the whole process to stderr; afterwards they go where they went."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_the_server_gets_the_options_and_the_settings(
    run: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(server, "serve", lambda *words, **named: calls.append((*words, named)))
    monkeypatch.setenv("MAESTRO_SERVICE_FOLDER", str(tmp_path / "ours"))
    assert run("serve").code == 0
    assert run("serve", "--folder", "here", "--runs", "there", "--address", "::1", "--port", "0").code == 0
    assert calls == [
        (tmp_path / "ours", None, {"address": "127.0.0.1", "port": 8400}),
        (Path("here"), Path("there"), {"address": "::1", "port": 0}),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--port", "99999"), "Invalid value for '--port': Input should be less than or equal to 65535, not '99999'."),
        (("--port", "-1"), "greater than or equal to 0, not '-1'."),
        (("--port", "http"), "should be a valid integer, not 'http'."),
        (("--address", "0.0.0.0", "--folder", "new"), "no users yet, so anyone could submit jobs; add a user"),
    ],
)
def test_bad_input_is_one_line(run: Callable[..., Done], words: tuple[str, ...], message: str) -> None:
    done = run("serve", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err


def test_a_folder_that_cannot_be_made_is_a_failure(run: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("serve", "--folder", "file")
    assert (done.code, done.out) == (1, "")
    assert "cannot be made" in done.err
    assert "give another folder (service.folder, --folder)" in done.err


def test_without_its_libraries_the_extra_is_named(run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "maestro.service.web.server":
            raise ImportError("No module named 'fastapi'", name="fastapi")
        return importing(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    done = run("serve")
    assert done.code == 1
    assert 'fastapi is not installed; it comes with an extra: pip install "maestro-research[service]"' in done.err
