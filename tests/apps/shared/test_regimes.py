"""Regimes in an app are fitted in a thread: the page goes on, the newest bars win, and switching off cancels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Queue

import pytest

import maestro as ms
from maestro.apps.backtest import App as BacktestApp
from maestro.apps.market import App as MarketApp
from maestro.apps.shared import regimes
from maestro.apps.shared.latest import Latest


class Fits:
    """Holds every fit until it may go on, and keeps the threads and bars it was called with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []
        self.bars: list[str] = []
        real = regimes._found

        def found(bars: ms.Bars) -> object:
            self.threads.append(threading.current_thread())
            self.bars.append(bars.symbol)
            self.begun.set()
            assert self.go_on.wait(600)
            return real(bars)

        monkeypatch.setattr(regimes, "_found", found)


@pytest.mark.parametrize("kind", [MarketApp, BacktestApp])
def test_a_page_goes_on_while_regimes_are_fitted(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    fits, calls = Fits(monkeypatch), Queue[Callable[[], None]]()
    app = kind()
    app.regimes._latest = Latest(calls.put)
    app.regimes.switch.value = True
    assert fits.begun.wait(600)
    assert app.regimes.working.visible
    assert app.regimes.history(app.picker.bars) is None  # the page draws what there is
    app.state.start = "2005"  # other bars, while the first are fitted
    fits.go_on.set()
    while app.regimes.working.visible:
        calls.get(timeout=600)()
    found = app.regimes.history(app.picker.bars)
    assert found is not None
    assert found.bars.fingerprint == app.picker.bars.fingerprint
    assert threading.main_thread() not in fits.threads
    app.regimes._latest.wait(600)


def test_switching_off_drops_a_fit_in_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    fits, calls = Fits(monkeypatch), Queue[Callable[[], None]]()
    app = MarketApp()
    app.regimes._latest = Latest(calls.put)
    app.state.regimes = True
    assert fits.begun.wait(600)
    app.state.regimes = False
    assert not app.regimes.working.visible
    fits.go_on.set()
    app.regimes._latest.wait(600)
    while not calls.empty():
        calls.get()()
    assert app.regimes._known is None


def test_an_error_of_a_fit_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(bars: ms.Bars) -> object:
        raise RuntimeError("no memory")

    monkeypatch.setattr(regimes, "_found", broken)
    app = MarketApp()
    app.state.regimes = True
    assert app.view.message.text == "Regimes: RuntimeError: no memory"
    assert not app.regimes.working.visible
