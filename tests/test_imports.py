"""Imports go one way, heavy libraries stand in one module each, and starting up loads none of them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "maestro"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

# Lowest first: a module imports from its own layer and lower ones, never from a higher one.
LAYERS = (
    ("errors", "typing", "version"),
    ("_core",),
    ("execution",),
    ("config",),
    ("data",),
    ("bars",),
    ("indicators", "strategies", "metrics", "regime"),
    ("engine", "portfolio"),
    ("search", "runs"),
    ("ledger",),
    ("walkforward",),
    ("reproduce",),
    ("validation",),
    ("decision",),
    ("reports",),
    ("apps", "cli", "client", "operations", "service", "testing"),
)
ENTRIES = {"__init__", "__main__"}
LAYER = {name: number for number, layer in enumerate(LAYERS) for name in layer}

ONCE = (
    "arch", "backtrader", "bokeh_sampledata", "distributed", "fastapi", "jumpmodels", "mlflow", "panel",
    "prometheus_client", "psycopg", "quantstats", "questdb", "rethinkdb", "uvicorn", "vectorbt", "xlsxwriter",
)  # fmt: skip
"""Imported in at most one module each, and there only when used."""

OWNED = {
    "backtrader": "maestro/engine/backtrader", "fastapi": "maestro/service/web", "panel": "maestro/apps",
    "pytest": "maestro/testing", "vectorbt": "maestro/engine/vectorbt",
}  # fmt: skip
"""Libraries with a package of their own, loaded when used: all strategies, or four apps, do not fit into one module."""

NEVER_AT_START = ("bokeh", "loky", "numba", "optuna", "pandas", "pyarrow", "quantstats", "rich", "scipy", "vectorbt")


def imports(path: Path) -> Iterator[tuple[str, ast.stmt, str]]:
    """Yield absolute names imported by a file, and when it happens: ``load``, ``use``, or never but for ``types``."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]

    def visit(node: ast.AST, when: str) -> Iterator[tuple[str, ast.stmt, str]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield alias.name, child, when
            elif isinstance(child, ast.ImportFrom):
                base = list(package[: len(package) - child.level + 1]) if child.level else []
                module = ".".join([*base, *(child.module or "").split(".")]).strip(".")
                for alias in child.names:
                    yield f"{module}.{alias.name}", child, when
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                yield from visit(child, "types")
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and when == "load":
                yield from visit(child, "use")
            else:
                yield from visit(child, when)

    yield from visit(tree, "load")


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_package_has_a_layer() -> None:
    names = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES} - ENTRIES
    assert names <= LAYER.keys(), f"put {names - LAYER.keys()} into LAYERS here and in docs/architecture.md"


def test_a_layer_imports_only_from_lower_layers() -> None:
    wrong = []
    for path in MODULES:
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if own in ENTRIES:
            continue
        for name, node, _ in imports(path):
            parts = name.split(".")
            if parts[0] != "maestro":
                continue
            if len(parts) == 1 or parts[1] not in LAYER:
                wrong.append(f"{place(path)}:{node.lineno} imports the package itself; import the module that is meant")
            elif LAYER[parts[1]] > LAYER[own]:
                wrong.append(f"{place(path)}:{node.lineno} imports maestro.{parts[1]}, a layer above maestro.{own}")
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_a_private_name_of_another_package() -> None:
    wrong = []
    for path in MODULES:
        own = module_name(path).split(".")[:2]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("maestro."):
                private = [a.name for a in node.names if a.name.startswith("_") and not a.name.startswith("__")]
                if private and str(node.module).split(".")[:2] != own:
                    wrong.append(f"{place(path)}:{node.lineno} imports {', '.join(private)} of {node.module}")
    assert not wrong, "\n".join(wrong)


def test_no_file_is_longer_than_450_lines() -> None:
    files = [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]
    lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: lines for name, lines in lengths.items() if lines > 450} == {}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    names = {module_name(path): path for path in MODULES}
    graph: dict[str, set[str]] = {}
    for own, path in names.items():
        targets = set()
        for name, _, when in imports(path):  # also those that are imported when used
            while name and name not in names:
                name = name.rpartition(".")[0]
            if when != "types" and name not in ("", "maestro", own):
                targets.add(name)
        graph[own] = targets

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        left = list(graph[start])
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left.extend(graph[name])
        return found

    reach = {name: reached(name) for name in names}
    circles = {tuple(sorted(b for b in reach[a] if a in reach[b])) for a in names if a in reach[a]}
    assert not circles


def test_the_package_itself_imports_nothing_when_it_is_loaded() -> None:
    loaded = {name.split(".")[0] for name, _, when in imports(PACKAGE / "__init__.py") if when == "load"}
    assert loaded <= {"__future__", "importlib", "maestro", "typing"}


def test_the_library_knows_no_app() -> None:
    wrong = [f"{place(path)}:{node.lineno}" for path in MODULES for name, node, _ in imports(path)
             if name.split(".")[0] in ("widgets", "tests", "benchmarks", "notebooks")]  # fmt: skip
    assert not wrong


def owner(library: str, path: Path) -> str:
    """The package that a library has to itself, where the file lies in it, else the file."""
    package = OWNED.get(library, "")
    return package if package and place(path).startswith(f"{package}/") else place(path)


def test_packages_with_a_library_of_their_own_load_when_used() -> None:
    wrong = []
    for library, package in OWNED.items():
        own = package.replace("/", ".")
        wrong += [
            f"{place(path)}:{node.lineno} imports {own}, and {library} with it, when it is loaded; do it when used"
            for path in MODULES if owner(library, path) != package
            for name, node, when in imports(path) if when == "load" and (f"{name}.").startswith(f"{own}.")
        ]  # fmt: skip
        assert any(owner(library, path) == package for path in MODULES), f"{package} is gone"
    assert not wrong, "\n".join(wrong)


def test_heavy_libraries_stand_in_one_module_each_and_load_when_used() -> None:
    users = defaultdict(set)
    for path in MODULES:
        for name, node, when in imports(path):
            library = name.split(".")[0]
            if owner(library, path) == OWNED.get(library):
                users[library].add(OWNED[library])
                continue
            if library in ONCE and when != "types":
                users[library].add(place(path))
                assert when == "use", (
                    f"{place(path)}:{node.lineno} imports {library} when it is loaded; do it when used"
                )
    assert users, "no heavy library was found at all: does this test still read the imports?"
    shared = {library: sorted(where) for library, where in users.items() if len(where) > 1}
    assert not shared


@pytest.mark.parametrize(
    "start",
    [
        "import maestro",
        "import maestro; maestro.Bars",
        "import maestro; maestro.load_sample('AAPL')",
        "from maestro.cli import main; main(['--help'])",
        "from maestro.cli import main; main(['walk-forward', '--help'])",
    ],
)
def test_starting_up_loads_nothing_heavy(start: str) -> None:
    code = f"""
import atexit, json, sys
def tell():
    sys.stderr.write(json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
atexit.register(tell)
{start}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not set(json.loads(done.stderr)) & set(NEVER_AT_START)
    if "help" in start:
        assert "Usage" in done.stdout
        assert "polars" not in json.loads(done.stderr)
        assert "numpy" not in json.loads(done.stderr)
