"""The page of a portfolio: every part is there, names are escaped, and rows add up."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.errors import RunError


def test_the_page_has_every_part(tmp_path: Path) -> None:
    bars = {"<A>": ms.synthetic_bars(500, 1, "1d"), "B": ms.synthetic_bars(500, 2, "1d")}
    many = ms.walk_forward_many(bars, "EmaCrossStrategy", splitter="calendar:6mo,2mo", trials=2, executor="serial",
                                space={"fast": (2, 4), "slow": (5, 9)})  # fmt: skip
    p = many.portfolio(weights="inverse_volatility")
    (tmp_path / "own.html").write_text("own")
    with pytest.raises(RunError, match="is not a page that Maestro wrote"):
        p.report(tmp_path / "own.html")
    assert (tmp_path / "own.html").read_text() == "own"
    page = p.report(p.report(tmp_path / "portfolio.html")).read_text("utf-8")
    for part in ("Contributions", "Drawdowns", "Correlation", "Weights", "weights inverse_volatility"):
        assert part in page
    assert "&lt;A&gt;" in page
    assert "<A>" not in page
