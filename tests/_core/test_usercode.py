"""User code is recognised, travels by value, and is unpickled as classes of its own."""

from __future__ import annotations

import pickle
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from maestro._core.usercode import dumps_by_value, is_user_module, loads_fresh

MODULE = """
from enum import Enum

class Side(Enum):
    LONG = 1

class Rule:
    seen = []

    def sides(self):
        return Side.LONG

class Narrow(Rule):
    pass
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "users_rules.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import users_rules  # type: ignore[import-not-found]

    yield users_rules
    del sys.modules["users_rules"]


def test_modules_of_users_are_recognised(rules: Any) -> None:
    assert is_user_module("users_rules")
    assert not any(map(is_user_module, ("maestro.bars", "polars", "json", "sys", "", None)))


def test_values_are_read_where_the_module_is_not_installed(rules: Any) -> None:
    before = set(cloudpickle.list_registry_pickle_by_value())  # strategy files that other tests opened
    data = dumps_by_value(rules.Narrow())
    assert set(cloudpickle.list_registry_pickle_by_value()) == before, "nothing stays registered"
    code = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()).sides().name)"
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True, cwd="/")
    assert done.stdout.split() == [b"LONG"]


def test_two_readings_share_nothing_with_each_other_or_with_the_original(rules: Any) -> None:
    data = dumps_by_value(rules.Narrow())
    one, two = loads_fresh(data), loads_fresh(data)
    assert len({type(one), type(two), rules.Narrow}) == 3
    one.seen.append(1)
    assert (two.seen, rules.Rule.seen) == ([], [])
    assert isinstance(one.sides(), Enum)
    assert one.sides() is not two.sides()
    assert type(one).__mro__[1].__name__ == "Rule"


def test_the_usual_reading_finds_the_existing_class(rules: Any) -> None:
    """The reason for `loads_fresh`: within one process cloudpickle returns and resets the class itself."""
    data = dumps_by_value(rules.Narrow())
    assert type(pickle.loads(data)) is rules.Narrow
