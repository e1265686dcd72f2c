"""How long a test waits for something that must happen: the limit only ends a test that would hang."""

from __future__ import annotations

GIVE_UP = 600.0
"""Seconds; a machine five times slower than the one on which the tests were written needs a fraction of it."""
GIVE_UP_MS = 1000 * GIVE_UP
"""The same in milliseconds, for the browser."""
