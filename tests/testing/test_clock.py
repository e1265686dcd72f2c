"""The virtual clock moves only while somebody waits."""

from __future__ import annotations

import asyncio

from maestro.testing import VirtualClock


def test_waiting_moves_the_clock_on() -> None:
    clock = VirtualClock(100)
    asyncio.run(clock.sleep(3_600))
    assert clock.now() == clock.ticks() == 3_700.0


def test_several_that_wait_at_once_wait_for_the_longest_only() -> None:
    clock = VirtualClock(0)

    async def run() -> None:
        await asyncio.gather(clock.sleep(5), clock.sleep(60), clock.sleep(1))

    asyncio.run(run())
    assert clock.now() == 60.0
