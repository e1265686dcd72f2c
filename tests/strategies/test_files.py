"""A strategy is loaded from a file as it is now, with its own source, and an error names the line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cloudpickle
import pytest

import maestro as ms
from maestro.errors import StrategyError
from maestro.strategies.files import helper_files, line_in

RULE = '''
import numpy as np
import maestro as ms

class Hold(ms.Strategy):
    """Buys at bar {bar}."""

    def signals(self, bars):
        entry = np.zeros(len(bars), dtype=bool)
        entry[{bar} : {bar} + 1] = 1 // ({bar} < 1_000)
        return ms.Signals(long_entry=entry)
'''


def test_a_file_saved_twice_in_one_second_is_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "rule.py"
    bars = ms.synthetic_bars(100)
    for bar in (1, 7):  # the same length at the same time: a cache of bytecode takes it for the same file
        path.write_text(RULE.format(bar=bar))
        os.utime(path, (1_600_000_000, 1_600_000_000))
        cls = ms.load_strategy(f"{path}:Hold")
        assert list(cls().signals(bars).long_entry.nonzero()[0]) == [bar]
        assert f"bar {bar}" in cls.source()
    assert ms.load_strategy(str(path)).__name__ == "Hold"  # the only class of the file
    assert not list(tmp_path.glob("__pycache__/*"))


def test_files_of_one_name_keep_their_own_source(tmp_path: Path) -> None:
    classes = []
    for bar in (1, 2):
        folder = tmp_path / str(bar)
        folder.mkdir()
        (folder / "rule.py").write_text(RULE.format(bar=bar))
        classes.append(ms.load_strategy(f"{folder / 'rule.py'}:Hold"))
    assert [f"bar {bar}" in cls.source() for bar, cls in zip((1, 2), classes, strict=True)] == [True, True]


@pytest.mark.parametrize("name", ["nowhere", "a" * 5_000, "a\0b"])
def test_a_file_that_cannot_exist_is_an_error_in_words(name: str) -> None:
    with pytest.raises(StrategyError, match=r"there is no file .*\.py; give path/to/file\.py:ClassName"):
        ms.load_strategy(f"{name}.py:Hold")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ny = (\n", r"SyntaxError: '\(' was never closed \(line 2\)"),
        ("x = 1\n\n1 / 0\n", r"ZeroDivisionError: division by zero \(line 3\)"),
        ("import sys\nsys.exit(3)\n", r"SystemExit: 3 \(line 2\)"),
        ("x = 1\n", "has no strategy 'Hold'; it has: none"),
    ],
)
def test_an_error_in_a_file_is_reported_with_its_line(tmp_path: Path, source: str, message: str) -> None:
    path = tmp_path / "rule.py"
    path.write_text(source)
    with pytest.raises(StrategyError, match=message):
        ms.load_strategy(f"{path}:Hold")


def test_the_line_of_an_error_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rule.py"
    path.write_text(RULE.format(bar=1_000))
    cls = ms.load_strategy(f"{path}:Hold")
    with pytest.raises(ZeroDivisionError) as caught:
        cls().signals(ms.synthetic_bars(100))
    assert line_in(caught.value, path) == 10
    assert line_in(caught.value, tmp_path / "other.py") is None


def test_a_name_is_that_of_a_built_in_strategy() -> None:
    assert ms.load_strategy("EmaCrossStrategy").__name__ == "EmaCrossStrategy"
    with pytest.raises(StrategyError, match="Did you mean"):
        ms.load_strategy("EmaCrosStrategy")


HELPED = """
import maestro as ms
from helper_of_{name} import entry_bar
import numpy as np

class Hold(ms.Strategy):
    def signals(self, bars):
        entry = np.zeros(len(bars), dtype=bool)
        entry[entry_bar()] = True
        return ms.Signals(long_entry=entry)
"""


def entry(cls: type[ms.Strategy]) -> int:
    return int(cls().signals(ms.synthetic_bars(100)).long_entry.nonzero()[0][0])


def test_modules_beside_the_file_are_executed_again_with_it(tmp_path: Path) -> None:
    path, helper = tmp_path / "rule.py", tmp_path / "helper_of_again.py"
    path.write_text(HELPED.format(name="again"))
    hashes = []
    for bar in (1, 7):  # the same length at the same time
        helper.write_text(f"def entry_bar():\n    return {bar}\n")
        os.utime(helper, (1_600_000_000, 1_600_000_000))
        cls = ms.load_strategy(f"{path}:Hold")
        assert entry(cls) == bar
        hashes.append(ms.runs.source_hash(cls))
    assert hashes[0] != hashes[1]  # other runs
    assert helper_files(path) == [helper.resolve()]
    assert not list(tmp_path.glob("__pycache__/*"))
    assert str(tmp_path) not in sys.path


def test_an_error_in_a_module_beside_the_file_names_it_and_leaves_the_one_before(tmp_path: Path) -> None:
    path, helper = tmp_path / "rule.py", tmp_path / "helper_of_error.py"
    path.write_text(HELPED.format(name="error"))
    helper.write_text("def entry_bar(:\n    return 1\n")
    with pytest.raises(StrategyError, match=r"SyntaxError: .* \(helper_of_error.py, line 1\)"):
        ms.load_strategy(f"{path}:Hold")
    assert helper_files(path) == [helper.resolve()]
    helper.write_text("def entry_bar():\n    return 3\n")
    cls = ms.load_strategy(f"{path}:Hold")
    helper.write_text("\nraise ValueError('not yet')\n")
    with pytest.raises(StrategyError, match=r"ValueError: not yet \(helper_of_error.py, line 2\)"):
        ms.load_strategy(f"{path}:Hold")
    assert entry(cls) == 3


def test_a_worker_process_gets_modules_beside_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "rule.py"
    path.write_text(HELPED.format(name="worker"))
    (tmp_path / "helper_of_worker.py").write_text("def entry_bar():\n    return 5\n")
    sent = tmp_path / "sent"
    sent.write_bytes(cloudpickle.dumps(ms.load_strategy(f"{path}:Hold")))
    code = (
        "import pickle, maestro as ms; cls = pickle.load(open('sent', 'rb')); "
        "print(cls().signals(ms.synthetic_bars(100)).long_entry.nonzero()[0][0])"
    )
    (tmp_path / "helper_of_worker.py").unlink()
    reported = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert reported.stdout.strip() == "5"
