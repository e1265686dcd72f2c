"""The first Ctrl-C sets an event, a second one ends the work; the handler before is put back."""

from __future__ import annotations

import signal
import threading

import pytest

from maestro.cli.interrupts import stopped_by_ctrl_c


def test_the_first_ctrl_c_is_a_request_and_the_second_one_ends(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with stopped_by_ctrl_c() as event:
        assert not event.is_set()
        signal.raise_signal(signal.SIGINT)
        assert event.is_set()
        assert signal.getsignal(signal.SIGINT) is before
    assert "once more to stop at once" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


def test_without_ctrl_c_the_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stopped_by_ctrl_c() as event:
        assert isinstance(event, threading.Event)
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
