"""What reproduces a run, in words: settings without empty ones, commands, and every form of the data's quality."""

from __future__ import annotations

import re
from typing import Any

import pytest

from maestro.reports.page.provenance import provenance, quality_table
from tests.reports.standin import StandIn


def words(html: object) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", str(html)).split())


def test_only_settings_with_a_value_are_shown(wf: StandIn) -> None:
    shown = words(provenance(wf))
    assert "Seed 7" in shown
    assert "fee 0.100" in shown
    assert "at the next bar's open" in str(provenance(wf)).replace("&#39;", "'")
    for absent in ("Pruner", "Warm start", "Fixed parameters", "First trial"):
        assert absent not in shown
    assert "2026-01-31 10:00 UTC" in shown


def test_commands_are_escaped(wf: StandIn) -> None:
    shown = str(provenance(wf.but(manifest={**wf.manifest, "command": ["maestro <b>", "second"]})))
    assert "maestro &lt;b&gt;\nsecond" in shown


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        (None, "The run has no record of the quality of its data."),
        ([], "No anomaly was found in the data."),
        ([{"check": "gaps", "count": 3}], "Check Count gaps 3"),
        ({"check": ["gaps"], "count": [12_345]}, "Check Count gaps 12,345"),
        ({"rows": 5, "clean": True}, "Rows 5 Clean yes"),
        (["one hole"], "one hole"),
        ([{"at": "2021-01-01T00:00:00+00:00"}, {"count": None}], "2021-01-01 00:00"),
    ],
)
def test_every_form_of_quality_is_read(wf: StandIn, quality: Any, expected: str) -> None:
    assert expected in words(quality_table(wf.but(manifest={**wf.manifest, "quality": quality})))
