"""Compiled code is never older than its sources, wherever Numba keeps it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.errors import NumbaError

import maestro
from maestro._core.compiled import cache_folder, kernel_files, kernel_hash, njit

PACKAGE = Path(maestro.__file__).parent
BACKTEST = (
    "import maestro as ms; found = ms.backtest(ms.synthetic_bars(2_000), 'EmaCrossStrategy', sizing='cash:2000');"
    "print(repr(found.metrics['sharpe_ratio']))"
)
CALLER = """
from small._core.compiled import njit
from small.callee import f
from small.limits import BOUND

@njit(cache=True)
def g(x):
    return f(x) + BOUND
"""
CALLEE = """
from small._core.compiled import njit

@njit("int64(int64)", cache=True)
def f(x):
    return x + 1
"""
CALL = "from small.caller import g; from small._core.compiled import kernel_hash, cache_folder;"


def run(code: str, folder: Path, **environment: str) -> str:
    """Output of a new process that imports from `folder`."""
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True, timeout=600,
        env={**env, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Folder with a package of two kernels and a constant that one of them uses."""
    package = tmp_path / "small"
    (package / "_core").mkdir(parents=True)
    for name in ("__init__.py", "_core/__init__.py"):
        (package / name).touch()
    shutil.copy(PACKAGE / "_core" / "compiled.py", package / "_core")
    (package / "caller.py").write_text(CALLER)
    (package / "callee.py").write_text(CALLEE)
    (package / "limits.py").write_text("BOUND = 10\n")
    return package


def keep(place: str, package: Path, tmp_path: Path) -> dict[str, str]:
    """Environment in which the compiled code of a package lies in the named place."""
    if place == "NUMBA_CACHE_DIR":
        return {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    if place == "read-only":
        (package / "__pycache__").write_text("a file here: no folder can be made, not even by root")
    return {"XDG_CACHE_HOME": str(tmp_path / "user")}


PLACES = ("package", "read-only", "NUMBA_CACHE_DIR")
WHOLE = int(os.environ.get("MAESTRO_TEST_COMPILED_PLACES", "1"))
"""Places in which all of Maestro is compiled anew, 9 CPU seconds each time; both in CI."""


@pytest.mark.parametrize("place", PLACES[1 : 1 + WHOLE])
def test_a_changed_kernel_gives_the_new_sharpe_ratio(place: str, tmp_path: Path) -> None:
    copy = tmp_path / "maestro"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    env = keep(place, copy, tmp_path)
    before = run(BACKTEST, tmp_path, **env)
    assert run(BACKTEST, tmp_path, **env) == before
    # A callee of the segment kernel, which lies in another file.
    account = copy / "engine" / "kernels" / "account.py"
    text = account.read_text()
    assert text.count("value / gross if") == 1
    account.write_text(text.replace("value / gross if", "0.5 * value / gross if"))
    assert run(BACKTEST, tmp_path, **env) != before


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [("callee.py", "x + 1", "x + 2", 15), ("caller.py", "f(x) +", "f(x) -", -6), ("limits.py", "10", "20", 24)],
)
def test_every_changed_source_is_compiled_again(
    place: str, name: str, old: str, new: str, expected: int, small: Path, tmp_path: Path
) -> None:
    env = keep(place, small, tmp_path)
    assert run(f"{CALL} print(g(3))", tmp_path, **env) == "14"
    path = small / name
    stat = path.stat()
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # a copy may keep the time of the old file
    assert run(f"{CALL} print(g(3))", tmp_path, **env) == str(expected)


def test_an_equal_source_is_compiled_once(small: Path, tmp_path: Path) -> None:
    assert run(f"{CALL} g(3); print(sum(g.stats.cache_hits.values()))", tmp_path) == "0"
    for path in small.rglob("*.py"):
        os.utime(path)
    assert run(f"{CALL} g(3); print(sum(g.stats.cache_hits.values()))", tmp_path) == "1"


def test_a_source_that_changes_while_the_process_runs_is_not_kept(small: Path, tmp_path: Path) -> None:
    changes = (
        "import small._core.compiled as c, pathlib; c.kernel_hash();"
        "p = pathlib.Path('small/callee.py'); old = p.read_text(); p.write_text(old.replace('x + 1', 'x + 2'));"
        "from small.caller import g; print(g(3)); p.write_text(old)"
    )
    assert run(changes, tmp_path) == "15"
    assert run(f"{CALL} print(g(3))", tmp_path) == "14"


def test_options_of_the_compiler_have_their_own_folder(small: Path, tmp_path: Path) -> None:
    one = run(f"{CALL} print(kernel_hash())", tmp_path)
    assert run(f"{CALL} print(kernel_hash())", tmp_path, NUMBA_BOUNDSCHECK="1") != one
    assert run(f"{CALL} print(kernel_hash())", tmp_path) == one


DAMAGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda whole: whole[:-1],
    lambda whole: b"",
    lambda whole: whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
)


