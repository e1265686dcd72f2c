"""The page of endpoints is made from the OpenAPI document, escaped, and loads nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from maestro.service.web.application import openapi
from maestro.service.web.overview import overview


def test_the_list_of_endpoints_needs_no_network(tmp_path: Path) -> None:
    page = overview(openapi(tmp_path))
    assert "<code>POST /api/v2/optimizations</code>" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


def test_endpoints_stand_below_their_tag_and_text_is_escaped() -> None:
    document = {
        "info": {"version": "1.2", "description": "One.\n\nTwo."},
        "paths": {
            "/a": {"get": {"tags": ["jobs"], "summary": "Read <b>"}, "post": {"tags": ["jobs"], "summary": "Write"}},
            "/b": {"get": {"tags": ["logins"], "summary": "Log in"}},
        },
    }
    page = overview(document)
    assert "<p>One.</p><p>Two.</p>" in page
    assert "Read &lt;b&gt;" in page
    order = ["<h2>Jobs</h2>", "GET /a", "POST /a", "<h2>Logins</h2>", "GET /b"]
    places = [page.index(text) for text in order]
    assert places == sorted(places)
