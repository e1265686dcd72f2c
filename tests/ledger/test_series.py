"""Which ledger a series has: names, files and users."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.ledger import Ledger, ledgers
from maestro.ledger.series import file_name, folder, owned_by, series_of, user
from tests.ledger.test_book import run


def test_more_bars_of_a_market_are_the_same_series(bars: ms.Bars) -> None:
    run(bars)
    run(bars[:800])
    book = Ledger(bars)
    assert book.entries()["fingerprint"].drop_nulls().n_unique() == 2
    assert len(ledgers()) == 1
    assert Ledger(bars.name.lower().replace("1H", "1h")).n_trials == book.n_trials


def test_bars_without_a_name_are_known_by_their_content(bars: ms.Bars) -> None:
    plain = ms.Bars.from_frame(bars.to_frame())
    assert series_of(plain) == f"UNNAMED:{plain.fingerprint[:16].upper()}:1h"


@pytest.mark.parametrize("text", ["AAPL", "", ":", "A:", 3])
def test_what_names_no_series_is_refused(text: Any) -> None:
    with pytest.raises(SettingsError, match="names no series; give bars, or PROVIDER:SYMBOL:timeframe"):
        Ledger(text)


def test_names_of_files_are_safe_and_differ() -> None:
    names = [
        "A:B:1h",
        "A:B/USD:1h",
        "A:B-USD:1h",
        "../../x:y:1h",
        "A_B:C:1h",
        "A:B_C:1h",
        "Ä:Ö:1h",
        "a" * 300 + ":b:1h",
    ]
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(names)
    assert all(Path(file).name == file and len(file) < 128 and not file.startswith(".") for file in files)


def test_each_user_has_a_folder_of_their_own() -> None:
    names = ["anna", "Anna.B_c-d", "anna@example.org", "anna-example.org", "anna/example.org", "..", ".anna", "Ä", "Ö"]
    folders = [folder(name).name for name in names]
    assert len(set(folders)) == len(names)
    assert folders[:2] == names[:2], "names that are safe keep their folders"
    assert folders[2].startswith("anna-example.org+")
    assert all(re.fullmatch(r"(?!\.)[A-Za-z0-9._+-]+", one) for one in folders)
    assert [folder(one).name for one in folders] == folders, "the name of a folder stands for itself"
    with owned_by("anna@example.org"):
        assert folder() == folder("anna@example.org")


def test_a_user_without_a_name_has_a_folder_where_there_are_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise ImportError("no pwd")

    monkeypatch.setattr("getpass.getuser", nobody)
    monkeypatch.delattr("os.getuid", raising=False)
    assert user() == "user"
