"""What a notebook may be given: its own parameters, of their kinds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maestro.errors import ParameterError, RunError, SettingsError
from maestro.reports.notebooks.running import built_in, checked_parameters, find_notebook, notebook_parameters, read_notebook, shipped
from tests.reports.notebooks.small import small_notebook


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return small_notebook(tmp_path / "small.ipynb")


def test_declarations_are_read_with_type_default_and_words(notebook: Path) -> None:
    found = notebook_parameters(notebook)
    assert {n: (p.kind, p.default, p.doc) for n, p in found.items()} == {
        "x": ("float", 1.0, "a number"), "word": ("str", "one", "some text"),
        "start": ("str | None", None, "a date"), "values": ("dict", {}, "more"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"x": "2"}, 2), ({"x": "0.5"}, 0.5), ({"word": "2"}, "2"), ({"word": "null"}, "null"),
        ({"start": "null"}, None),
        ({"start": "2020-01-01"}, "2020-01-01"), ({"start": "2020"}, "2020"), ({"start": 2020}, "2020"),
        ({"values": "{fast: 10, when: 2020-01-01}"}, {"fast": 10, "when": "2020-01-01"}),
        ({"values": {"a": 1}}, {"a": 1}),
    ],
)  # fmt: skip
def test_text_is_read_as_what_was_declared(notebook: Path, given: dict[str, object], value: object) -> None:
    assert checked_parameters(notebook_parameters(notebook), given) == {next(iter(given)): value}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"y": 1}, "no parameter 'y'; it has: x, word, start, values"),
        ({"wrod": 1}, "Did you mean 'word'?"),
        ({"x": "many"}, "x='many' is of another kind than float"),
        ({"x": True}, "x=True is of another kind"),
        ({"values": "[1]"}, "values=[1] is of another kind than dict"),
        ({"values": "{"}, "write YAML"),
        ({"x": None}, "x=None is of another kind"),
    ],
)
def test_what_does_not_fit_is_refused(notebook: Path, given: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(message)):
        checked_parameters(notebook_parameters(notebook), given)


def test_a_notebook_needs_one_cell_of_parameters(tmp_path: Path) -> None:
    path = small_notebook(tmp_path / "n.ipynb")
    text = path.read_text()
    path.write_text(text.replace('"parameters"\n', '"other"\n'))
    with pytest.raises(SettingsError, match="no cells tagged 'parameters'"):
        notebook_parameters(path)


def test_a_declaration_that_papermill_cannot_read_is_named(tmp_path: Path) -> None:
    path = small_notebook(tmp_path / "n.ipynb", parameters="a: str | None = None")
    with pytest.raises(SettingsError, match=r"declaration of a; write .*Optional\[str\]"):
        notebook_parameters(path)


@pytest.mark.parametrize("content", ["", "{}", "not JSON", '{"cells": 3, "nbformat": 4}'])
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content)
    with pytest.raises(RunError, match=r"n\.ipynb is not a notebook"):
        read_notebook(path)


@pytest.mark.parametrize(
    "name", ["04_walk_forward_report", "walk_forward_report", "walk-forward", "04_walk_forward_report.ipynb"]
)
def test_notebooks_that_come_with_maestro_are_found_by_name(name: str) -> None:
    found = find_notebook(name)
    assert found is not None
    assert found.name == "04_walk_forward_report.ipynb"


def test_other_names_are_no_notebooks() -> None:
    assert find_notebook("1c9a") is None
    with pytest.raises(SettingsError, match="Did you mean '04_walk_forward_report'"):
        find_notebook("04_walk_forwrd_report.ipynb")


@pytest.mark.parametrize("name", list(built_in()))
def test_what_is_kept_of_a_notebook(name: str) -> None:
    """Parameters in one cell, prose, no outputs but those that nbval compares, code that calls rather than defines."""
    path = built_in()[name]
    notebook = read_notebook(path)
    assert notebook_parameters(path)
    assert notebook.cells[0].source.startswith("# ")
    for cell in notebook.cells:
        if cell.cell_type != "code":
            for target in re.findall(r"\]\(([^)#\s]+\.ipynb)\)", cell.source):
                assert (path.parent / target).is_file(), target
        elif "NBVAL_CHECK_OUTPUT" not in cell.source:
            assert not cell.outputs, cell.source
            assert cell.execution_count is None
            assert name in ("own_strategy", "forty_symbols") or not re.search(r"^\s*(def|class) ", cell.source, re.M), cell.source


def test_the_batch_of_all_strategies_names_each_once() -> None:
    import maestro as ms
    from maestro.reports.notebooks.batch import read_batch

    jobs = read_batch(shipped("templates") / "reports" / "strategies.yaml", built_in()["walk_forward_report"])
    assert [job.parameters["strategy"] for job in jobs] == ms.strategies()
    needy = [job.parameters["strategy"] for job in jobs if job.parameters.get("params") == {"proxy": True}]
    assert needy == [name for name in ms.strategies() if ms.strategy(name).requires]
