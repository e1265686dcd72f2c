"""History that signals need: warm-ups that are too short, and signals that always depend on the first bar.

The strategy runs on bars that begin later, and its signals are compared with those on the whole history.
A signal with little history that would not be given with more is *premature*. (No signal is not an error: a rule
may wait for its third funding settlement.) Recursive averages forget their
beginning gradually, which is accepted if it is over within `FORGIVEN` times the warm-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from maestro.bars import Bars
from maestro.strategies.base import Strategy
from maestro.validation.lookahead.probing import COLUMNS, FLAGS, Answer, Refused, ask, differences, private
from maestro.validation.lookahead.truncation import Finding

FORGIVEN = 20
"""Multiple of the warm-up after which no signal may depend on where the bars began."""
NEVER = 1000
"""Bars after which a dependence counts as one that never ends, where the warm-up is short."""
_NOTICED = 1e-6
"""Relative difference of a level that counts here."""


@dataclass
class Start:
    """Effect of a later start: offsets of premature signals from it, and the number of signals."""

    bar: int
    offsets: np.ndarray[Any, np.dtype[np.int64]]
    signal: str | None
    given: int


def dependence(
    of: Callable[[], Strategy], bars: Bars, whole: Answer, first: int, starts: int, rng: np.random.Generator
) -> tuple[Finding, Finding]:
    """Return the findings *warm-up* and *history*; `first` is the first bar at which the strategy can start."""
    n, rule = len(bars), of()
    warm = rule.warmup(rule.params)
    reach = max(FORGIVEN * warm, NEVER)
    room = n - first
    horizon = min(reach, room // 2)
    begins = np.arange(first + 1, max(n - max(horizon, 2 * warm, 2), first + 2))
    chosen = sorted(rng.choice(begins, min(starts, len(begins)), replace=False).tolist())
    tried, silent = [], []
    for s in chosen:
        try:
            tried.append(_premature(whole, ask(of(), private(bars, s)), s, warm))
        except Refused as error:
            silent.append(f"Given the bars from {s} on the strategy raises {error}.")
    if not tried:
        words = silent[0] if silent else f"{n} bars leave no room to begin later; give more bars."
        return Finding("warm-up", None, words), Finding("history", None, words)
    short = "" if horizon == reach else f" (with {n} bars only {horizon} bars of memory could be looked at)"
    spoken = [one for one in tried if len(one.offsets)]
    if not spoken:
        words = f"Begun at {len(tried)} later bars the strategy gives no signal that more history takes back."
        return Finding("warm-up", True, words), Finding("history", True, words + short)
    last = max(int(one.offsets[-1]) for one in spoken)
    total, given = sum(len(one.offsets) for one in tried), sum(one.given for one in tried)
    earliest = min(spoken, key=lambda one: one.bar)
    where = int(earliest.offsets[0]) + earliest.bar
    size = f"{total} of {given} signals ({total / max(given, 1):.2%}) over {len(tried)} later beginnings"
    if horizon < min(FORGIVEN * warm, NEVER):
        words = (
            f"{size} are others, the last one {last} bars after the beginning; {n} bars are too few to tell what fades "
            f"from what does not. Give at least {first + 2 * min(FORGIVEN * warm, NEVER)}."
        )
        return Finding("warm-up", None, words), Finding("history", None, words)
    if last >= horizon:
        words = (
            f"Signals depend on where the bars begin, and never stop to: {size} are others, the last one {last} bars "
            f"after the beginning{short}. The rule adds up, counts or ranks since the first bar; give it a window."
        )
        return (
            Finding("warm-up", True, "The dependence on history does not end; see there."),
            Finding("history", False, words, earliest.signal, where),
        )
    memory = np.array([_memory(of, bars, whole, [one.bar for one in tried], factor) for factor in (10.0, 1e5)])
    if memory.max() < 0:
        words = "A signal is given at the very beginning of the bars, whatever was before; nothing else depends on it."
        return Finding("warm-up", True, words), Finding("history", True, words)
    # A window ends at its length, whatever it saw; a recursion lasts the longer, the more there is to forget.
    fades = bool(np.median(memory[1] - memory[0]) > max(3.0, 0.2 * np.median(memory[0])))
    if (fades and last < FORGIVEN * warm) or last < warm:
        words = (
            f"Recursive: {size} are others, the last one {last} bars after the beginning, within {FORGIVEN} times the "
            f"warm-up of {warm}{short}."
        )
        return Finding("warm-up", True, f"The warm-up of {warm} bars is enough, but for what fades."), Finding(
            "history", True, words, earliest.signal, where
        )
    needed = max(last + 1, 0 if fades else int(memory[0].max()) + 1)
    words = (
        f"The warm-up of {warm} bars is too short: {size} would not be given with more history, the last one {last} "
        f"bars after the beginning. Let warmup() return at least {needed} with these parameters."
    )
    return (
        Finding("warm-up", False, words, earliest.signal, where, columns=()),
        Finding("history", True, f"From {last + 1} bars after the beginning on no signal depends on it{short}."),
    )


def _premature(whole: Answer, late: Answer, start: int, warm: int) -> Start:
    """Offsets at which the later start gives signals that the whole history does not give."""
    n = len(late.flags["long_entry"])
    spoken = np.zeros(n, np.bool_)
    signal = None
    given = 0
    for name in FLAGS:
        alone = late.flags[name] & ~whole.flags[name][start:]
        given += int(late.flags[name].sum())
        if alone.any() and signal is None:
            signal = name
        spoken |= alone
    for one in differences(whole, late, offset=start):
        if one.signal in FLAGS or one.signal not in late.levels | late.series:
            continue
        mine = {**late.levels, **late.series}[one.signal]
        other = {**whole.levels, **whole.series}[one.signal][start:]
        at = np.asarray(one.bars)
        apart = np.abs(mine[at] - other[at]) > _NOTICED * np.abs(other[at])
        counts = late.entries[at] if one.signal in late.levels else ~np.isnan(mine[at])
        at = at[apart & counts]
        if len(at) and signal is None:
            signal = one.signal
        spoken[at] = True
    spoken[:warm] = False
    return Start(start, np.flatnonzero(spoken), signal, given)


def _memory(of: Callable[[], Strategy], bars: Bars, whole: Answer, starts: list[int], factor: float) -> list[int]:
    """Distances at which a history scaled by `factor`, up or down, still changes a signal or level; -1 for none."""
    return [max(_reaches(of, bars, whole, s, scale) for scale in (factor, 1.0 / factor)) for s in starts]


def _reaches(of: Callable[[], Strategy], bars: Bars, whole: Answer, start: int, scale: float) -> int:
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        values = getattr(bars, name)
        if values is not None:
            columns[name] = np.array(values)
            columns[name][:start] *= scale
    try:
        found = differences(whole, ask(of(), private(bars, **columns)), begin=start)
    except Refused:
        return -1
    return max((one.bars[-1] - start for one in found), default=-1)
