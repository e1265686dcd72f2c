"""Summary, warnings and notes of a verdict: what they say, and from which threshold on."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from maestro.metrics import CostsPaid
from maestro.reports import Evidence, gather
from maestro.validation.verdict.notes import notes_of, summary, warnings_of
from tests.reports.standin import stand_in
from tests.validation.verdict.signs import checks


@pytest.fixture(scope="module")
def solid() -> Evidence:
    """Evidence with nothing to remark on."""
    return replace(
        gather(stand_in(edge=0.0001)),
        is_annual=0.40, oos_annual=0.30, efficiency=0.75, total_return=0.25, folds=9, failed=0, idle=0,
        benchmark_return=0.20, agreement=math.nan, trades=250, notes=(),
        costs=CostsPaid(net=25_000.0, fees=4_000.0, slippage=1_000.0, funding=0.0),
        movements={"fast": 0.1, "slow": 0.2}, at_bounds={"fast": 0, "slow": 0},
    )  # fmt: skip


def test_nothing_to_remark_on(solid: Evidence) -> None:
    assert warnings_of(solid) == ()
    assert notes_of(solid, checks()) == ()


def test_the_summary_compares_in_sample_out_of_sample_and_holding(solid: Evidence) -> None:
    message = summary(solid).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert message == (
        "Out of sample it returned +25.0 % in total, buy and hold +20.0 % over the same bars. The chosen parameters "
        "returned +40.0 % a year in sample and +30.0 % a year out of sample (efficiency 0.75)."
    )
    ruined = replace(solid, oos_annual=math.nan, efficiency=math.nan, total_return=-1.0)
    assert "a year" not in summary(ruined)
    assert "nan" not in summary(replace(solid, benchmark_return=math.nan, is_annual=math.nan))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"efficiency": 4.0}, "better times"),
        ({"agreement": 0.4}, "better out of sample"),
        ({"agreement": 0.1}, "says nothing about"),
        ({"agreement": -0.4}, "worse out of sample"),
        ({"movements": {"fast": 1.1, "slow": 0.2}}, "fast changes from fold to fold as much as random picks"),
        ({"movements": {"fast": 1.1, "slow": 0.9}}, "fast and slow change"),
        ({"at_bounds": {"fast": 6, "slow": 1}}, "fast is at a bound"),
        ({"idle": 2}, "2 folds made no trade"),
        ({"trades": 99}, "There are 99 closed trades"),
        ({"costs": CostsPaid(-9_000.0, 4_000.0, 1_000.0, 0.0)}, "lost money before costs"),
        ({"costs": CostsPaid(-1.0, 4_000.0, 1_000.0, 0.0)}, "decide the result"),
        ({"costs": CostsPaid(4_000.0, 4_000.0, 1_000.0, 0.0)}, "Costs took 56"),
        ({"notes": ("prices are adjusted",)}, "prices are adjusted"),
    ],
)
def test_a_note_for_each_remark(solid: Evidence, changes: dict[str, object], message: str) -> None:
    found = notes_of(replace(solid, **changes), checks())  # type: ignore[arg-type]
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"efficiency": 1.5},
        {"movements": {"fast": 0.74, "slow": math.nan}},
        {"at_bounds": {"fast": 4, "slow": 0}},
        {"trades": 100},
        {"trades": 0},
        {"costs": CostsPaid(5_000.0, 4_000.0, 1_000.0, 0.0)},
    ],
)
def test_no_note_below_its_threshold(solid: Evidence, changes: dict[str, object]) -> None:
    assert notes_of(replace(solid, **changes), checks()) == ()  # type: ignore[arg-type]


def test_many_missing_checks_are_counted(solid: Evidence) -> None:
    assert notes_of(solid, checks(luck="???")) == ()
    assert notes_of(solid, checks(luck="???", robustness="?+"))[0].startswith("4 of 15 checks could not be done")


def test_warnings_are_ordered_and_appear_once(solid: Evidence) -> None:
    loud = replace(
        solid, synthetic=True, fill="close", failed=2, ruined=True, overlapping=True,
        costs=CostsPaid(25_000.0, 0.0, 0.0, 0.0),
        notes=(
            "The data has fatal defects, which were accepted: high below low.", "Basis ran on a proxy: close.",
            "The bars are synthetic, not from a market.", "prices are adjusted",
        ),
    )  # fmt: skip
    assert [warning.title for warning in warnings_of(loud)] == [
        "Synthetic prices", "Look-ahead fills", "Defective data", "2 folds of 9 failed", "Ruin",
        "Overlapping test windows", "No costs", "Proxy data",
    ]  # fmt: skip
    assert notes_of(loud, checks()) == ("prices are adjusted",)


def test_failed_folds_are_not_counted_as_zero() -> None:
    found = stand_in(failed=(1, 2, 5)).verdict
    assert found.warnings[0].title == "3 folds of 9 failed"
    assert "not counted as zero" in found.warnings[0].text
