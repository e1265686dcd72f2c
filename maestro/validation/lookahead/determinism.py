"""Checks that a strategy is deterministic, stateless, and leaves its input unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from maestro.bars import Bars
from maestro.strategies.base import Strategy
from maestro.validation.lookahead.probing import COLUMNS, Answer, Refused, ask, differences, private
from maestro.validation.lookahead.truncation import Finding


def mutation(answers: list[Answer | Refused]) -> Finding:
    """Whether a call changed its bars, or tried to."""
    for answer in answers:
        if isinstance(answer, Answer) and answer.changed:
            words = f"The strategy changes what it is given: {answer.changed}. Work on a copy: np.array(bars.close)."
            return Finding("mutation", False, words, columns=(_column(answer.changed),))
        if isinstance(answer, Refused) and any(word in answer.words for word in ("read-only", "WRITEABLE")):
            words = f"The strategy writes into the bars' arrays ({answer}). Work on a copy: np.array(bars.close)."
            return Finding("mutation", False, words)
    return Finding("mutation", True, "The bars were left as they were.")


def _column(words: str) -> str:
    return words.removeprefix("bars.").split(" ")[0]


def randomness(fresh: Callable[[], Strategy], bars: Bars, whole: Answer) -> Finding:
    """Whether a fresh copy of the strategy gives different signals on the same bars."""
    try:
        found = differences(whole, ask(fresh(), private(bars)))
    except Refused as error:
        return Finding("randomness", False, f"Asked a second time about the same bars the strategy raises {error}.")
    if not found:
        return Finding("randomness", True, "Asked twice about the same bars the strategy gives the same signals.")
    first = min(found, key=lambda one: one.bars[0])
    words = (
        f"Asked twice about the same bars the strategy gives other signals, first {first.signal} at bar "
        f"{first.bars[0]}: it draws at random without a seed, or reads a clock. "
        "Draw from np.random.default_rng(seed) with a declared seed."
    )
    return Finding("randomness", False, words, first.signal, first.bars[0])


def statefulness(fresh: Callable[[], Strategy], bars: Bars, whole: Answer, cut: int) -> Finding:
    """Whether signals depend on earlier calls: a wrongly keyed cache, or a variable that is kept.

    The strategy runs on the first `cut` bars at first, after all bars, after other bars of the same name, stamps and
    number, and under another name; all signals must be the same.
    """
    other = private(bars, **_reversed(bars))
    renamed = private(bars, 0, cut)
    renamed.symbol = f"{renamed.symbol}-renamed"
    again = fresh()
    orders: dict[str, tuple[Strategy, list[Bars]]] = {
        "after all bars": (fresh(), [private(bars)]),
        "after other bars of the same name": (fresh(), [private(other), private(other, 0, cut)]),
        "a second time": (again, [private(bars, 0, cut)]),
        "under another name": (again, []),
    }
    try:
        first = ask(fresh(), private(bars, 0, cut))
    except Refused as error:
        return Finding("state", None, f"Given the first {cut} bars the strategy raises {error}.", cut=cut)
    for when, (strategy, before) in orders.items():
        question = renamed if when == "under another name" else private(bars, 0, cut)
        try:
            for one in before:
                ask(strategy, one)
            found = differences(first, ask(strategy, question))
        except Refused as error:
            words = f"Asked about the first {cut} bars {when} the strategy raises {error}. {_REMEDY}"
            return Finding("state", False, words, cut=cut)
        if found:
            worst = min(found, key=lambda d: d.bars[0])
            words = (
                f"Asked about the first {cut} bars {when} the strategy gives another {worst.signal} at bar "
                f"{worst.bars[0]} than when it is asked about them first. {_REMEDY}"
            )
            return Finding("state", False, words, worst.signal, worst.bars[0], cut)
    named = _named(fresh, other)
    return named or _deaf(fresh(), bars, whole, other)


_TELLING = 8
"""Changes of a signal from which on it is no chance, nor the rule's plain intention, that other bars give the same."""
_REMEDY = (
    "It keeps something from one call to the next; a cache must be keyed by all that its content hangs on, "
    "bars.fingerprint and the parameters."
)


def _named(fresh: Callable[[], Strategy], other: Bars) -> Finding | None:
    """Whether signals depend on the name: those cached for bars of this name are returned for different bars, too."""
    alias = private(other)
    alias.symbol = f"{alias.symbol}-renamed"
    try:
        found = differences(ask(fresh(), private(other)), ask(fresh(), alias))
    except Refused:
        return None
    if not found:
        return None
    worst = min(found, key=lambda d: d.bars[0])
    words = (
        f"Of a market that was made up the strategy gives another {worst.signal} at bar {worst.bars[0]} under the name "
        f"of these bars than under a new one: something is kept by the name. {_REMEDY}"
    )
    return Finding("state", False, words, worst.signal, worst.bars[0])


def _deaf(strategy: Strategy, bars: Bars, whole: Answer, other: Bars) -> Finding:
    """Whether different bars of the same name and stamps give the same signals, which then do not depend on them."""
    passed = Finding("state", True, "The answer does not depend on what was asked before.")
    if max(int((flags[2:] != flags[1:-1]).sum()) for flags in whole.flags.values()) < _TELLING:
        return passed
    later = private(other, time=other.time + 11 * int(np.median(np.diff(bars.time))))
    try:
        if differences(whole, ask(strategy, other)):
            return passed
        if differences(whole, ask(strategy, later)):
            words = "The signals do not depend on prices, volume or series at all, only on the stamps of the bars."
            return Finding("state", True, words)
    except Refused:
        return passed
    words = (
        "Quite other prices and stamps give the very same signals: they come from somewhere else than the bars given, "
        f"from a cache or a file. {_REMEDY}"
    )
    return Finding("state", False, words)


def _reversed(bars: Bars) -> dict[str, Any]:
    """Columns of an invented market: the same one reversed, at three times the price."""
    columns = {}
    for name in COLUMNS:
        values = getattr(bars, name)
        if values is not None:
            columns[name] = np.array(values[::-1]) * (3.0 if name in ("open", "high", "low", "close") else 1.0)
    return columns
