"""The key figures of a walk-forward: gains and losses are marked, failed folds are said, costs without profit too."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from maestro.metrics import CostsPaid
from maestro.reports.tables.summary import summary_html, tiles
from maestro.validation.verdict.evidence import Evidence, gather
from tests.reports.standin import StandIn


@pytest.fixture(scope="module")
def evidence(wf: StandIn) -> Evidence:
    return gather(wf)


def by_name(evidence: Evidence) -> dict[str, tuple[str, str, str]]:
    return {name: (value, beside, tone) for name, value, beside, tone in tiles(evidence)}


def test_gains_and_losses_are_marked_and_what_is_undefined_is_not(evidence: Evidence) -> None:
    tones = [by_name(replace(evidence, total_return=x))["Return"][2] for x in (0.1, -0.1, 0.0, math.nan)]
    assert tones == ["gain", "loss", "", ""]


def test_failed_folds_are_a_loss(evidence: Evidence) -> None:
    _, beside, tone = by_name(evidence)["Folds with a profit"]
    assert (beside, tone) == ("1 fold failed", "loss")
    _, beside, tone = by_name(replace(evidence, failed=0))["Folds with a profit"]
    assert (beside, tone) == ("none failed", "")


def test_costs_are_a_share_of_the_profit_only_where_there_is_one(evidence: Evidence) -> None:
    paid = by_name(replace(evidence, costs=CostsPaid(100.0, 20.0, 3.0, math.nan)))["Costs"]
    assert paid[1] == "paid; no profit before them"
    assert (
        by_name(replace(evidence, costs=CostsPaid(100.0, 20.0, 3.0, 0.25)))["Costs"][1]
        == "of the profit before them, added over the folds"
    )


def test_the_summary_has_run_and_failed_folds_and_no_script(wf: StandIn) -> None:
    shown = str(summary_html(wf))
    assert wf.id in shown
    assert "9 folds" in shown
    assert "StrategyError: signals of a wrong shape" in shown
    assert "<script" not in shown
