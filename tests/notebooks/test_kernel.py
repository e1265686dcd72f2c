"""Errors, interrupts and progress as a notebook's cell shows them, in a real kernel."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel
from tests.support.patience import GIVE_UP

SLOW = """
import time
import maestro as ms

class Slow(type(ms.strategy("EmaCrossStrategy"))):
    def evaluate(self, bars):
        time.sleep(0.02)
        return super().evaluate(bars)

bars = ms.synthetic_bars(900, seed=1)
"""


class Cells:
    """Runs cells in a kernel and collects what they show."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def run(self, code: str, interrupt_when: str = "") -> list[dict[str, Any]]:
        """Outputs of a cell; it is interrupted when its printed text has the given text."""
        asked = self.client.execute(code)
        found: list[dict[str, Any]] = []
        printed = ""
        limit = time.monotonic() + GIVE_UP
        while time.monotonic() < limit:
            message = self.client.get_iopub_msg(timeout=300)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return found
            if kind == "stream":
                printed += content["text"]
                if interrupt_when and interrupt_when in printed:
                    interrupt_when = ""
                    self.manager.interrupt_kernel()
            found.append({"kind": kind, **content})
        raise TimeoutError(f"the cell did not end: {found}")

    def error(self, code: str, interrupt_when: str = "") -> list[str]:
        """Lines of the error that a cell ends with, without colours."""
        (error,) = [one for one in self.run(code, interrupt_when) if one["kind"] == "error"]
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error["traceback"])).splitlines()


@pytest.fixture(scope="module")
def cells() -> Iterator[Cells]:
    kernel = Cells()
    try:
        assert not [one for one in kernel.run(SLOW) if one["kind"] == "error"]
        yield kernel
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
        kernel.client.context.destroy(linger=0)


def test_an_error_of_maestro_is_its_message_and_the_line_of_the_cell(cells: Cells) -> None:
    shown = cells.error("x = 1\nms.backtest(bars, 'EmaCrosStrategy')")
    assert shown[0].startswith("StrategyError: ")
    assert "Did you mean 'EmaCrossStrategy'?" in shown[0]
    assert shown[1:] == ["  in this cell, line 2: ms.backtest(bars, 'EmaCrosStrategy')"]


def test_verbose_tracebacks_show_every_frame(cells: Cells) -> None:
    shown = cells.error("%xmode Verbose\nms.backtest(bars, 'EmaCrosStrategy')")
    assert len(shown) > 10
    cells.run("%xmode Context")


def test_an_interrupt_reports_what_is_kept_and_the_same_cell_continues(cells: Cells, tmp_path: Path) -> None:
    call = (
        "def heard(event):\n    print(type(event).__name__, flush=True)\n"
        f"wf = ms.walk_forward(bars, Slow, trials=8, executor='serial', runs_dir={str(tmp_path)!r}, progress=heard)"
    )
    shown = cells.error(call, interrupt_when="FoldDone")
    output = re.fullmatch(r"RunInterrupted: interrupted after ([1-8]) of 9 folds; they are kept in (.*), and the .*", shown[0])
    assert output, shown
    assert len(shown) <= 3
    again = "".join(one["text"] for one in cells.run(call) if one["kind"] == "stream")
    assert again.count("FoldDone") == 9 - int(output[1])


def test_work_of_more_than_a_second_shows_a_bar_and_shorter_work_none(cells: Cells) -> None:
    slow = cells.run("_ = ms.walk_forward(bars, Slow, trials=12, executor='serial')")
    assert [one for one in slow if one["kind"] == "display_data"]
    none = cells.run("_ = ms.walk_forward(bars, Slow, trials=12, executor='serial', progress=False)")
    assert not [one for one in none if one["kind"] == "display_data"]
