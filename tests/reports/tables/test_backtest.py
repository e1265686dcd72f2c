"""The display of a backtest in a notebook: its figures, its curve, and what it says of a ruined account."""

from __future__ import annotations

import re

import maestro as ms
from maestro._core.formatting import metric

BARS = ms.load_sample("AAPL")


def test_the_display_shows_the_figures_beside_buy_and_hold() -> None:
    bt = ms.backtest(BARS, "EmaCrossStrategy")
    shown = bt._repr_html_()
    held = ms.metrics.holding_metrics(bt.benchmark, bt.cash, periods_per_year=BARS.periods_per_year)
    for name in ("total_return", "annual_return", "sharpe_ratio", "max_drawdown"):
        assert f">{metric(name, bt.metrics[name])}<" in shown
        assert f">{metric(name, held[name])}<" in shown
    for name in bt.metrics:
        assert f">{name}<" in shown
    assert "EmaCrossStrategy(fast=50, slow=100)</strong> on SAMPLE:AAPL:1d, 3,270 bars" in shown
    assert all(note in shown for note in bt.notes)


def test_the_curve_begins_and_ends_where_the_equity_does() -> None:
    bt = ms.backtest(BARS, "EmaCrossStrategy")
    shown = bt._repr_html_()
    held, equity = (
        [tuple(map(float, point.split(","))) for point in points.split()]
        for points in re.findall(r'points="([^"]+)"', shown)
    )
    assert equity[0][0] == held[0][0] == 2
    assert equity[-1][0] == held[-1][0] == 638
    higher = bt.metrics["total_return"] > bt.benchmark[-1] / bt.cash - 1
    assert (equity[-1][1] < held[-1][1]) == higher
    assert "log scale" in shown


def test_a_ruined_account_is_stated_first() -> None:
    sizing = ms.Sizing("percent", 60.0, max_exposure=60.0)
    ruined = ms.backtest(BARS[1_000:], "EmaCrossStrategy", sizing=sizing)
    assert ruined.metrics["ruined"]
    shown = ruined._repr_html_()
    assert shown.index("The account was ruined") < shown.index("Total return")
    assert "The account was ruined" not in ms.backtest(BARS, "EmaCrossStrategy")._repr_html_()
