"""The settings file: what is refused, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.config import load_settings
from maestro.errors import SettingsError
from tests.support.settings import write_settings


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("store: a\nstoer: b", 2, r"'stoer' is not a setting; .*Did you mean 'store'"),
        ("search:\n  trails: 5", 2, r"'search.trails' is not a setting; allowed here: method, seed, trials, workers"),
        ("search:\n  trials: many", 2, "search.trials is 'many'; give a whole number"),
        ("search:\n  trials: 1.5", 2, "give a whole number"),
        ("search:\n  trials: true", 2, "give a whole number"),
        ("search:\n  trials: 0", 2, "give a number of at least 1"),
        ("search: 5", 1, "the section 'search' holds '5'"),
        ("store:\n  path: x", 1, "store is {'path': 'x'}; give a folder"),
        ("store:", 1, "store is None; give a folder"),
        ("\n\ncache:\n\n  max_age: soon", 5, "give seconds, or a time such as 90s"),
        ("cache: {memory: 5TB}", 1, "give bytes, or a size"),
        ("cache: {enabled: perhaps}", 1, "give true or false"),
        ("servers:\n  questdb:\n    password: x", 3, "must not be in a file; set MAESTRO_QUESTDB_PASSWORD"),
        ("servers:\n  kdb: {}", 2, "'servers.kdb' is not a setting; allowed here: binance, bitmex, ccxt, mlflow,"),
        ("costs:\n  BINANCE: {takr: 0.1}", 2, "Did you mean 'taker'"),
        ("costs:\n  BINANCE: {taker: 0.75}", 2, "at least -0.01 and below 0.5"),
        ("costs:\n  BINANCE: {taker: .nan}", 2, "give a number"),
        ("costs:\n  'A B': {taker: 0.1}", 2, "is not a setting"),
        ("costs:\n  BINANCE: 0.1", 2, "the section 'costs.BINANCE' holds '0.1'"),
        ("store: a\nsearch: {}\nstore: b", 3, "'store' is already set in line 1"),
        ("- store", 1, "the file holds a sequence"),
        ("? [a]\n: b", 1, "a key must be a name"),
        ("a: [1\nb: 2", 2, "this is not valid YAML"),
        (f"a: {'[' * 3_000}{']' * 3_000}", 1, "nested too deeply"),
        ("store: *nowhere", 1, "this is not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(project: Path, text: str, line: int, message: str) -> None:
    write_settings(project, text)
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(env={})
    assert str(caught.value).startswith(f"{project / 'maestro.yaml'}:{line}: ")


def test_empty_files_and_sections_are_fine(project: Path) -> None:
    for text in ("", "# nothing yet\n", "search:\n  # trials: 5\ncosts:\n"):
        write_settings(project, text)
        assert load_settings(env={}).search.trials == 100
