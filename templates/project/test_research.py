"""The research notebook runs without an error, with a small number of trials."""

from __future__ import annotations

from pathlib import Path

from maestro.reports.notebooks.running import run_notebook


def test_the_notebook_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))
    notebook = Path(__file__).with_name("research.ipynb")
    done = run_notebook(notebook, {"trials": 10, "sets": 100, "runs_dir": str(tmp_path)})
    assert done.error is None
