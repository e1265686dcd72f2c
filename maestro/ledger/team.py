"""Trials on a series that count: of one user, or of everybody who keeps ledgers in the same place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maestro._core.formatting import listed, plural
from maestro.bars import Bars
from maestro.config import load_settings
from maestro.errors import LedgerError
from maestro.ledger.book import INDEX, SUFFIX, Ledger, Trials, count_entries
from maestro.ledger.chain import Entry
from maestro.ledger.series import folder, series_of


@dataclass(frozen=True, slots=True)
class Counted:
    """Trials on a series, and whose they are.

    Attributes
    ----------
    trials : Trials
        All that count, those on the other series of a universe too.
    own_series : Trials
        Those on this series alone.
    users : tuple of str
        Whose trials are counted.
    left_out : tuple of str
        Who tried the series too, and is not counted because of the setting ``ledger_team``.
    unreadable : tuple of str
        Whose ledgers cannot be read; the count is too small by their trials.
    """

    trials: Trials
    own_series: Trials
    users: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """Whose trials are counted, for the end of a sentence; empty if nobody else has any."""
        words = f" by {plural(len(self.users), 'user')}" if len(self.users) > 1 else ""
        if self.left_out:
            words += f" by this user, without {plural(len(self.left_out), 'other user')} (setting ledger_team)"
        if self.unreadable:
            words += f", without those of {listed(self.unreadable)}, which cannot be read"
        return words


def counted(series: Bars | str, user: str = "") -> Counted:
    """Count the trials on a series that the deflated Sharpe ratio is based on.

    With the setting ``ledger_team`` (the default) these are the trials of all users whose ledgers are in
    ``ledger_dir``, else of one user. Exact repetitions count once, whoever made them.

    Parameters
    ----------
    series : Bars or str
    user : str, optional
        The one user; the current one if absent.

    Raises
    ------
    LedgerError
        The own ledger cannot be read.
    """
    name = series_of(series)
    own, everyone = folder(user), load_settings().ledger_team
    found: list[list[Entry]] = []
    users, left_out, unreadable = [], [], []
    for place in user_folders(own):
        try:
            entries = Ledger(name, place).lines()
        except (LedgerError, OSError):
            if place == own:
                raise
            unreadable.append(place.name)
            continue
        if not entries and place != own:
            continue
        if place != own and not everyone:
            left_out.append(place.name)
            continue
        found.append(entries)
        if entries:
            users.append(place.name)
    return Counted(
        count_entries(found), count_entries(found, "universe"), tuple(users), tuple(left_out),
        tuple(unreadable) if everyone else (),
    )  # fmt: skip


def user_folders(own: Path | None = None) -> list[Path]:
    """Folders of all users who keep ledgers in ``ledger_dir``, the own one first, be it empty.

    A folder that may not be entered is one of them: its trials are missing in every count.
    """
    own = folder() if own is None else own
    try:
        places = sorted(place for place in load_settings().ledger_dir.iterdir() if place.is_dir() and place != own)
    except FileNotFoundError:
        places = []
    return [own, *(place for place in places if _has_ledgers(place))]


def _has_ledgers(place: Path) -> bool:
    try:
        return any(path.suffix == SUFFIX and path.name != INDEX for path in place.iterdir())
    except PermissionError:
        return True
