"""The ledger's entry of a universe: what was tried on one series is also a look at all the others."""

from __future__ import annotations

from collections.abc import Mapping

from maestro.bars import Bars
from maestro.errors import MaestroError
from maestro.ledger import Ledger, Tally


def enter_looks(tried: Mapping[str, tuple[Bars, Tally]], run: str, strategies: str) -> list[str]:
    """Enter in the ledger of each series the trials of all the other series.

    Choosing the best of forty symbols means having looked at forty. Exact repetitions count once, as everywhere.

    Parameters
    ----------
    tried : mapping
        From the ledger's name of a series to its bars and the trials on it.
    run : str
        Id of the call, equal for a repetition.
    strategies : str
        For the table.

    Returns
    -------
    list of str
        What could not be entered.
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
