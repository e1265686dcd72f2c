"""Rate limits of a host: its remaining budgets, and the time left of a ban."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from maestro._core.atomic import write_atomic

Usage: TypeAlias = Callable[[Mapping[str, str]], Mapping[str, float]]
"""Reads the units that a host has counted, by budget, from the headers of its answer."""


def no_usage(headers: Mapping[str, str]) -> dict[str, float]:
    """The usage of a host that does not report any."""
    return {}


class Clock:
    """The time and the waiting of a client; tests replace it by a virtual one."""

    def now(self) -> float:
        """Seconds since 1970, UTC: for bars that are still open and for what is written to disk."""
        return time.time()

    def ticks(self) -> float:
        """Seconds of a monotonic clock, for waiting."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Budget:
    """Rate limit in a sliding window: `allowed` units in any `window` seconds, of which a share is used.

    A sliding window is never looser than the fixed windows of the exchanges.
    """

    def __init__(self, allowed: float, window: float, share: float = 0.9) -> None:
        self.allowed, self.window, self.share = allowed, window, share
        self._spent: deque[tuple[float, float]] = deque()

    def used(self, ticks: float) -> float:
        """Units spent in the window that ends at `ticks`."""
        while self._spent and self._spent[0][0] + self.window <= ticks:
            self._spent.popleft()
        return sum(cost for _, cost in self._spent)

    def wait(self, cost: float, ticks: float) -> float:
        """Seconds until `cost` units may be spent; 0 is now. A request costing more than the budget is sent by itself.

        ``ticks`` plus the result is never before the moment at which the units are free, whatever the rounding.
        """
        over = self.used(ticks) + cost - self.allowed * self.share
        if over <= 0:
            return 0.0
        free = ticks
        for spent_at, spent in self._spent:
            over -= spent
            free = spent_at + self.window
            if over <= 0:
                break
        seconds = free - ticks
        while ticks + seconds < free:
            seconds += math.ulp(free)
        return seconds

    def spend(self, cost: float, ticks: float) -> None:
        """Count a request."""
        self._spent.append((ticks, cost))

    def update(self, used: float, ticks: float) -> None:
        """Adopt the host's own count; units that this process did not spend were spent by another one."""
        foreign = used - self.used(ticks)
        if foreign > 0:
            self._spent.append((ticks, foreign))


class Host:
    """State of a host: its rate limits, and until when it must not be called.

    A ban is also written to a file, so that other processes, and later ones, observe it too.
    """

    def __init__(
        self,
        name: str,
        budgets: Mapping[str, Budget],
        *,
        clock: Clock,
        usage: Usage = no_usage,
        state_dir: Path | None = None,
    ) -> None:
        self.name, self.budgets, self.clock = name, budgets, clock
        self._usage = usage
        self._until = 0.0  # ticks
        self._file = None if state_dir is None else state_dir / f"ban-{re.sub(r'[^A-Za-z0-9.-]', '_', name)}.json"
        self._seen = 0  # st_mtime_ns of the file when it was last read

    def banned(self) -> float:
        """Seconds left of the ban; 0 if there is none."""
        self._read_file()
        return max(0.0, self._until - self.clock.ticks())

    def wait(self, cost: Mapping[str, float]) -> float:
        """Seconds until a request of this cost may be sent; 0 is now."""
        ticks = self.clock.ticks()
        return max(self.banned(), *(self.budgets[name].wait(units, ticks) for name, units in cost.items()), 0.0)

    def spend(self, cost: Mapping[str, float]) -> None:
        """Count a request that is sent now."""
        for name, units in cost.items():
            self.budgets[name].spend(units, self.clock.ticks())

    def update_from_headers(self, headers: Mapping[str, str]) -> None:
        """Adopt the host's own count of used units."""
        for name, units in self._usage(headers).items():
            self.budgets[name].update(units, self.clock.ticks())

    def ban(self, seconds: float) -> None:
        """Send nothing for `seconds` from now; a longer ban that is already known stays."""
        self._until = max(self._until, self.clock.ticks() + seconds)
        if self._file is None:
            return
        until = max(self._file_until(), self.clock.now() + seconds)
        write_atomic(self._file, json.dumps({"host": self.name, "until": until}).encode())

    def _read_file(self) -> None:
        if self._file is None:
            return
        try:
            changed = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed != self._seen:
            self._seen = changed
            self._until = max(self._until, self.clock.ticks() + self._file_until() - self.clock.now())

    def _file_until(self) -> float:
        """Wall time at which the ban on file ends; an unreadable file counts as none and is overwritten."""
        if self._file is None or not self._file.exists():
            return 0.0
        try:
            return float(json.loads(self._file.read_text())["until"])
        except (ValueError, KeyError, TypeError):
            return 0.0
