"""The page of a comparison of engines: numbers, reasons and failures as they are."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import maestro as ms
from maestro.cli import app
from maestro.validation.parity import compare as module
from maestro.validation.parity.compare import parity
from maestro.validation.parity.page import _digits, _share, _small, page
from tests.engine.libraries import library
from tests.validation.parity.test_compare import short_bars

library("vectorbt", "vectorbt")
library("backtrader", "legacy")


def test_the_page() -> None:
    bars = ms.load_sample("AAPL")[:1_300]
    result = parity([bars], ["RSIStrategy", "FundingRateArbitrage", "EmaCrossStrategy"], default_settings=True)
    text = page(result, [bars], "maestro parity --data sample:AAPL")
    assert "**6 of 6 comparisons passed.**" in text
    assert "`maestro parity --data sample:AAPL`" in text
    assert "after which the account is ruined" in text
    assert "With a proxy" in text
    assert "## backtrader with default settings" in text
    assert text.count("| RSIStrategy |") == 2
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert not [row for row in rows if "nan" in row.lower().replace("finan", "")]


def test_the_page_in_the_docs_has_every_strategy_on_every_series() -> None:
    text = (Path(__file__).parents[3] / "docs" / "parity.md").read_text("utf-8")
    passed, compared = map(int, re.findall(r"\*\*(\d+) of (\d+) comparisons passed", text)[0])
    series = re.findall(r"^## (\S+:\S+)$", text, re.M)
    assert len(series) >= 3
    assert passed == compared == 2 * len(ms.strategies()) * len(series)
    assert "✗" not in text
    for part in re.split(r"^## ", text, flags=re.M)[1 : len(series) + 1]:
        assert re.findall(r"^\| (\w+) \|", part, re.M)[1:] == ms.strategies()


def test_a_failure_is_marked_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT", 0.0)
    result = parity([short_bars()], ["MACDStrategy"], engines=["vectorbt"])
    assert not result.passed
    assert result.failures.height == 1
    text = page(result, [short_bars()], "maestro parity")
    assert "**0 of 1 comparisons passed.** Those that did not are marked ✗." in text
    assert " ✗ |" in text
    done = CliRunner().invoke(
        app, ["parity", "MACDStrategy", "--data", "sample:MSFT,2000,2002", "--engine", "vectorbt"]
    )
    assert done.exit_code == 1
    assert "NO" in done.output


def test_numbers_are_never_better_than_they_are() -> None:
    assert [_small(x) for x in (0.0, 1e-12, 0.0009, 0.001, 0.25, math.inf, None)] == [
        "0", "1e-12", "9e-4", "0.10 %", "25.00 %", "∞", "–",
    ]  # fmt: skip
    assert [_share(x) for x in (1.0, 0.9999, 0.5, None)] == ["100 %", "99.9 %", "50 %", "–"]
    assert [_digits(x) for x in (1.0, 0.99999999, -1.0, math.nan, None)] == ["1", "0.999999", "-1.000000", "–", "–"]
