"""A backup is found by its name or the beginning of it; otherwise the message says which there are."""

from __future__ import annotations

import pytest

from maestro.errors import BackupError
from maestro.operations.backup.archives import Archives
from maestro.operations.backup.contents import Contents
from maestro.operations.backup.vault import StoredBackup, find

BROKEN = ("b.tar is damaged; take another one.",)
NAMES = ("maestro-20260101-120000", "maestro-20260102-120000", "maestro-20260102-120000-2")


class Stub(Archives):
    """A place with these backups."""

    def __init__(self, *names: str, damaged: tuple[str, ...] = ()) -> None:
        self._found = [StoredBackup(Contents(name, "", "", {}), 0) for name in names], list(damaged)

    @property
    def where(self) -> str:
        return "the folder"

    def backups(self) -> tuple[list[StoredBackup], list[str]]:
        return self._found


def test_the_newest_one_is_found_without_a_name() -> None:
    assert find(Stub(*NAMES), None).name == NAMES[-1]


def test_a_whole_name_goes_before_the_beginning_of_another() -> None:
    assert find(Stub(*NAMES), NAMES[1]).name == NAMES[1]
    assert find(Stub(*NAMES), "maestro-20260101").name == NAMES[0]


@pytest.mark.parametrize(
    ("vault", "name", "message"),
    [
        (Stub(), None, "there is no backup in the folder; make one: maestro backup create"),
        (Stub(), "x", "there is no backup in the folder"),
        (Stub(*NAMES), "maestro-20260102", "2 backups begin with 'maestro-20260102'"),
        (Stub(*NAMES), "", "no whole backup '' in the folder"),
        (Stub(*NAMES), "maestro-20260101-120001", "Did you mean 'maestro-20260101-120000'"),
        (Stub(damaged=BROKEN), None, "b.tar is damaged"),
        (Stub(*NAMES, damaged=BROKEN), "b", "b.tar is damaged"),
        (
            Stub(damaged=BROKEN),
            "c",
            "no whole backup 'c' in the folder; there are: none",
        ),
    ],
)
def test_a_missing_backup_is_reported(vault: Stub, name: str | None, message: str) -> None:
    with pytest.raises(BackupError, match=message):
        find(vault, name)
