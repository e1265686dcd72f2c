"""From a verdict to trading: current parameters, orders for the next bar, and a check of live results."""

from __future__ import annotations

from maestro.decision.expectation import Expectation, expectation
from maestro.decision.measure import Decision, measure
from maestro.decision.now import Now, now
from maestro.decision.signal import Signal, signal
from maestro.decision.track import Track, read_fills, track

__all__ = [
    "Decision", "Expectation", "Now", "Signal", "Track", "expectation", "measure", "now", "read_fills", "signal",
    "track",
]  # fmt: skip
