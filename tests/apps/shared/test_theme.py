"""Light or dark: the link, then the visitor's choice, then the system's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from maestro.apps.shared import theme


@pytest.mark.parametrize(
    ("linked", "cookies", "dark"),
    [
        (None, {}, False),
        (None, {theme.SYSTEM: "dark"}, True),
        (None, {theme.SYSTEM: "dark", theme.CHOSEN: "light"}, False),
        (None, {theme.SYSTEM: "light", theme.CHOSEN: "dark"}, True),
        ("light", {theme.SYSTEM: "dark", theme.CHOSEN: "dark"}, False),
        ("dark", {theme.CHOSEN: "light"}, True),
    ],
)
def test_a_page_begins_in_the_theme_of_the_link_the_choice_or_the_system(
    linked: str | None, cookies: dict[str, str], dark: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = SimpleNamespace(query_params={} if linked is None else {"theme": linked})
    monkeypatch.setattr(theme, "pn", SimpleNamespace(state=SimpleNamespace(location=location, cookies=cookies)))
    assert theme.remembered() is dark
