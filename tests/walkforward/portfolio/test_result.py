"""What a portfolio says of itself: metrics, correlation, drawdowns."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro import metrics as m


@pytest.fixture(scope="module")
def p() -> ms.Portfolio:
    u = ms.universe({"A": ms.synthetic_bars(700, 1, "1d"), "B": ms.synthetic_bars(640, 2, "1d")})
    many = ms.walk_forward_many(u, "EmaCrossStrategy", splitter="calendar:6mo,2mo", trials=3, executor="serial",
                                space={"fast": (2, 6), "slow": (7, 20)})  # fmt: skip
    return many.portfolio()


def test_metrics_are_those_of_the_curve(p: ms.Portfolio) -> None:
    values = p.equity["equity"].to_numpy()
    assert p.metrics == m.from_equity(values, 100_000.0, periods_per_year=p.periods_per_year)
    before = np.append(100_000.0, values[:-1])
    assert p.equity["return"].to_numpy() == pytest.approx(values / before - 1.0)
    assert p.metrics["max_drawdown"] == pytest.approx(p.equity["drawdown"].min())
    assert p.drawdowns["depth"][0] == pytest.approx(p.metrics["max_drawdown"])


def test_correlation_is_that_of_pandas(p: ms.Portfolio) -> None:
    there = {}
    for k, name in enumerate(p.names):
        value = p._sleeves.value[:, k]
        moves = value / np.concatenate(([1.0], value[:-1])) - 1.0
        there[name] = np.where(p._sleeves.there[:, k], moves, np.nan)
    wanted = pl.DataFrame(there).to_pandas().corr().to_numpy()
    assert p.correlation.drop("sleeve").to_numpy() == pytest.approx(wanted)


def test_drawdowns_do_not_overlap_and_name_their_ends(p: ms.Portfolio) -> None:
    found = p.drawdowns.sort("peak")
    assert (found["trough"] > found["peak"]).all() or found["peak"][0] == p.equity["timestamp"][0]
    ends = found["recovered"].fill_null(p.equity["timestamp"][-1])
    assert (ends[:-1] <= found["peak"][1:].dt.offset_by("1d")).all()
    assert (found["depth"] < 0).all()


def test_sleeves_of_different_bars_are_measured_by_day() -> None:
    runs = {
        "hours": ms.walk_forward(ms.synthetic_bars(3_000, 3), "RSIStrategy", splitter="rolling:3,1,1", trials=2,
                                 executor="serial"),
        "days": ms.walk_forward(ms.synthetic_bars(300, 4, "1d"), "EmaCrossStrategy", splitter="rolling:3,1,1", trials=2,
                                executor="serial", space={"fast": (2, 4), "slow": (5, 9)}),
    }  # fmt: skip
    p = ms.portfolio(runs)
    daily = p.equity.group_by(pl.col("timestamp").dt.date(), maintain_order=True).last()["equity"].to_numpy()
    assert p.metrics == m.from_equity(daily, 100_000.0, periods_per_year=365.0)
    assert any("daily returns" in note for note in p.notes)


def test_it_is_shown_and_written(p: ms.Portfolio, tmp_path: object) -> None:
    assert "2 sleeves, weights equal, rebalanced fold" in repr(p)
    shown = p._repr_html_()
    assert "<svg" in shown
    assert "Contributions" in shown
