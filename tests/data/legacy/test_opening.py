"""What can be opened as an old database."""

from __future__ import annotations

import pytest

from maestro.data.legacy import open_legacy
from maestro.errors import SettingsError


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("rethinkdb://", "rethinkdb:// is not understood; give rethinkdb://"),
        ("rethinkdb://secret@host:port", "rethinkdb://host:port is not understood"),
        ("rethinkdb://host/a/b", "not understood"),
        ("mongodb://user:secret@host", "mongodb:// is not an old database"),
        ("nowhere.tar.gz", "there is no file or folder nowhere.tar.gz"),
    ],
)
def test_places_that_are_none(place: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        open_legacy(place)
    assert "secret" not in str(error.value)
