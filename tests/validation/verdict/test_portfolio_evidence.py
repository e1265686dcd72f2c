"""The evidence of a portfolio counts the trials behind all of its sleeves."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.search.trials import EVALUATED
from maestro.validation.verdict.portfolio_evidence import count_looks
from tests.validation.verdict.test_portfolio import SETTINGS


def test_all_looks_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))
    names = ("sample:AAPL", "sample:IBM", "sample:MSFT")
    many = ms.walk_forward_many(list(names), "EmaCrossStrategy", **SETTINGS)
    tried = {cell.symbol: len(wf.trials.filter(pl.col("state").is_in(EVALUATED))) for cell, wf in many.items()}
    whole = count_looks({cell.symbol: wf for cell, wf in many.items()})
    assert whole.distinct == sum(tried.values())
    # Two sleeves of three: the looks at the third count too, once.
    two = count_looks({name: many.run(name) for name in ("AAPL", "IBM")})
    assert two.distinct == whole.distinct
    assert "others of their universe" in two.source
    # A search by hand on one of the series counts; runs without a universe are added up.
    ms.Ledger(many.run("IBM").bars).record("by hand", trials=1_000)
    assert count_looks({c.symbol: wf for c, wf in many.items()}).distinct == whole.distinct + 1_000
    made = ms.verdict(many.portfolio(), permutations=0)
    assert made["deflated"].details["trials"] == whole.distinct + 1_000
