"""The expression that loads the same bars again."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.bars.source_line import evaluate, named, written
from tests.bars.files import write


def test_bars_know_the_expression_that_gives_them_again(tmp_path: Path) -> None:
    path = write(tmp_path / "two.parquet", ("BTCUSDT", "ETHUSDT"))
    made = [
        ms.load("sample:AAPL", start="2010", end="2011-06-01"),
        ms.load_sample("IBM", adjusted=False)[100:-5],
        ms.synthetic_bars(50, seed=3)[:48].resample("4h"),
        ms.load(path, symbol="ETHUSDT", start="2020-01-01 06:00"),
        ms.load(f"{path}#BTCUSDT", provider="P").between("2020-01-02"),
    ]
    for bars in made:
        again = eval(bars.origin, {"ms": ms})
        assert (again.fingerprint, again.name, again.origin) == (bars.fingerprint, bars.name, bars.origin)
    assert ms.Bars.from_frame(made[0].to_frame())[3:].origin == ""


def test_an_expression_is_evaluated_to_the_same_bars() -> None:
    text = "ms.synthetic_bars(200, seed=3)[:152].resample('4h')"
    bars = evaluate(text)
    assert bars is not None
    assert bars.fingerprint == ms.synthetic_bars(200, seed=3)[:152].resample("4h").fingerprint


@pytest.mark.parametrize(
    "text",
    ["", "1 + 1", "ms.", "print('x')", "ms.backtest(1)", "os.system('true')", "ms.synthetic_bars(n)",
     "ms.synthetic_bars(50).close", "ms.synthetic_bars(50).to_frame()", "ms.synthetic_bars(50)[3]",
     "__import__('os').system('true')"],
)  # fmt: skip
def test_nothing_but_calls_that_load_bars_is_evaluated(text: str) -> None:
    assert evaluate(text) is None


def test_the_line_of_a_manifest() -> None:
    assert written({"python": "import maestro as ms\nbars = ms.load('a.csv')\nwf = …"}) == "ms.load('a.csv')"
    assert written({"python": "bars = '...'"}) == ""
    assert written({}) == ""


def test_the_parts_of_one_call() -> None:
    call = "ms.load('BINANCE:BTCUSDT:1h', start='2020')"
    assert named(call) == {"data": "BINANCE:BTCUSDT:1h", "start": "2020", "end": None}
    assert named("ms.load_sample('AAPL')") == {"data": "sample:AAPL", "start": None, "end": None}
    for other in ("ms.load('a.csv')[:5]", "ms.load('a.csv', symbol='X')", "ms.load('a', 'b')", "5", "("):
        assert named(other) == {}
