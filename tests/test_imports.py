"""Imports go one way, heavy libraries stand in one module each, and starting up loads none of them."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "maestro"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]
BENCHMARKS = sorted((ROOT / "benchmarks").rglob("*.py"))

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
    "backtrader", "bokeh_sampledata", "distributed", "fastapi", "jumpmodels", "mlflow", "panel",
    "prometheus_client", "psycopg", "quantstats", "questdb", "rethinkdb", "uvicorn", "vectorbt", "xlsxwriter",
)  # fmt: skip
"""Imported in at most one module each, and there only when used."""

OWNED = {
    "backtrader": "maestro/engine/backtrader", "fastapi": "maestro/service/web", "panel": "maestro/apps",
    "pytest": "maestro/testing", "vectorbt": "maestro/engine/vectorbt",
}  # fmt: skip
"""Libraries with a package of their own, loaded when used: all strategies, or four apps, do not fit into one module."""

NEVER_AT_START = ("bokeh", "loky", "numba", "optuna", "pandas", "pyarrow", "quantstats", "rich", "scipy", "vectorbt")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[tuple[str, ast.stmt, str]]:
    """Yield absolute names imported by a file, and when it happens: ``load``, ``use``, or never but for ``types``."""
    tree = parsed(path)
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
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("maestro."):
                private = [a.name for a in node.names if a.name.startswith("_") and not a.name.startswith("__")]
                if private and str(node.module).split(".")[:2] != own:
                    wrong.append(f"{place(path)}:{node.lineno} imports {', '.join(private)} of {node.module}")
    assert not wrong, "\n".join(wrong)


FOREIGN_PRIVATE = {
    "maestro/_core/compiled.py": {
        "_cache_path", "_data_path", "_guard_against_spurious_io_errors", "_impl", "_index_path", "_load_overload",
        "_open_for_write", "_source_stamp", "numba.core.runtime._nrt_python",
    },
    "maestro/apps/shared/controls.py": {"_priority_changes"},
    "maestro/apps/shared/series.py": {"_file_buffer", "_send_msg"},
    "maestro/engine/backtrader/running.py": {"_pns"},
    "tests/apps/shared/test_series.py": {"_file_buffer"},
    "tests/search/test_runner.py": {"optuna.samplers._tpe"},
    "tests/search/test_tpe.py": {"optuna.samplers._tpe"},
}  # fmt: skip
"""Private names of libraries that are in use, each explained where it is used."""
DOCUMENTED = {"_asdict", "_exit", "_fields", "_make", "_replace", "_repr_html_"}
"""Names with a leading underscore that are public: of named tuples, of `os`, and the display of notebooks."""


def private_names(path: Path, own: set[str]) -> Iterator[tuple[int, str]]:
    """Yield private names of libraries that a file uses: imported, also in code that is a text, or as an attribute.

    An attribute of an unknown object is of a library if no module of Maestro defines its name (`own`).
    """
    code = re.compile(r"\b(?:from|import)\s+(?!small\b|maestro\b)(\w+(?:\.\w+)*\._[a-z]\w*)")
    for node in ast.walk(parsed(path)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = (
                [str(node.module)] if is_private(str(node.module)) else [f"{node.module}.{a.name}" for a in node.names]
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = code.findall(node.value)
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own | DOCUMENTED:
            yield node.lineno, node.attr
        for name in names:
            if is_private(name) and name.split(".")[0] not in ("__future__", "maestro", "tests"):
                yield node.lineno, name


def is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def defined_names() -> set[str]:
    """Names that Maestro, its tests and benchmarks define: functions, classes, attributes, slots, variables."""
    found = set()
    for path in [*SOURCES, *BENCHMARKS]:
        for node in ast.walk(parsed(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif (
                isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
            ):
                found |= {node.attr} if node.value.id in ("self", "cls") else set()
    return found


def test_private_names_of_libraries_are_used_only_where_there_is_no_other_way() -> None:
    own = defined_names()
    wrong, used = [], set()
    for path in [*SOURCES, *BENCHMARKS]:
        if path == Path(__file__):
            continue
        for line, name in private_names(path, own):
            if name in FOREIGN_PRIVATE.get(place(path), set()):
                used.add((place(path), name))
            else:
                wrong.append(f"{place(path)}:{line} uses {name}, a private name of a library; use its public interface")
    assert not wrong, "\n".join(wrong)
    assert used == {(file, name) for file, names in FOREIGN_PRIVATE.items() for name in names}, (
        "a line here is outdated"
    )


@pytest.mark.parametrize(
    "text",
    [
        "from numba.core.caching import _CacheLocator", "import optuna.samplers._tpe",
        "inner._DYNAMIC_CLASS_TRACKER = {}", "command = 'import sys; from optuna_dashboard._cli import main'",
    ],
)  # fmt: skip
def test_a_private_name_of_a_library_is_found(text: str, tmp_path: Path) -> None:
    file, own = tmp_path / "module.py", tmp_path / "own.py"
    file.write_text(text)
    assert list(private_names(file, {"_own"}))
    own.write_text("from __future__ import annotations\nself._own = row._asdict()\n")
    assert not list(private_names(own, {"_own"}))


def test_no_file_is_longer_than_450_lines() -> None:
    lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
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


def test_the_files_of_tests_that_begin_first_are_there() -> None:
    from tests.conftest import LONGEST

    assert [name for name in LONGEST if not (Path(__file__).parent / name).exists()] == []
