"""What axe-core finds on a page in a browser: violations that are critical or serious, and missing main headings."""

from __future__ import annotations

import os
from typing import Any

import pytest

GRAVE = ("critical", "serious")


def violations(page: Any, *, contrast_only: bool = False) -> list[str]:
    """Critical and serious violations of a page and its open shadow roots, one line each; no h1 is one of them.

    Parameters
    ----------
    page : Page of Playwright
    contrast_only : bool
        Check colours alone, for a page that was checked in its other theme.

    """
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        help_ = "axe-core is not installed; install it with: make setup"
        if os.environ.get("CI") == "true":
            pytest.fail(help_)
        pytest.skip(help_)
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if contrast_only:
        options["runOnly"] = {"type": "rule", "values": ["color-contrast"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for one in found
        if one["impact"] in GRAVE or one["id"] == "page-has-heading-one"
        for node in one["nodes"]
    ]
