"""Commands run in this process, with what they print, and a user-defined strategy as a file."""

from __future__ import annotations

from typing import NamedTuple

OWN = """
import maestro as ms

LIMIT = 1.0

def above(close, line):
    return close > LIMIT * line

class Above(ms.Strategy):
    \"\"\"Long above a moving average.\"\"\"
    n = ms.Int(20, 5, 50, doc="bars of the average")
    kind = ms.Choice("sma", ("sma", "ema"), search=False)
    loud = ms.Bool(False, search=False)

    def warmup(self, params):
        return params.n

    def signals(self, bars):
        line = getattr(ms.indicators, self.kind)(bars.close, self.n)
        long = above(bars.close, line)
        return ms.Signals(long_entry=long, long_exit=~long)
"""

SLOW = OWN.replace("(self, bars):\n", "(self, bars):\n        __import__('time').sleep(0.01)\n")
FAST = ("--trials", "8", "--space", "fast=5:30", "-p", "slow=60", "--no-progress")


class Done(NamedTuple):
    code: int
    out: str
    err: str


def fits(text: str, width: int = 80) -> bool:
    lines = [line for line in text.splitlines() if not line.startswith("/")]  # a path is as long as it is
    return all(len(line) <= width for line in lines)
