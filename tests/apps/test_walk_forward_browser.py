"""The Walk-forward app in a real browser: its buttons stay in reach, its labels are whole, one click resumes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import maestro as ms
from tests.apps.visiting import Visitor, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("desk")
    with served(folder, MAESTRO_STORE=str(folder / "store"), MAESTRO_LEDGER_DIR=str(folder / "ledger")) as url:
        yield url


def in_window(visitor: Visitor, place: Any) -> bool:
    box, size = place.bounding_box(), visitor.page.viewport_size
    return box is not None and size is not None and box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def covered(place: Any) -> bool:
    """Whether something else is drawn over the middle of an element."""
    return bool(
        place.evaluate(
            "node => { const r = node.getBoundingClientRect(), x = r.left + r.width / 2, y = r.top + r.height / 2;"
            " for (let found = document.elementFromPoint(x, y); ; ) {"
            "   const inner = found && found.shadowRoot && found.shadowRoot.elementFromPoint(x, y);"
            "   if (!inner || inner.getRootNode() !== found.shadowRoot) return !node.contains(found);"
            "   found = inner; } }"
        )
    )


@pytest.mark.parametrize(("width", "height"), [(1366, 657), (420, 860)])
def test_start_stays_in_reach_with_its_estimate(browser: Any, address: str, width: int, height: int) -> None:
    one = Visitor(browser, f"{address}walk_forward?trials=3", width=width, height=height)
    start = one.page.get_by_role("button", name="Start", exact=True)
    one.page.locator(".tiles").wait_for()
    estimate = one.page.get_by_text(re.compile("^9 folds, (under|about) "))
    if width > 900:
        for form in ("Edit the search ranges", "Edit windows", "Edit choice", "Edit size"):
            one.page.get_by_role("switch", name=form).check()
        one.page.get_by_role("combobox", name="When this page is closed").scroll_into_view_if_needed()
        one.until(lambda: in_window(one, start) and in_window(one, estimate) and not covered(start))
    one.page.get_by_role("button", name="Copy the link").scroll_into_view_if_needed()
    one.until(lambda: in_window(one, start) and in_window(one, estimate) and not covered(start))
    one.leave()


def test_boxes_of_ranges_have_captions_that_are_whole_for_any_parameter(browser: Any, address: str) -> None:
    one = Visitor(browser, f"{address}walk_forward?strategy=VolatilityBreakoutStrategy&trials=3")
    one.page.get_by_role("switch", name="Edit the search ranges").check()
    for name in ms.strategies.by_name("VolatilityBreakoutStrategy").declared:
        for end in ("low", "high", "step"):
            box = one.page.get_by_role("textbox", name=f"{name.replace('_', ' ')}: {end}", exact=True)
            box.wait_for()
            caption, wide, room = box.evaluate(
                "node => { const root = node.closest('.MuiFormControl-root');"
                " const style = getComputedStyle(root, '::before');"
                " const ink = document.createElement('canvas').getContext('2d'); ink.font = style.font;"
                " return [style.content, ink.measureText(style.content).width, root.clientWidth]; }"
            )
            assert caption == f'"{end}"'
            assert wide < room
    one.leave()
