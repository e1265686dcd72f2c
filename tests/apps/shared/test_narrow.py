"""A page begins without its sidebar on a phone and in a narrow window."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from maestro.apps.shared import narrow

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile"}


@pytest.mark.parametrize(
    ("cookies", "headers", "found"),
    [
        ({}, {}, False),
        (None, None, False),
        ({}, PHONE, True),
        ({narrow.COOKIE: "yes"}, {}, True),
        ({narrow.COOKIE: "no"}, PHONE, False),
    ],
)
def test_the_last_window_counts_and_before_the_first_visit_the_device(
    cookies: dict[str, str] | None, headers: dict[str, str] | None, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrow, "pn", SimpleNamespace(state=SimpleNamespace(cookies=cookies, headers=headers)))
    assert narrow.is_narrow() is found


def test_the_sidebar_follows_the_width_of_the_window() -> None:
    page = SimpleNamespace(sidebar_open=True, sidebar=["controls"])
    window = narrow.close_when_narrow(page)
    window.narrow = True
    assert not page.sidebar_open
    window.narrow = False
    assert page.sidebar_open
