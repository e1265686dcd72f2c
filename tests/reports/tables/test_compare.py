"""Runs side by side: settings as text, ranges in words, and what makes a comparison unfair."""

from __future__ import annotations

from typing import Any

import pytest

from maestro.errors import SettingsError
from maestro.reports.tables.compare import _searched, compare_runs, flat
from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def one() -> StandIn:
    return stand_in(folds=3, bars=80, trials=6, failed=(1,), trades_each=4)


def test_settings_are_text_by_dotted_names_without_what_is_no_setting() -> None:
    spec: dict[str, Any] = {
        "costs": {"fee": 0.001}, "params": {}, "source": "abc", "windows": [[0, 1]], "fill": "close",
        "space": {"search": {"fast": {"low": 5, "high": 50}}},
    }  # fmt: skip
    assert flat(spec) == {"costs.fee": "0.001", "params": "{}", "fill": "close", "search of fast": "5 to 50"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"low": 5, "high": 50, "step": 1}, "5 to 50"), ({"low": 0, "high": 9, "step": 3}, "0 to 9 (step 3)"),
        ({"low": 0.1, "high": 1.0, "step": None, "log": True}, "0.1 to 1.0 (log)"),
        ({"options": ["cross", "trail"]}, "cross, trail"), ("fixed", "fixed"),
    ],
)  # fmt: skip
def test_ranges_are_words(given: Any, shown: str) -> None:
    assert _searched(given) == shown


def test_what_makes_a_comparison_unfair_is_noted(one: StandIn) -> None:
    spec = one.spec.to_dict()
    other = one.but(
        id="other", spec={**spec, "periods_per_year": 252.0, "costs": {**spec["costs"], "fee": 0.5},
                          "bars": {**spec["bars"], "fingerprint": "cd" * 32}},
    )  # fmt: skip
    notes = " ".join(compare_runs([one, other]).notes)
    for words in ("different bars", "annual figures are on different scales", "different costs", "1 of 3 folds failed"):
        assert words in notes
    assert not [note for note in compare_runs([one]).notes if "different" in note]


def test_only_settings_that_differ_are_marked(one: StandIn) -> None:
    found = compare_runs([one, one.but(id="other", spec={**one.spec.to_dict(), "seed": 8})])
    assert found.settings.filter(differs=True)["setting"].to_list() == ["seed"]
    assert found.settings["setting"][0] == "seed", "what differs comes first"


def test_names_are_as_long_as_they_must_be(one: StandIn) -> None:
    short = compare_runs([one]).names[0]
    assert short.endswith(one.id[:6])
    with pytest.raises(SettingsError, match="given twice"):
        compare_runs([one, one])
    names = compare_runs([one, one.but(id=one.id[:6] + "another")]).names
    assert names[0].endswith(one.id)
