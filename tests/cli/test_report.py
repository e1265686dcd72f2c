"""``maestro report`` writes the page of a run, runs a notebook with other parameters, and makes a batch of reports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

import maestro as ms
from maestro.decision import measure
from maestro.reports.page.walk_forward import render
from tests.cli.commands import Done, fits

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
CELL = "import sys\nprint(x)\nassert x >= 0, f'{x} is below zero'"


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = [nbformat.v4.new_code_cell("x = 1  # a number"), nbformat.v4.new_code_cell(CELL)]
    cells[0].metadata["tags"] = ["parameters"]
    path = tmp_path / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), path)
    return path


def test_the_page_of_a_run_lies_in_its_folder_or_where_it_is_wanted(
    run: Callable[..., Done], recorded: ms.WalkForward, tmp_path: Path
) -> None:
    assert recorded.folder is not None
    folder = Path(shutil.copytree(recorded.folder, tmp_path / "runs" / recorded.id))
    done = run("report", recorded.id[:8])
    assert (done.code, done.out, done.err) == (0, f"{folder / 'report.html'}\n", "")
    assert (folder / "report.html").read_text("utf-8") == render(ms.load_run(folder))
    document = json.loads(run("report", str(folder), "--out", "sub/page.html", "--json").out)
    assert document == {"report": str(Path("sub/page.html"))}
    assert (tmp_path / "sub/page.html").read_bytes() == (folder / "report.html").read_bytes()


def test_with_decision_the_page_has_what_python_measures(
    run: Callable[..., Done], recorded: ms.WalkForward, tmp_path: Path
) -> None:
    done = run("report", str(recorded.folder), "--decision", "--out", "page.html")
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "page.html").read_text("utf-8") == render(recorded, decision=measure(recorded))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("zzz",), "no run 'zzz' in runs; there are: none"),
        (("no.ipynb",), "there is no notebook no.ipynb; give a file, or one of 01_first_steps"),
        (("RUN", "-p", "x=1"), "-p is only for a notebook"),
        (("RUN", "--batch", "b.csv", "--force"), "--batch and --force are only for a notebook"),
        (("RUN", "--data", "sample:AAPL"), "--data is only for --decision, which was not given; leave it out"),
        (("small.ipynb", "--tearsheet"), "--tearsheet is only for a run, and small.ipynb is a notebook"),
        (("small.ipynb", "--force"), "--force is only for --batch, which was not given"),
        (("small.ipynb", "--batch", "b.csv", "--executed", "e.ipynb"), "--executed is only for one notebook"),
        (("small.ipynb", "-p", "y=1"), "no parameter 'y'; it has: x"),
        (("small.ipynb", "-p", "x"), "--param 'x' is not understood; write -p strategy=RSIStrategy"),
        (("small.ipynb", "--out", "small.ipynb"), "small.ipynb is the notebook itself; name a file"),
        (("small.ipynb", "--out", "."), ". is a folder; name a file"),
        (("small.ipynb", "--batch", "none.csv"), "there is no file none.csv; give a CSV or YAML file of parameters"),
        (("small.ipynb", "--timeout", "0"), "greater than or equal to 1, not '0'."),
    ],
)
def test_bad_input_is_one_line(
    run: Callable[..., Done], recorded: ms.WalkForward, notebook: Path, words: tuple[str, ...], message: str
) -> None:
    done = run("report", *(str(recorded.folder) if word == "RUN" else word for word in words), "--no-progress")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert [path.name for path in notebook.parent.iterdir()] == ["small.ipynb"]


def test_the_parameters_of_a_notebook_are_listed(run: Callable[..., Done], notebook: Path) -> None:
    assert json.loads(run("report", "small.ipynb", "--parameters", "--json").out) == [
        {"name": "x", "type": "int", "default": 1, "doc": "a number"}
    ]
    listed = run("report", "walk-forward", "--parameters")
    assert listed.code == 0
    assert fits(listed.out)
    assert "parameter sets per fold" in " ".join(listed.out.split())


def test_a_notebook_is_run_with_parameters_and_a_failure_is_in_page_and_exit_code(
    run: Callable[..., Done], notebook: Path, tmp_path: Path
) -> None:
    words = ("report", "small.ipynb", "--no-progress")
    done = run(*words, "-p", "x=5", "--executed", "ran.ipynb", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert (document["parameters"], document["error"], document["report"]) == ({"x": 5}, None, "small.html")
    assert "5" in nbformat.read(tmp_path / "ran.ipynb", 4).cells[-1].outputs[0].text
    failed = run(*words, "-p", "x=-1", "--out", "bad.html")
    assert (failed.code, failed.out) == (1, f"{tmp_path / 'bad.html'}\n")
    assert "small.ipynb did not run to its end: AssertionError: -1 is below zero" in failed.err
    assert "did not run to its end" in (tmp_path / "bad.html").read_text("utf-8")


def test_a_batch_goes_on_after_a_failure_and_keeps_what_is_done(
    run: Callable[..., Done], notebook: Path, tmp_path: Path
) -> None:
    (tmp_path / "b.csv").write_text("x\n1\n-2\n")
    words = ("report", "small.ipynb", "--batch", "b.csv", "--no-progress")
    done = run(*words)
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("! ")
    assert "-2 is below zero" in " ".join(lines)
    assert lines[-2:] == ["2 reports; 1 failed.", str(tmp_path / "reports" / "index.html")]
    (tmp_path / "b.csv").write_text("x\n1\n2\n")
    document = json.loads(run(*words, "--json").out)
    assert (document["failed"], document["kept"]) == (0, 1)
    assert all((tmp_path / one["report"]).is_file() for one in document["reports"])
