"""The Runs app as a command and as Python: the list without runs, the comparison with them."""

from __future__ import annotations

from maestro.apps.runs.state import RunsState


def test_without_runs_the_folder_is_listed() -> None:
    state = RunsState(runs_dir="my runs")
    assert state.command() == "maestro runs list --runs-dir 'my runs'"
    assert state.python() == "import maestro as ms\n\nms.runs.list_runs('my runs')\n"


def test_each_run_gets_a_command_and_the_switches_reach_python() -> None:
    state = RunsState(runs=["aaa", "bbb"], common_stretch=True, log_scale=True)
    assert [line.split()[:4] for line in state.command().splitlines()] == [
        ["maestro", "runs", "show", "aaa"],
        ["maestro", "runs", "show", "bbb"],
    ]
    text = state.python()
    compile(text, "frozen", "exec")
    assert "], common=True)" in text
    assert "compared.figure(log=True)" in text


def test_the_notebook_does_not_get_the_filters_of_the_list() -> None:
    assert set(RunsState(text="ema", strategy="RSIStrategy", status="done").frozen()) == {
        "runs_dir", "runs", "common_stretch", "log_scale",
    }  # fmt: skip
