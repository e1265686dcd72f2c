"""The Walk-forward app as a command and as Python, and what only Python can say."""

from __future__ import annotations

from maestro.apps.walk_forward.state import WalkForwardState


def test_the_command_has_ranges_and_what_differs_from_the_defaults() -> None:
    command = WalkForwardState(space={"fast": [5, 20]}, trials=7).command()
    assert command.startswith("maestro walk-forward EmaCrossStrategy")
    assert "--space fast=5:20" in command
    assert "--trials 7" in command


def test_bars_per_year_have_no_option_and_python_is_named() -> None:
    assert "use the lines of Python" in WalkForwardState(periods_per_year=365.0).command()


def test_lists_of_links_become_ranges_and_other_values_stay() -> None:
    state = WalkForwardState(space={"fast": [5, 20], "slow": (30, 60)})
    assert state.ranges() == {"fast": (5, 20), "slow": (30, 60)}
    compile(state.python(), "frozen", "exec")
    assert "space={'fast': (5, 20), 'slow': (30, 60)}" in state.python()
