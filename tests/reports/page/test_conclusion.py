"""What the words on top of the report say, and what they must say loudly."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from maestro.reports import Evidence, conclude, gather
from maestro.reports.figures.costs import CostsPaid
from maestro.reports.page.conclusion import significance_note
from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def solid() -> Evidence:
    """Evidence that holds in every respect."""
    found = gather(stand_in(edge=0.0001))
    return replace(
        found,
        is_annual=0.40, oos_annual=0.30, efficiency=0.75, is_sharpe=1.8, oos_sharpe=1.4, total_return=0.25,
        profitable=7, folds=9, failed=0, benchmark_return=0.20, benchmark_sharpe=0.8, agreement=0.4, trades=250,
        costs=CostsPaid(net=25_000.0, fees=4_000.0, slippage=1_000.0, funding=0.0),
        movements={"fast": 0.1, "slow": 0.2}, at_bounds={"fast": 0, "slow": 0},
    )  # fmt: skip


def test_everything_good_holds(solid: Evidence) -> None:
    found = conclude(solid)
    assert found.grade == "holds"
    assert {f.tone for f in found.findings} == {"for"}
    assert not found.warnings
    assert "75" in str(found)
    assert "luck" in found.believe


@pytest.mark.parametrize(
    ("changes", "grade"),
    [
        ({"folds": 3}, "none"),
        ({"trades": 29}, "none"),
        ({"total_return": -0.01, "oos_annual": -0.01, "efficiency": -0.03}, "fails"),
        ({"is_annual": -0.1, "efficiency": math.nan}, "fails"),
        ({"profitable": 3}, "fails"),
        ({"efficiency": 0.49}, "partly"),
        ({"profitable": 5}, "partly"),
        ({"oos_sharpe": 0.7}, "partly"),
        ({"benchmark_sharpe": math.nan}, "holds"),
        ({"ruined": True}, "fails"),
        ({"oos_annual": math.nan}, "none"),
    ],
)
def test_grades_follow_their_thresholds(solid: Evidence, changes: dict[str, object], grade: str) -> None:
    found = conclude(replace(solid, **changes))  # type: ignore[arg-type]
    assert found.grade == grade
    assert found.headline.endswith(".")
    assert "nan" not in str(found).lower()


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"efficiency": 0.2}, "In sample against out of sample"),
        ({"profitable": 2}, "Evenness over time"),
        ({"oos_sharpe": 0.1}, "Against buy and hold"),
        ({"movements": {"fast": 1.1, "slow": 0.9}}, "Stability of the parameters"),
        ({"trades": 12}, "Number of trades"),
        ({"trades": 0}, "Number of trades"),
        ({"costs": CostsPaid(-1.0, 4_000.0, 1_000.0, 0.0)}, "Costs"),
        ({"costs": CostsPaid(-9_000.0, 4_000.0, 1_000.0, 0.0), "trades": 40}, "Costs"),
        ({"costs": CostsPaid(4_000.0, 4_000.0, 1_000.0, 0.0)}, "Costs"),
    ],
)
def test_what_speaks_against_it_is_listed(solid: Evidence, changes: dict[str, object], title: str) -> None:
    found = conclude(replace(solid, **changes))  # type: ignore[arg-type]
    assert title in [f.title for f in found.findings if f.tone == "against"]


def test_too_little_to_judge_is_put_in_numbers(solid: Evidence) -> None:
    for changes, said in (
        ({"trades": 28}, "28 trades out of sample: too little"),
        ({"trades": 0}, "No trade out of sample: too little"),
        ({"trades": 9, "folds": 2}, "2 folds and 9 trades out of sample: too little"),
    ):
        assert conclude(replace(solid, **changes)).headline.startswith(said)


def test_too_good_to_be_true_is_open_not_for(solid: Evidence) -> None:
    found = conclude(replace(solid, efficiency=4.0, oos_annual=1.6))
    assert found.findings[0].tone == "open"
    assert "better times" in found.findings[0].text


def test_free_trading_is_mentioned(solid: Evidence) -> None:
    found = conclude(replace(solid, costs=CostsPaid(25_000.0, 0.0, 0.0, 0.0)))
    assert "not free" in next(f.text for f in found.findings if f.title == "Costs")


def test_bounds_of_the_search_are_mentioned(solid: Evidence) -> None:
    found = conclude(replace(solid, at_bounds={"fast": 6, "slow": 1}))
    assert "fast lies at a bound" in next(f.text for f in found.findings if f.title.startswith("Stability"))


def test_loud_warnings(solid: Evidence) -> None:
    loud = replace(
        solid, synthetic=True, fill="close", failed=2, ruined=True, overlapping=True,
        notes=("Basis ran on a proxy: close.", "The bars are synthetic, not from a market.", "prices are adjusted"),
    )  # fmt: skip
    titles = [w.title for w in conclude(loud).warnings]
    assert titles == [
        "Synthetic data", "Look-ahead fills", "2 folds of 9 failed", "Ruin", "Overlapping test windows",
        "A stand-in was used",
    ]  # fmt: skip
    assert conclude(loud).notes == ("prices are adjusted",)
    assert "made up" in conclude(loud).believe
    assert not conclude(solid).warnings


def test_failed_folds_are_counted_in_words() -> None:
    found = conclude(stand_in(failed=(1, 2, 5)))
    assert found.warnings[0].title == "3 folds of 9 failed"
    assert "not counted as zero" in found.warnings[0].text


def test_no_fold_at_all_gives_no_figure() -> None:
    found = conclude(stand_in(folds=3, failed=(0, 1, 2)))
    assert found.grade == "none"
    assert "nothing to judge" in found.headline
    assert found.summary == ""


def test_what_is_not_tested_is_said(solid: Evidence) -> None:
    note = significance_note(solid)
    assert "deflated Sharpe" in note
    assert "1.4 years" in significance_note(replace(solid, oos_sharpe=1.4))  # (1.645 / 1.4)²
    assert "rule of thumb" not in significance_note(replace(solid, oos_sharpe=-1.0))


def test_words_need_no_plotting_library() -> None:
    import subprocess
    import sys

    code = "import sys, maestro.reports as r; r.conclude; assert 'bokeh' not in sys.modules, 'bokeh'"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_grade_of_the_stand_in_is_reproducible() -> None:
    wf: StandIn = stand_in(failed=(4,))
    assert str(conclude(wf)) == str(conclude(stand_in(failed=(4,))))
