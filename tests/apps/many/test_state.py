"""The app of many walk-forwards as a command and as Python."""

from __future__ import annotations

from maestro.apps.many.state import ManyState


def test_python_loads_the_result_and_lists_runs_without_one() -> None:
    assert "ms.runs.list_runs('runs')" in ManyState().python()
    text = ManyState(result="abc", runs_dir="else").python()
    compile(text, "frozen", "exec")
    assert "ms.load_walk_forwards('abc', 'else')" in text


def test_filters_and_order_are_not_settings_of_the_notebook() -> None:
    state = ManyState(result="abc", text="s1", only="failed", order="symbol", curves=2)
    assert state.frozen() == {"result": "abc", "runs_dir": "runs"}
    assert state.command().startswith("maestro report 13_walk_forward_many")
    assert "result=abc" in state.command()
