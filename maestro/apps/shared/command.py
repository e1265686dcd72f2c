"""The command line that does what a screen of an app shows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from maestro._core.json import as_text


def command_of(words: list[str], options: Mapping[str, Any]) -> str:
    """Command for a shell; options that are None or empty are left out, and a list is given once for each value."""
    parts = ["maestro", *words]
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            text = "" if one is None else as_text(one)
            if text:
                parts += [f"--{name}={text}"] if text.startswith("-") else [f"--{name}", text]
    return shlex.join(parts)


def pairs(values: Mapping[str, Any]) -> list[str]:
    """Values of parameters as ``--param`` takes them."""
    return [f"{name}={as_text(value)}" for name, value in values.items()]


def range_text(given: Any) -> str | None:
    """Range of a parameter as ``--space`` takes it; None where the command line has no form for it."""
    if isinstance(given, Mapping):
        if "options" in given:
            return ",".join(map(as_text, given["options"]))
        if not {"low", "high"} <= given.keys():
            return None
        low, high, step = (given.get(name) for name in ("low", "high", "step"))
        last = ["log"] if given.get("log") else [] if step is None else [step]
        return ":".join(map(as_text, (low, high, *last)))
    if isinstance(given, (list, tuple)) and given:
        numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in given)
        return (":" if numbers and len(given) in (2, 3) else ",").join(map(as_text, given))
    return None
