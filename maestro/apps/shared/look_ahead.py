"""The look-ahead check of a user-defined strategy, beside its name."""

from __future__ import annotations

import threading
from typing import Any

import panel as pn

from maestro._core.formatting import plural
from maestro.apps.shared.delivery import delivery
from maestro.apps.shared.page import Message
from maestro.bars import Bars
from maestro.errors import MaestroError
from maestro.strategies import Strategy, is_named
from maestro.validation.lookahead.check import lookahead

CUTS, STARTS = 40, 4
"""Lengths and beginnings that are tried; ``maestro check-strategy`` tries 200 and 12."""


class LookAheadLine(pn.viewable.Viewer):
    """Checks in a thread; the last strategy and series that were asked for win."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Message(margin=(4, 10))
        self._key: Any = None
        self.thread: threading.Thread | None = None

    def check(self, cls: type[Strategy] | None, params: dict[str, Any], bars: Bars | None) -> None:
        """Check a user-defined strategy on these bars; the check of built-in ones is among Maestro's tests."""
        if cls is None or bars is None or is_named(cls):
            self._key = None
            self.line.say()
            return
        key = (cls, bars.fingerprint)
        if key == self._key:
            return
        self._key = key
        self.line.say("Look-ahead check: running", "info")
        deliver = delivery()

        def work() -> None:
            result = _result(cls, dict(params), bars)
            if deliver is None:
                self._show(key, result)
            else:
                deliver(lambda: self._show(key, result))

        self.thread = threading.Thread(target=work, daemon=True, name="maestro-look-ahead")
        self.thread.start()

    def _show(self, key: Any, result: tuple[str, str]) -> None:
        if key == self._key:
            self.line.say(*result)

    def __panel__(self) -> Any:
        return self.line


def _result(cls: type[Strategy], params: dict[str, Any], bars: Bars) -> tuple[str, str]:
    """Sentence and kind of message."""
    try:
        cls(**params).evaluate(bars)  # what fails on all bars is an error of the strategy, not look-ahead
        found = lookahead(bars, cls, params=params, cuts=CUTS, starts=STARTS)
    except MaestroError as error:
        return f"Look-ahead check not possible: {error}", "warning"
    except Exception as error:  # a user-defined strategy may raise anything
        return f"Look-ahead check not possible: {type(error).__name__}: {error}", "warning"
    if found.passed:
        return f"Look-ahead check passed ({plural(len(found.cuts), 'cut')} of {found.bars}).", "success"
    findings = found.table.filter(~found.table["passed"])
    first = findings.row(0, named=True)
    more = f" Also failed: {', '.join(found.failed[1:])}." if len(found.failed) > 1 else ""
    return f"Look-ahead check FAILED, {first['check']}: {first['finding'].removesuffix('.')}.{more}", "error"
