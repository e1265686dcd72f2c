"""``maestro stack`` starts the parts that its options ask for, shows their state, and stops them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maestro.operations import stack
from maestro.operations.stack.state import Part
from tests.cli.commands import Done, fits


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A stack that is not started: what `up` was called with, and the parts that `status` finds."""
    seen: dict[str, Any] = {
        "up": [], "state": [(Part("api", 11, "1", "http://127.0.0.1:8400/readyz", "api.log"), "healthy"),
                            (Part("worker-1", 12, "1", "", "worker-1.log"), "healthy")],
    }  # fmt: skip

    def up(*words: Any, **named: Any) -> list[Any]:
        words[0].mkdir()
        seen["up"].append((words, named))
        return []

    monkeypatch.setattr(stack, "up", up)
    monkeypatch.setattr(stack, "status", lambda where: seen["state"])
    monkeypatch.setattr(stack, "down", lambda where: [part.name for part, _ in seen["state"]])
    return seen


def test_up_passes_its_options_on_and_keeps_them(
    run: Callable[..., Done], parts: dict[str, Any], tmp_path: Path
) -> None:
    words = ("--port", "0", "--prefix", "/m", "--without", "apps", "--workers", "3", "--backup", "1d", "--keep", "2")
    done = run("stack", "up", *words)
    assert (done.code, done.err) == (0, "")
    [((folder, _, proxy), named)] = parts["up"]
    assert (folder, proxy.prefix, proxy.port > 0) == (tmp_path / "stack", "/m", True)
    assert (named["workers"], list(named["without"])) == (3, ["apps"])
    assert list(named["schedule"]) == ["--backup", "1d", "--keep", "2"]
    assert (folder / "options").read_text() == " ".join(words).replace(
        "--without apps --workers 3 --backup 1d --keep 2", "--workers 3 --without apps --backup 1d --keep 2"
    ) + "\n"
    assert done.out.splitlines()[-1] == f"Address: {proxy.url}/"
    quiet = run("stack", "up", "--folder", "other", "--without", "nginx", "--json")
    assert json.loads(quiet.out)["folder"] == str(tmp_path / "other")
    assert (tmp_path / "other" / "options").read_text() == "--without nginx\n"


def test_status_and_down(run: Callable[..., Done], parts: dict[str, Any], tmp_path: Path) -> None:
    shown = run("stack", "status")
    assert (shown.code, shown.err) == (0, "")
    assert fits(shown.out)
    assert re.search(r"^api +healthy +11 +http://127\.0\.0\.1:8400/readyz$", shown.out, re.M)
    document = json.loads(run("stack", "status", "--json").out)
    assert [(part["name"], part["status"]) for part in document["parts"]] == [
        ("api", "healthy"), ("worker-1", "healthy"),
    ]  # fmt: skip
    parts["state"][1] = (parts["state"][1][0], "ended")
    assert run("stack", "status").code == 1
    assert run("stack", "down").out == "stopped worker-1, api\n"
    parts["state"].clear()
    none = run("stack", "status")
    assert (none.code, none.out) == (1, f"no stack of {tmp_path / 'stack'} runs; start it with maestro stack up\n")
    none = run("stack", "down", "--folder", "x")
    assert (none.code, none.out) == (1, f"no stack of {tmp_path / 'x'} runs\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--self-signed", "--key", "k"), "--self-signed excludes --certificate and --key; leave it out"),
        (("--certificate", "c"), "a certificate needs its key; give both --certificate and --key"),
        (("--without", "grafana"), "there is no such part; there are: apps, nginx, prometheus"),
        (("--workers", "0"), "greater than or equal to 1, not '0'."),
        (("--port", "80000"), "less than or equal to 65535, not '80000'."),
        (("--prefix", "m"), "--prefix is 'm'; give a path such as /maestro"),
        (("--old-api", "old"), "--old-api is 'old'; give http://HOST:PORT"),
        (("--keep", "2"), "nothing is scheduled; give an interval for backups or for fetches"),
        (("--docs", "none"), "--docs none has no index.html"),
        (("--folder", "file"), "file is not a folder; give another one"),
    ],
)
def test_bad_input_is_one_line_and_starts_nothing(
    run: Callable[..., Done], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    (tmp_path / "file").write_text("")
    done = run("stack", "up", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert not (tmp_path / "stack" / "stack.json").exists()
