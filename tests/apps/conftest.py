"""What all tests of the apps share: warnings of the libraries among themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.apps.shared import access

_HERE = Path(__file__).parent
_AMONG_THEMSELVES = (
    "ignore:Both '(variant|color)' and 'button:PendingDeprecationWarning",  # Material UI's buttons on Panel's
    "ignore:The inplace keyword in DataFrame",  # Bokeh's data source on pandas
)


@pytest.fixture(autouse=True)
def _nothing_stays_restricted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_folders", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            for filter_ in _AMONG_THEMSELVES:
                item.add_marker(pytest.mark.filterwarnings(filter_))
