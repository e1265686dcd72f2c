"""The tests mirror the package: `maestro/a/b.py` is tested by `tests/a/test_b.py`."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tests" / "support" / "without_own_test.txt"
"""Modules that the tests of their folder cover together; a module that gets a test file of its own leaves the list."""
OTHERS = {"benchmarks", "deploy", "docs", "notebooks", "support"}
"""Folders of tests that belong to no package of Maestro."""


def modules() -> set[str]:
    """Modules as paths below maestro/; not the packages' own files, which only re-export."""
    found = (path.relative_to(ROOT / "maestro") for path in (ROOT / "maestro").rglob("*.py"))
    return {path.as_posix() for path in found if path.name not in ("__init__.py", "__main__.py")}


def has_logic(text: str) -> bool:
    """Whether a module has a function that does something.

    Constants, type aliases, protocols and data classes without methods need no test of their own: there is nothing in
    them that could be wrong without a test of their users failing.
    """
    return any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any(not isinstance(line, ast.Pass) and not is_text(line) for line in node.body)
        for node in ast.walk(ast.parse(text))
    )


def is_text(line: ast.stmt) -> bool:
    """Whether a statement is a docstring or an ellipsis."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def without_own_test() -> set[str]:
    def test_of(module: str) -> Path:
        path = Path(module)
        return ROOT / "tests" / path.parent / f"test_{path.name}"

    return {
        module
        for module in modules()
        if not test_of(module).exists() and has_logic((ROOT / "maestro" / module).read_text(encoding="utf-8"))
    }


def listed() -> list[str]:
    return [line for line in LIST.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def test_a_new_module_has_a_test_file_of_its_own() -> None:
    missing = without_own_test() - set(listed())
    assert not missing, f"write tests/<folder>/test_<module>.py for {', '.join(sorted(missing))}"


def test_the_list_of_modules_without_a_test_file_of_their_own_only_shrinks() -> None:
    assert listed() == sorted(set(listed()))
    outdated = set(listed()) - without_own_test()
    assert not outdated, f"remove from {LIST.name}: {', '.join(sorted(outdated))}"


def test_only_modules_that_do_something_need_a_test() -> None:
    assert not has_logic('"""Units."""\nDAY = 24\nLengths = list[int]\n')
    assert not has_logic('class Store(Protocol):\n    def read(self) -> int:\n        """Return it."""\n        ...\n')
    assert has_logic("class Row:\n    @property\n    def name(self):\n        return self.text\n")
    assert has_logic("async def one():\n    return 1\n")


def test_folders_of_tests_are_those_of_the_package() -> None:
    stray = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests")
        if folder.parts and folder.parts[0] not in OTHERS and not (ROOT / "maestro" / folder).is_dir():
            stray.add(folder.as_posix())
    assert not stray, f"no package of Maestro is called {', '.join(sorted(stray))}"


def test_every_package_is_tested_in_the_folder_of_its_name() -> None:
    packages = {module.split("/")[0] for module in modules() if "/" in module}
    empty = {name for name in packages if not list((ROOT / "tests" / name).rglob("test_*.py"))}
    assert not empty
