"""Outside of a kernel, Panel is loaded without any output."""

from __future__ import annotations

import sys

import pytest

from maestro.apps import notebook


def test_a_program_without_ipython_has_no_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert notebook._shell() is None
    assert "IPython" not in sys.modules, "it must not be imported to find out"


def test_only_a_kernel_gets_the_script_that_makes_room_for_panels_bokeh(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.publish_display_data", sent.append)
    monkeypatch.setattr("panel.extension", lambda *_, **__: None)
    monkeypatch.setattr(notebook, "_shell", object)
    notebook.load_panel()
    assert sent == []
    monkeypatch.setattr(notebook, "_shell", lambda: type("Shell", (), {"kernel": 1})())
    notebook.load_panel()
    [forms] = sent
    assert forms["application/javascript"].startswith("if (window.Bokeh && !window.Bokeh.Panel)")
    assert len(set(forms.values())) == 1
