"""Registries: built-in things by name, those of plug-ins by entry points, and what is wrong with a plug-in in words."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from maestro._core import registry
from maestro._core.registry import Registry, plugin_names
from maestro.errors import PluginError, SettingsError
from tests.support.patience import GIVE_UP

GROUP = "maestro.tests"
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package of one module with entry points, as pip lays it out, on a path of its own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = set(sys.modules)

    def make(name: str, code: str, **points: str) -> None:
        (tmp_path / f"{name}.py").write_text(code)
        info = tmp_path / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        lines = "\n".join(f"{point} = {value}" for point, value in points.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n")
        registry._plugins.cache_clear()

    yield make
    registry._plugins.cache_clear()
    for loaded in set(sys.modules) - modules:
        del sys.modules[loaded]


def things() -> Registry[str]:
    return Registry(
        GROUP, "thing", {"sep": "os:sep", "linesep": "os:linesep"}, lambda value: isinstance(value, str), "a text"
    )


def test_a_thing_whose_module_another_thread_is_importing_is_waited_for(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = types.ModuleType("gate")
    vars(gate).update(reached=threading.Event(), opened=threading.Event())
    monkeypatch.setitem(sys.modules, "gate", gate)
    install("slow_things", "import gate\ngate.reached.set()\nassert gate.opened.wait(60)\nname = 'whole'\n")
    slow: Registry[str] = Registry(
        GROUP, "thing", {"name": "slow_things:name"}, lambda value: isinstance(value, str), "a text"
    )
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(slow.get, "name")
        assert gate.reached.wait(GIVE_UP)
        second = threads.submit(slow.get, "name")
        wait([second], 0.2)
        gate.opened.set()
        assert (first.result(GIVE_UP), second.result(GIVE_UP)) == ("whole", "whole")


def test_a_built_in_thing_is_imported_when_it_is_asked_for_and_no_plug_in_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda **_: pytest.fail("plug-ins were looked up"))
    registry._plugins.cache_clear()
    known = Registry("maestro.untouched", "thing", {"version": "maestro.version:__version__"}, bool, "a text")
    assert known.builtin == ["version"]
    assert "version" in known
    assert known.get("version")


def test_a_plug_in_is_found_by_its_name(install: Install) -> None:
    install("own_things", "HERE = 'here'", mine="own_things:HERE")
    known = things()
    assert known.names() == ["sep", "linesep", "mine"]
    assert plugin_names(GROUP) == ["mine"]
    assert "own_things" not in sys.modules  # listing imports nothing
    assert known.get("mine") == "here"
    assert known.load_all() == ({"sep": known.get("sep"), "linesep": known.get("linesep"), "mine": "here"}, [])


def test_an_unknown_name_is_an_error_with_the_known_ones(install: Install) -> None:
    install("own_things", "HERE = 'here'", mine="own_things:HERE")
    with pytest.raises(
        SettingsError, match=r"^there is no thing 'mien'; there are: sep, linesep, mine\. Look\. Did you"
    ):
        things().get("mien", SettingsError, " Look.")
    with pytest.raises(KeyError):
        things().get("mien")


def test_a_plug_in_that_cannot_be_imported_is_named_and_harms_no_other(install: Install) -> None:
    install("broken_things", "import nothing_of_this_name", broken="broken_things:HERE")
    install("own_things", "HERE = 'here'", mine="own_things:HERE", lost="own_things:THERE", wrong="own_things:int")
    known = things()
    assert known.get("mine") == "here"
    output = r"the thing 'broken' of the package broken_things 1\.2 cannot be loaded from broken_things:HERE: "
    with pytest.raises(PluginError, match=output + "ModuleNotFoundError: No module named 'nothing_of_this_name'"):
        known.get("broken")
    found, problems = known.load_all()
    assert list(found) == ["sep", "linesep", "mine"]
    assert [problem.split("'")[1] for problem in problems] == ["broken", "lost", "wrong"]
    assert "AttributeError" in problems[1]


def test_an_object_of_another_kind_is_refused(install: Install) -> None:
    install("own_things", "HERE = 3", mine="own_things:HERE")
    with pytest.raises(PluginError, match=r"'mine' of the package own_things 1\.2 is a int .*; it must be a text"):
        things().get("mine")


def test_a_name_that_two_packages_bring_is_refused_when_it_is_used(install: Install) -> None:
    install("one_thing", "HERE = 'one'", mine="one_thing:HERE")
    install("two_thing", "HERE = 'two'", mine="two_thing:HERE")
    with pytest.raises(PluginError, match=r"one_thing 1\.2 and two_thing 1\.2 both bring the thing 'mine'; uninstall"):
        things().get("mine")


def test_a_built_in_thing_is_not_replaced_and_the_attempt_is_reported(install: Install) -> None:
    install("own_things", "HERE = 'here'", sep="own_things:HERE")
    known = things()
    assert known.get("sep") != "here"
    assert known.load_all()[1] == ["the thing 'sep' of own_things 1.2 is not used: Maestro has one of that name."]
