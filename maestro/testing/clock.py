"""A virtual clock: waiting moves it on, so that hours of waiting take milliseconds."""

from __future__ import annotations

import asyncio

from maestro.data.sources.limits import Clock


class VirtualClock(Clock):
    """A clock that stands still until somebody waits; the fake exchange and its client share one.

    Parameters
    ----------
    now : float [s since 1970, UTC]
    """

    def __init__(self, now: float) -> None:
        self.time = float(now)

    def now(self) -> float:
        """The time [s since 1970, UTC]."""
        return self.time

    def ticks(self) -> float:
        """The same time, as a monotonic clock."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Move the clock on."""
        until = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, until)
