"""The numbers behind the report's figures, against independent arithmetic."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from maestro._core.formatting import compact, listed, metric, moment, money, number, percent, plural, significant
from maestro.reports import monthly_frame
from maestro.reports.page.tearsheet import daily_returns
from maestro.walkforward.columns import start_value
from tests.reports.standin import StandIn


def test_daily_returns_keep_the_total(wf: StandIn) -> None:
    days = daily_returns(wf.equity, 100_000.0)
    assert len(days) == wf.equity["timestamp"].dt.date().n_unique()
    assert float((days["return"] + 1.0).product()) == pytest.approx(wf.equity["equity"][-1] / 100_000.0, rel=1e-12)
    ratio = wf.equity["benchmark"][-1] / 100_000.0
    assert float((days["benchmark"] + 1.0).product()) == pytest.approx(ratio, rel=1e-12), "the first bar too"


def test_the_value_at_the_start_is_known_from_the_result_or_its_first_return(wf: StandIn) -> None:
    assert start_value(wf) == 100_000.0
    assert start_value(wf.equity) == pytest.approx(100_000.0, rel=1e-12)
    assert math.isnan(start_value(wf.equity.drop("return")))
    assert math.isnan(start_value(wf.equity.clear()))
    shown = monthly_frame(wf.equity)["benchmark"].to_numpy()
    assert shown == pytest.approx(monthly_frame(wf)["benchmark"].to_numpy(), rel=1e-12)


def test_numbers_are_written_for_people() -> None:
    assert number(-1234.5) == "−1,234.50"
    assert number(-0.001) == "0.00"
    assert number(math.nan) == number(None) == "–"
    assert percent(0.1234) == "12.3\N{NARROW NO-BREAK SPACE}%"
    assert percent(0.1234, sign=True).startswith("+")
    assert percent(123.0) == "12,300\N{NARROW NO-BREAK SPACE}%"
    assert money(999.5) == "999.50"
    assert money(-12_345.6, sign=True) == "−12,346"
    assert (compact(1_435_040), compact(-254_880), compact(799.99)) == ("1.44M", "−255k", "800")
    assert significant(0.00012345678) == "0.00012346"
    assert significant(42_350) == "42,350"
    assert (significant("trail"), significant(True), significant(None)) == ("trail", "True", "–")
    assert (metric("max_drawdown", -0.5), metric("num_trades", 12.0)) == ("−50.0\N{NARROW NO-BREAK SPACE}%", "12")
    assert (plural(1, "fold"), plural(1_200, "fold")) == ("1 fold", "1,200 folds")
    assert (listed(["a"]), listed(["a", "b", "c"]), listed(list("abcd"), 2)) == ("a", "a, b and c", "a, b and 2 more")
    assert moment(datetime(2024, 1, 31, tzinfo=UTC)) == "2024-01-31"
    assert moment(datetime(2024, 1, 31, 5, 30, tzinfo=UTC)) == "2024-01-31 05:30"
