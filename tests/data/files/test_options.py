"""Options of reading a file: allowed values, zones, and how a message names an option."""

from __future__ import annotations

from typing import Any

import pytest

from maestro.data.files.options import ReadOptions, say
from maestro.errors import SettingsError


def test_an_option_is_named_for_python_and_for_the_shell() -> None:
    assert say("unit", "ms") == "unit='ms' (--unit ms)"
    assert say("unit", "%d/%m/%Y") == "unit='%d/%m/%Y' (--unit '%d/%m/%Y')"
    assert say("columns", close="it's") == """columns={'close': "it's"} (--column "close=it's")"""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"series": "fundings"}, r"series='fundings' \(--series\) is unknown; give .*Did you mean 'funding'"),
        ({"stamps": "middle"}, "give open, close"),
        ({"decimal": ";"}, r"give '\.', ','"),
        ({"columns": ["close"]}, "is not a mapping of names"),
        ({"zone": "Berlin"}, "is not a known time zone; give a name such as .*Did you mean 'Europe/Berlin'"),
        ({"zone": "../etc/passwd"}, "is not a known time zone"),
        ({"seperator": ";"}, "there is no option 'seperator'"),
    ],
)
def test_what_is_not_an_option_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ReadOptions.of(given)


def test_none_is_the_default() -> None:
    options = ReadOptions.of({"symbol": None, "zone": "Europe/Berlin", "columns": {"volume": 0}})
    assert (options.symbol, options.zone, options.columns) == ("", "Europe/Berlin", {"volume": "0"})
