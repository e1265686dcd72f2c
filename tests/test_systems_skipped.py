"""Every test that uses what only POSIX systems have is skipped on Windows, by a condition or by the table of skips."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.systems import LINUX, POSIX, reason_to_skip

HERE = Path(__file__).parent
POSIX_NAMES = re.compile(
    r"\bimport (fcntl|grp|pwd|resource)\b|setrlimit|os\.(fork|killpg|mkfifo|setsid)\b|preexec_fn|\bforks\(|"
    r"signal\.(SIGKILL|SIGSTOP|SIGUSR1|SIGALRM)\b|send_signal\(signal\.SIG(INT|TERM)"
)


def users_of_posix(source: str) -> set[str]:
    """Names of tests that use them, also by a constant or function of their file, and have no `skipif`."""
    lines, nodes = source.splitlines(), ast.parse(source).body
    if re.search(r"^pytestmark\b.*os\.name != \"posix\"", source, re.M):
        return set()
    text = {}
    for node in nodes:
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
        targets = node.targets if isinstance(node, ast.Assign) else []
        name = getattr(node, "name", None) or next((one.id for one in targets if isinstance(one, ast.Name)), "")
        text[name] = "\n".join(lines[first - 1 : node.end_lineno])
    using = {name for name, body in text.items() if name and POSIX_NAMES.search(body)}
    while more := {name for name, body in text.items() if using & set(re.findall(r"\w+", body))} - using:
        using |= more
    return {name for name in using if name.startswith("test_") and "skipif" not in text[name]}


def test_every_test_for_posix_alone_is_skipped_on_windows() -> None:
    found = {
        f"{path.relative_to(HERE).as_posix()}::{name}"
        for path in HERE.rglob("test_*.py")
        if path.name != Path(__file__).name
        for name in users_of_posix(path.read_text(encoding="utf-8"))
    }
    assert len(found) > 5
    missing = sorted(name for name in found if reason_to_skip(name, "win32") is None)
    assert not missing, f"add a skipif, or a line in tests/support/systems.py, for {', '.join(missing)}"


def test_every_line_of_the_tables_names_a_test() -> None:
    files = {path.relative_to(HERE).as_posix(): path for path in HERE.rglob("test_*.py")}
    for start in (*POSIX, *LINUX):
        file, _, name = start.partition("::")
        found = [path for known, path in files.items() if known.startswith(file)]
        assert any(f"def {name}" in path.read_text(encoding="utf-8") for path in found), start


@pytest.mark.parametrize(
    ("name", "platform", "skipped"),
    [
        ("deploy/test_linters.py::test_x", "linux", False),
        ("deploy/test_linters.py::test_x", "darwin", True),
        ("service/web/test_server.py::test_sigterm", "darwin", False),
        ("service/web/test_server.py::test_sigterm", "win32", True),
        ("engine/test_segments.py::test_x", "win32", False),
    ],
)
def test_the_skips_of_a_system(name: str, platform: str, skipped: bool) -> None:
    assert (reason_to_skip(name, platform) is not None) == skipped


def test_a_use_through_a_helper_is_found() -> None:
    source = "import os\ndef kill(): os.killpg(1, 2)\ndef test_one(): kill()\ndef test_two(): pass\n"
    assert users_of_posix(source) == {"test_one"}
    assert users_of_posix('import os\nFULL = "import resource"\ndef test_one(): FULL\n') == {"test_one"}
