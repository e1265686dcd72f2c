"""What SECURITY.md promises, as far as the code shows it: pickles, loopback, limits; and that readers find it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from maestro.apps.shared.series import UPLOAD_LIMIT
from maestro.cli import main
from maestro.config.settings import schema

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
UNPICKLE = {
    "_core/compiled.py",  # the cache of compiled code
    "execution/distributed.py",  # between the processes of one computation
    "execution/processes.py",
    "execution/protocol.py",  # an error that was pickled a moment before
}


def loads_code(path: Path) -> bool:
    """Whether a module calls something that can execute what it reads."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if re.fullmatch(r"(\w+\.)*(pickle|cloudpickle|dill|joblib|marshal)\.loads?|eval|(pd\.)?read_pickle", name):
                return True
            if any(word.arg == "allow_pickle" for word in node.keywords):
                return True
    return False


def test_pickles_are_read_from_the_cache_of_compiled_code_and_between_processes_only() -> None:
    modules = {path.relative_to(ROOT / "maestro").as_posix(): path for path in (ROOT / "maestro").rglob("*.py")}
    assert {name for name, path in modules.items() if loads_code(path)} == UNPICKLE


@pytest.mark.parametrize("arguments", [["app"], ["serve", "--folder", "service"]])
def test_servers_that_other_machines_reach_are_refused_without_a_login(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for address in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--address", address, "--port", "0"])
        assert ended.value.code == 2
        assert "login" in (output := capsys.readouterr().err) or "no users" in output


def test_what_it_names_exists() -> None:
    assert {"files.unpacked", "files.rows", "runs_dir"} <= set(schema())
    assert f"An upload has {UPLOAD_LIMIT // 2**20} MB at most" in TEXT


def test_readers_find_it() -> None:
    assert "[SECURITY.md](SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\nsecurity\n" in (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert "../SECURITY.md" in (ROOT / "docs/security.md").read_text(encoding="utf-8")
