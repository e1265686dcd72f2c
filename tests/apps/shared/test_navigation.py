"""Every page says which pages open in place of it, and whether it is kept for the way back."""

from __future__ import annotations

from typing import Any

import pytest

from maestro.apps.runs.state import RunsState
from maestro.apps.shared.navigation import Navigation
from maestro.apps.shared.page import APPS, page
from maestro.apps.shared.state import AppState


@pytest.mark.parametrize(("name", "state", "kept"), [("runs", RunsState(), True), ("home", None, False)])
def test_apps_are_kept_and_the_home_page_is_read_anew(name: str, state: AppState | None, kept: bool) -> None:
    made: Any = page(name, [], [], state)
    (found,) = [one for one in made.header if isinstance(one, Navigation)]
    assert found.kept is kept
    assert set(APPS) < set(found.pages)
