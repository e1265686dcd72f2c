"""Sleeves: liquidation within a bar, gaps beyond the margin, longs without leverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.walkforward.portfolio.sleeves import liquidation
from tests.walkforward.portfolio.series import bars, course, run


class Long(ms.Strategy):
    """Always long."""

    fast = ms.Int(5, 2, 9)

    def signals(self, bars: Any) -> Any:
        return ms.Signals(long_entry=np.ones(len(bars), np.bool_))


def test_a_short_sleeve_is_liquidated_within_a_bar() -> None:
    close = course()
    high = close * 1.0001
    calm = run(bars(close, high))
    entry = calm.trades["entry_price"][0]
    first = int(np.searchsorted(calm.bars.time, int(calm.equity["timestamp"].to_physical()[0])))  # type: ignore[union-attr]
    at = first + 20
    edge = 2 * entry / 1.05  # capital of one entry price, one unit short: 2 e - p = 0.05 p
    for factor, liquidated in ((0.9999, False), (1.0001, True)):
        spiked = high.copy()
        spiked[at] = edge * factor
        wf = run(bars(close, spiked))
        found = liquidation("s", wf, 0.05)
        assert (found is not None) == liquidated
        p = ms.portfolio({"s": wf}, maintenance=0.05)
        row = p.equity.with_row_index().filter(pl.col("timestamp") == pl.Series(wf.bars.time).cast(  # type: ignore[union-attr]
            pl.Datetime("us", "UTC"))[at])["index"][0]  # fmt: skip
        if liquidated:
            assert found is not None
            assert (found.row, found.left) == (row, 0.0)
            assert p.equity["equity"][row - 1] > 90_000
            assert (p.equity["equity"][row:] == 0).all()
            assert "s lost all of its capital in a liquidation on" in p.notes[0]
            assert "maintenance margin 5.0%" in p.notes[0]
            assert "1 LIQUIDATED" in repr(p)
            assert [one.title for one in p.verdict.warnings if "ruined" in one.title] == ["1 sleeve ruined"]
            assert "liquidation on" in p._repr_html_()
        else:
            assert p.equity["equity"][-1] == pytest.approx(wf.equity["equity"][-1])
            assert "LIQUIDATED" not in repr(p)


def test_a_gap_beyond_the_margin_leaves_a_debt_and_the_close_alone_does_not_help() -> None:
    close = course()
    at = 150
    opens, high = close.copy(), close.copy()
    opens[at] = high[at] = 300.0  # back at 100 at the close: without a margin nothing is lost
    series = bars(close, np.maximum(high, opens), opens)
    wf, calm = run(series), run(bars(course()))
    plain = ms.portfolio({"bad": wf, "good": calm}, rebalance="never")
    assert plain.equity["equity"][-1] > 99_000
    runs: dict[str, Any] = {"bad": wf, "good": calm}
    isolated = ms.portfolio(runs, rebalance="never", maintenance={"bad": 0.05})
    shared = ms.portfolio(runs, rebalance="never", maintenance={"bad": 0.05}, debt="shared")
    assert len(wf.trades) == 1
    debt = (300.0 / wf.trades["entry_price"][0] - 2) * 50_000  # half of the capital is in the sleeve
    assert isolated.equity["equity"][-1] == pytest.approx(calm.equity["equity"][-1] / 2)
    assert isolated.equity["equity"][-1] - shared.equity["equity"][-1] == pytest.approx(debt)
    assert "is left out" in isolated.notes[0]
    assert "the others pay its debt" in shared.notes[0]
    for p in (isolated, shared):
        assert p.contributions["profit"].sum() == pytest.approx(p.equity["equity"][-1] - 100_000, abs=1e-4)


def test_an_unlevered_long_is_never_liquidated() -> None:
    close = np.where(np.arange(200) < 150, course(), 1.0)
    assert liquidation("l", run(bars(close), Long), 0.05) is None
