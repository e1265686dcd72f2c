"""A clock that waits by moving on: schedules of hours run in milliseconds, and no time passes by itself."""

from __future__ import annotations

import asyncio

from maestro.data.sources.limits import Clock


class VirtualClock(Clock):
    """The exchange and its client look at the same one."""

    def __init__(self, now: float) -> None:
        self.time = float(now)

    def now(self) -> float:
        return self.time

    def ticks(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        until = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, until)
