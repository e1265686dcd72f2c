"""Throttling of failed logins: after a few failures, a name and an address must wait, longer each time."""

from __future__ import annotations

import threading
import time

_FREE = {"name": 5, "address": 20}
_FORGET = 900.0
_MOST = 10_000
_LONGEST = 64  # of a user name; a longer one is counted by its beginning, so that it takes no memory


class LoginThrottle:
    """Counts failed logins by name and by address, in memory."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}
        self._lock = threading.Lock()

    def wait(self, name: str, address: str) -> float:
        """Seconds until another try is allowed; 0 for now."""
        now = time.monotonic()
        with self._lock:
            return max(self._left(key, now) for key in _keys(name, address))

    def failed(self, name: str, address: str) -> None:
        """Count a failure."""
        now = time.monotonic()
        with self._lock:
            if len(self._failures) >= _MOST:
                self._make_room(now)
            for key in _keys(name, address):
                count, at = self._failures.get(key, (0, now))
                self._failures[key] = (count + 1 if now - at < _FORGET else 1, now)

    def succeeded(self, name: str) -> None:
        """Forget the failures of a name."""
        with self._lock:
            self._failures.pop(("name", name[:_LONGEST]), None)

    def _make_room(self, now: float) -> None:
        """Drop what is outdated, and of more than half of the most entries those with the fewest failures."""
        fresh = [(key, one) for key, one in self._failures.items() if now - one[1] < _FORGET]
        fresh.sort(key=lambda entry: entry[1])
        self._failures = dict(fresh[-(_MOST // 2) :])

    def _left(self, key: tuple[str, str], now: float) -> float:
        count, at = self._failures.get(key, (0, now))
        over = count - _FREE[key[0]]
        if over < 0 or now - at >= _FORGET:
            return 0.0
        return max(at + min(2.0**over, 300.0) - now, 0.0)


def _keys(name: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("name", name[:_LONGEST]), ("address", address)
