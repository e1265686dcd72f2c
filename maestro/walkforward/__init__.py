"""Walk-forward: split, search, select, evaluate out of sample; and sweeps over many parameter sets."""

from maestro.walkforward.events import Event, Listener, ProgressBar
from maestro.walkforward.selection import Selection
from maestro.walkforward.splitters import Adaptive, Calendar, Expanding, Rolling, Splitter, Window
from maestro.walkforward.sweep import Sweep, sweep

__all__ = [
    "Adaptive",
    "Calendar",
    "Event",
    "Expanding",
    "Listener",
    "ProgressBar",
    "Rolling",
    "Selection",
    "Splitter",
    "Sweep",
    "Window",
    "sweep",
]
