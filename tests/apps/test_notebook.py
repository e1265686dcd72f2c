"""Panel in a notebook: loaded once, without output elsewhere, and its library of controls once for each app."""

from __future__ import annotations

import json
import sys
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from maestro.apps import notebook
from maestro.apps.notebook import Library
from tests.support.patience import GIVE_UP


def test_a_program_without_ipython_has_no_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert notebook._shell() is None
    assert "IPython" not in sys.modules, "it must not be imported to find out"


class Shell:
    """Of a kernel in which a cell is running."""

    kernel = 1

    def __init__(self, cell: str, code: str = "") -> None:
        self.parent = {"metadata": {"cellId": cell} if cell else {}, "content": {"code": code}}

    def get_parent(self) -> dict[str, Any]:
        return self.parent


def test_panel_is_loaded_by_the_first_cell_with_an_app_and_by_one_that_is_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[dict[str, str]] = []
    loads: list[bool] = []
    monkeypatch.setattr("IPython.display.publish_display_data", sent.append)
    monkeypatch.setattr("panel.extension", lambda *_, **options: loads.append(options["inline"]))
    monkeypatch.setattr(notebook, "_cells", set())
    monkeypatch.setattr(notebook, "_shell", object)
    notebook.load_panel()
    assert (sent, loads) == ([], [True]), "outside of a kernel there is no output"
    steps = [
        (Shell("a"), True), (Shell("b"), False), (Shell("b"), True), (Shell("c"), False), (Shell("a"), True),
        (Shell("", "ms.app('market')"), False), (Shell("", "ms.app('market')"), True),
    ]  # fmt: skip
    for shell, loaded in steps:
        sent.clear()
        loads.clear()
        monkeypatch.setattr(notebook, "_shell", lambda shell=shell: shell)
        notebook.load_panel()
        forms = sent.pop()
        assert [*map(list, sent)] == ([] if loaded else [["text/html"]])
        begins = "if (window.Bokeh && !window.Bokeh.Panel)" if loaded else "\nif (!window.Bokeh?.Panel)"
        assert forms["application/javascript"].startswith(begins)
        assert len(set(forms.values())) == 1
        assert loads == [True] * loaded


def test_a_notebook_holds_the_library_of_the_controls_once_for_each_app() -> None:
    cells = ["import maestro as ms", "ms.app('backtest')", "ms.app('walk_forward', trials=3)"]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    NotebookClient(made, timeout=GIVE_UP, kernel_name="python3").execute()
    text = nbformat.writes(made)
    begin = json.dumps(json.dumps(Library().text[:400])[1:-1])[1:-1]
    assert text.count(begin) == 2
    assert len(text) < 20e6
