"""Notes on a search: parameter sets with too long a warm-up, and failed trials."""

from __future__ import annotations

import polars as pl

from maestro._core.formatting import percent
from maestro.search.sampling import share_left_out
from maestro.search.space import Space
from maestro.search.trials import EVALUATED

NOTED = 0.1
"""Share of sets or trials above which their loss is a note of the result."""


def left_out_note(space: Space, bars: int, where: str) -> list[str]:
    """Return a note if more than 10 % of the searched sets have a warm-up longer than half of the bars.

    Parameters
    ----------
    space : Space
    bars : int
        Number of bars on which sets are evaluated.
    where : str
        Description of these bars, e.g. ``"bars of the shortest training window"``.
    """
    share = share_left_out(space, bars)
    if share <= NOTED:
        return []
    part = "All" if share == 1 else f"About {percent(share, 0)}"
    return [
        f"{part} of the sets in the searched ranges were left out: they need a warm-up longer than half of the "
        f"{bars:,} {where}. Narrow the ranges, or give more bars."
    ]


def failures_note(errors: pl.Series, tried: int, what: str) -> list[str]:
    """Return a note if more than 10 % of the trials failed.

    Parameters
    ----------
    errors : polars series of str
        Messages of failed trials; null for the others.
    tried : int
        Number of sets or trials that were evaluated or failed.
    what : str
        Name of the sets or trials, e.g. ``"trials"``.
    """
    messages = errors.drop_nulls()
    if not len(messages) or len(messages) <= NOTED * tried:
        return []
    return [
        f"{len(messages):,} of {tried:,} {what} ({percent(len(messages) / tried, 0)}) failed and are in no figure; the "
        f"first error: {messages[0]}"
    ]


def undefined_note(states: pl.Series, score: str) -> list[str]:
    """Return a note if the score of more than 10 % of the evaluated trials is undefined.

    Parameters
    ----------
    states : polars series of str
        State of each trial.
    score : str
        Name of the score that ranks the trials.
    """
    evaluated, undefined = int(states.is_in(EVALUATED).sum()), int((states == "undefined").sum())
    if undefined <= NOTED * evaluated:
        return []
    why = "they lost on no trade, or made none" if score.removeprefix("-") == "profit_factor" else "most made no trade"
    return [
        f"{undefined:,} of {evaluated:,} distinct trials ({percent(undefined / evaluated, 0)}) have no {score} and "
        f"could not be chosen: {why}."
    ]
