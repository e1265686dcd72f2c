"""Benchmarks are run by hand: every name that they take from the project and its tests exists."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


def modules_and_missing(source: str) -> tuple[list[str], list[str]]:
    """Names of imported modules of the project, and the names taken from them that they do not have."""
    tree, modules, missing = ast.parse(source), {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("maestro", "tests", "benchmarks"):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                try:
                    modules[alias.asname or alias.name] = importlib.import_module(name)
                except ModuleNotFoundError:
                    if not hasattr(module, alias.name):
                        missing.append(name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "maestro":
                    modules[alias.asname or alias.name] = importlib.import_module("maestro")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            module = modules[node.value.id]
            if not hasattr(module, node.attr):
                missing.append(f"{module.__name__}.{node.attr}")
    return sorted(module.__name__ for module in modules.values()), missing


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_every_name_that_a_benchmark_takes_exists(path: Path) -> None:
    assert modules_and_missing(path.read_text(encoding="utf-8"))[1] == []


def test_a_name_that_is_gone_is_found() -> None:
    source = "import maestro as ms\nfrom maestro.bars import Bars, Gone\nfrom tests.strategies import markets\n"
    used = "print(ms.load, ms.lode, markets.bitfinex, markets.DATA)\n"
    modules, missing = modules_and_missing(source + used)
    assert modules == ["maestro", "tests.strategies.markets"]
    assert missing == ["maestro.bars.Gone", "maestro.lode", "tests.strategies.markets.DATA"]
