"""backtrader's broker: settings of its own that are explained, and orders that the cash does not pay for."""

from __future__ import annotations

import maestro as ms
from maestro.engine.engines import run_engine
from tests.engine.libraries import library

library("backtrader", "legacy")


def test_the_page_explains_every_way() -> None:
    from maestro.engine.backtrader.trading import DEFAULT_SETTINGS
    from maestro.validation.parity.page import WAYS

    assert set(WAYS) == set(DEFAULT_SETTINGS)


def test_an_order_that_exceeds_the_cash_is_refused_with_a_note() -> None:
    bars = ms.load_sample("AAPL")[:800]  # the made-up bars open where the last one closed
    rule = ms.strategy("EmaCrossStrategy", fast=5, slow=20)
    theirs = run_engine(
        "backtrader", bars, rule, rule.evaluate(bars), costs=ms.Costs(), sizing=ms.Sizing.percent(1.0), cash=1e5,
        fill="next_open", plain=frozenset(["size"]),
    )  # fmt: skip
    assert any("refused" in note for note in theirs.notes)
    assert theirs.metrics["num_trades"] < ms.backtest(bars, rule).metrics["num_trades"]
