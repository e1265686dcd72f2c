"""Results of many walk-forwards: unreadable lists are left out, and names that lead elsewhere are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maestro.apps.many.session import ManySession
from maestro.errors import RunError
from maestro.walkforward.many.result import LISTS


def test_lists_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    place = tmp_path / LISTS
    place.mkdir()
    for name, text in {"whole": json.dumps({"cells": [1, 2]}), "cut": "{", "other": "[]", "empty": "{}"}.items():
        (place / f"{name}.json").write_text(text)
    [(label, name)] = ManySession(tmp_path).results().items()
    assert name == "whole"
    assert label.endswith(", 2 walk-forwards (whole)")


@pytest.mark.parametrize("name", ["", "../secret", "a/b", "gone"])
def test_only_results_of_the_folder_are_loaded(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no result"):
        ManySession(tmp_path).load(name)