def test_damaged_compiled_code_is_compiled_again(small: Path, tmp_path: Path) -> None:
    """The indexes of all kernels at once, then their code: a damaged index alone would hide damaged code."""
    folder = Path(run(f"{CALL} g(3); print(cache_folder())", tmp_path))
    for kind in ("*.nbi", "*.nbc"):
        for damage in DAMAGES:
            damaged = {path: damage(path.read_bytes()) for path in folder.rglob(kind)}
            assert len(damaged) == 2
            for path, content in damaged.items():
                path.write_bytes(content)
            assert run(f"{CALL} print(g(3))", tmp_path) == "14"
            assert all(path.read_bytes() != content for path, content in damaged.items())


def test_folders_of_old_states_go_unless_a_process_uses_them(small: Path, tmp_path: Path) -> None:
    first = Path(run(f"{CALL} g(3); print(cache_folder())", tmp_path))
    code = f"{CALL} g(3); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "ready\n"
        (small / "limits.py").write_text("BOUND = 20\n")
        second = Path(run(f"{CALL} g(3); print(cache_folder())", tmp_path))
        assert first.exists()
        assert second.exists()
        user.communicate("\n")
    (small / "limits.py").write_text("BOUND = 30\n")
    third = Path(run(f"{CALL} g(3); print(cache_folder())", tmp_path))
    assert sorted(third.parent.glob("*small-*")) == [third]


def test_nothing_is_kept_where_nothing_can_be_written(small: Path, tmp_path: Path) -> None:
    env = {**keep("read-only", small, tmp_path), "XDG_CACHE_HOME": "/dev/null"}
    code = f"import warnings; warnings.simplefilter('ignore'); {CALL} print(g(3), cache_folder())"
    assert run(code, tmp_path, **env) == "14 None"


def test_kernel_files_are_those_with_kernels_and_what_they_import() -> None:
    names = {path.relative_to(PACKAGE).as_posix() for path in kernel_files()}
    assert {"engine/kernels/segments.py", "engine/sizing.py", "strategies/signals.py"} <= names
    assert not any(name.startswith(("apps/", "cli/", "reports/")) for name in names)
    folder = cache_folder()
    assert folder is not None
    assert folder.name.endswith(kernel_hash())


def test_kernels_load_without_linear_algebra_which_still_works(tmp_path: Path) -> None:
    """`scipy.linalg` takes longer to import than all kernels; a kernel that needs it imports it when it is compiled."""
    code = (
        f"{BACKTEST}; import sys, numba, numpy as np; assert 'scipy.linalg' not in sys.modules;"
        "f = numba.njit(lambda a: (np.dot(a, a), np.correlate(a[0], a[1]), np.linalg.det(a)));"
        "a = np.array([[2.0, 0.0], [0.0, 4.0]]);"
        "print(*(np.round(x, 9).tolist() for x in f(a)))"
    )
    assert run(code, PACKAGE.parent).splitlines()[-1] == "[[4.0, 0.0], [0.0, 16.0]] [0.0] 8.0"


def test_kernels_load_without_what_only_a_compiler_needs() -> None:
    """Every strategy, a sweep and its metrics, from the cache: Numba's declarations stay where they are."""
    code = (
        "import sys, maestro as ms; bars = ms.synthetic_bars(2_000);"
        "rules = [(n, {'proxy': True} if 'proxy' in ms.strategy(n).params else {}) for n in ms.strategies()];"
        "print([ms.backtest(bars, n, params=fixed).metrics['sharpe_ratio'] for n, fixed in rules],"
        "[ms.sweep(bars, n, n=8, params=fixed, workers=1).table['sharpe_ratio'].to_list() for n, fixed in rules]);"
        "print('numba.np.arraymath' in sys.modules)"
    )
    first, _ = run(code, PACKAGE.parent).splitlines()
    assert run(code, PACKAGE.parent).splitlines() == [first, "False"]


def test_a_function_that_borrows_leaves_its_arrays_to_the_caller() -> None:
    @njit(borrows=True)
    def inner(values: Any, k: int) -> float:
        part = values[k:]
        part[0] += 1.0
        return part.view(np.int64).shape[0] + values[k]

    @njit()
    def total(n: int) -> float:
        return np.ones(n).sum()

    @njit(borrows=True)
    def outer(values: Any) -> float:
        return inner(values, 1) + total(4)

    @njit()
    def counting(n: int) -> Any:
        made = np.zeros(n)
        return made, inner(made, 2)

    given = np.zeros(3)
    before = sys.getrefcount(given)
    assert outer(given) == 2 + 1.0 + 4.0
    assert sys.getrefcount(given) == before
    assert given.tolist() == [0.0, 1.0, 0.0]
    for _ in range(3):  # an array of the caller's own lives on after it was lent
        made, found = counting(4)
        assert (made.tolist(), found) == ([0.0, 0.0, 1.0, 0.0], 3.0)


@pytest.mark.parametrize("function", [lambda values: values.copy().sum(), lambda values: values[1:]])
def test_a_function_that_makes_or_returns_an_array_cannot_borrow(function: Callable[[Any], Any]) -> None:
    with pytest.raises(NumbaError):
        njit(borrows=True)(function)(np.ones(3))
