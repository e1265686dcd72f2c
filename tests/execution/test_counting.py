"""Bars of progress: on request, by themselves in a notebook, and everywhere that long work is done in equal parts."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import pytest

import maestro as ms
from maestro.errors import RunCancelled, SettingsError
from maestro.execution.counting import counting
from maestro.execution.events import ProgressBar, listeners_of
from maestro.validation import permutation_test, permutation_test_many, permutation_test_portfolio, retiming


class ZMQInteractiveShell:
    """Has the name of a notebook's shell."""


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Progress bars that were opened, with their options and what was counted."""
    import tqdm.auto

    opened: list[dict[str, Any]] = []

    class Bar:
        def __init__(self, **options: Any) -> None:
            opened.append({**options, "done": 0})

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *rest: object) -> None:
            opened[-1]["closed"] = True

        def update(self, count: int) -> bool:
            opened[-1]["done"] += count
            return True

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    return opened


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython

    monkeypatch.setattr(IPython, "get_ipython", ZMQInteractiveShell)


def test_a_bar_is_shown_on_request_and_a_callable_counts(bars: list[dict[str, Any]]) -> None:
    with counting(True, 3, "work", "part") as counter:
        counter.done(2)
        counter.done()
    assert bars == [{"total": 3, "desc": "work", "unit": "part", "dynamic_ncols": True, "done": 3, "closed": True}]
    heard: list[int] = []
    with counting(heard.append, 3, "work", "part") as counter:
        counter.done(2)
    for quiet in (False, None):
        with counting(quiet, 3, "work", "part") as counter:
            counter.done()
    assert heard == [2]
    assert len(bars) == 1


def test_a_request_to_stop_is_obeyed_after_a_part() -> None:
    stop = threading.Event()
    with counting(False, 3, "the map", "part", stop) as counter:
        counter.done()
        stop.set()
        with pytest.raises(RunCancelled, match="the map was cancelled; no result is kept"):
            counter.done()


@pytest.mark.usefixtures("notebook")
def test_a_notebook_shows_long_work_by_itself(bars: list[dict[str, Any]]) -> None:
    """Every function with `progress` shows a bar without being asked, after a second."""
    many = ms.walk_forward_many(
        {"A": ms.synthetic_bars(500, 1, "1d")}, "EmaCrossStrategy", splitter="calendar:6mo,4mo", trials=2,
        space={"fast": (2, 6), "slow": (7, 20)}, executor="serial", progress=False,
    )  # fmt: skip
    bars.clear()
    permutation_test_many(many, repetitions=2, executor="serial")
    permutation_test_portfolio(many.portfolio(), repetitions=3, executor="serial")
    permutation_test(many.run("A"), repetitions=1, workers=1)
    retiming(many.run("A"), repetitions=1, workers=1)
    ms.sweep(ms.synthetic_bars(300, 1, "1d"), "EmaCrossStrategy", n=4, executor="serial")
    assert [(bar["total"], bar["done"]) for bar in bars] == [(2, 2), (3, 3), (1, 1), (2, 2), (4, 4)]
    assert all(bar["delay"] == 1.0 and bar["closed"] for bar in bars)
    bars.clear()
    permutation_test_many(many, repetitions=1, executor="serial", progress=False)
    assert bars == []


def test_nothing_with_progress_is_silent_in_a_notebook() -> None:
    """The default of every public `progress` is None, which lets a notebook show a bar."""
    from maestro import validation

    functions = [ms.walk_forward, ms.walk_forward_many, ms.sweep, ms.verify, ms.verdict]
    functions += [getattr(validation, name) for name in validation.__all__ if name.islower()]
    defaults = {
        one.__name__: inspect.signature(one).parameters["progress"].default
        for one in functions
        if inspect.isfunction(one) and "progress" in inspect.signature(one).parameters
    }
    assert len(defaults) > 8
    assert set(defaults.values()) == {None}, defaults


@pytest.mark.usefixtures("notebook")
def test_listeners() -> None:
    assert [type(one) for one in listeners_of(None)] == [ProgressBar]
    assert listeners_of(False) == []
    assert listeners_of(print) == [print]
    assert listeners_of([print, repr]) == [print, repr]
    assert [type(one) for one in listeners_of([True, print])] == [ProgressBar, type(print)]
    assert listeners_of((print, False)) == [print]
    for wrong in (7, "bar", [print, None], [1]):
        with pytest.raises(SettingsError, match="or a list of these"):
            listeners_of(wrong)  # type: ignore[arg-type]
