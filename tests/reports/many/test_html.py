"""Many walk-forwards in a notebook."""

from __future__ import annotations

from maestro._core.formatting import percent
from maestro.reports.many.html import HEAD, cells_of


def test_numbers_that_are_not_there_are_empty() -> None:
    row = {"symbol": "A", "timeframe": "1d", "strategy": "R", "sharpe_ratio": float("nan"), "is_sharpe_ratio": None,
           "total_return": 0.123, "max_drawdown": -0.2, "num_trades": 1234.0, "p_value": 0.01234,
           "p_adjusted": 0.5}  # fmt: skip
    cells = cells_of(row)
    assert cells == ("A", "1d", "R", "", "", percent(0.123), percent(-0.2), "1,234", "0.0123", "0.500")
    assert len(cells) == len(HEAD)
