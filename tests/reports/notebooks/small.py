"""Notebooks of a few cells, for tests that are about running and not about what is run."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = """\
x: float = 1.0  # a number
word: str = "one"  # some text
start: "Optional[str]" = None  # a date
values: dict = {}  # more"""

WORK = """\
from maestro.reports import headline
assert x >= 0, f"x is {x}, below zero"
headline({"sharpe_ratio": 2.0 * x, "word": word})"""


def small_notebook(path: Path, *cells: str, parameters: str = PARAMETERS) -> Path:
    """Write a notebook with a heading, a cell of parameters and others."""
    code = [new_code_cell(source) for source in (cells or (WORK,))]
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Small & <plain>"),
            new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            *code,
        ],
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.write(notebook, path)
    return path
