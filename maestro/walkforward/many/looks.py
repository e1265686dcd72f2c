"""Ledger entries of a universe: trials on one series also count on all the others."""

from __future__ import annotations

from collections.abc import Mapping

from maestro.bars import Bars
from maestro.errors import MaestroError
from maestro.ledger import Ledger, Tally


def record_looks(tried: Mapping[str, tuple[Bars, Tally]], run: str, strategies: str) -> list[str]:
    """Record in the ledger of each series the trials on all the other series.

    To choose the best of forty symbols is to look at forty. Exact repetitions count once, as everywhere.

    Parameters
    ----------
    tried : mapping
        Bars and trials of each series, by the series' name in the ledger.
    run : str
        Id of the call; the same for a repetition.
    strategies : str
        Names of the strategies, for the table.

    Returns
    -------
    list of str
        Messages about entries that could not be written.
    """
    names = sorted(tried)
    if len(names) < 2:
        return []
    before = [Tally()]
    for name in names:
        before.append(before[-1] + tried[name][1])
    after = Tally()
    others: dict[str, Tally] = {}
    for k in range(len(names) - 1, -1, -1):
        others[names[k]] = before[k] + after
        after = tried[names[k]][1] + after
    lost = []
    for name in names:
        if not others[name].trials:
            continue
        try:
            Ledger(tried[name][0]).append("universe", others[name], strategy=strategies, run=run)
        except (MaestroError, OSError) as error:
            lost.append(f"The trials on the other series could not be entered in the ledger of {name}: {error}")
    return lost
