"""Specifications: what is taken, what is refused and which field is blamed, and the same run as the library's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.service.specification import Specification, SpecificationError
from tests.service.conftest import SMALL


def test_the_run_is_that_of_the_library() -> None:
    _, planned = Specification.of({**SMALL, "params": {"fast": 10}, "space": {"slow": {"low": 20, "high": 60}}}).plan()
    wf = ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", trials=8, splitter="rolling:4,2,1",
        params={"fast": 10}, space={"slow": (20, 60)},
    )  # fmt: skip
    assert planned.id == wf.id
    assert planned.folds == len(wf.folds)
    assert 0 < planned.estimate() < 3600


def test_it_survives_being_written() -> None:
    one = Specification.of({**SMALL, "name": "a label"})
    assert Specification.of(one.to_dict()) == one


def test_fields_of_2020_stand_for_ours() -> None:
    old = {
        "test_name": "old", "provider": "BITMEX", "symbol": "XBTUSD", "bin_size": "1h", "strategy": "EmaCrossStrategy",
        "strategy_params": {"fast": 5}, "cash": 50_000, "commissions": 0.002, "start_date": 1514764800000,
        "end_date": 1546300800000, "kind": "WALKFORWARD", "engine_version": "v2",
    }  # fmt: skip
    assert Specification.of(old) == Specification(
        data="BITMEX:XBTUSD:1h", strategy="EmaCrossStrategy", params={"fast": 5}, cash=50_000.0, fee=0.002,
        start="2018-01-01T00:00:00+00:00", end="2019-01-01T00:00:00+00:00", name="old",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"trails": 3}, "trails", "Did you mean 'trials'"),
        ({"trials": "many"}, "trials", "a whole number"),
        ({"trials": True}, "trials", "a whole number"),
        ({"trials": 0}, "trials", "at least 1"),
        ({"trials": 10**7}, "trials", "ask for fewer"),
        ({"seed": -1}, "seed", "seed"),
        ({"strategy": "EmaCros"}, "strategy", "Did you mean 'EmaCrossStrategy'"),
        ({"strategy": None}, "strategy", "missing"),
        ({"params": {"fsat": 3}}, "params", "has no parameter 'fsat'"),
        ({"params": {"fast": "x"}}, "params", "not a whole number"),
        ({"space": {"fast": {"low": 9, "high": 2}}}, "space", "empty"),
        ({"splitter": "rolling:0"}, "splitter", "at least 1"),
        ({"sizing": "percent:-1"}, "sizing", "percent"),
        ({"select": "sharp"}, "select", "sharp"),
        ({"search": "magic"}, "search", "tpe"),
        ({"fee": 3}, "fee", "fraction"),
        ({"slippage": -1}, "slippage", "fraction"),
        ({"cash": -5}, "cash", "cash"),
        ({"fill": "later"}, "fill", "next_open"),
        ({"resample": "1x"}, "resample", "1x"),
        ({"start": "yesterday"}, "data", "yesterday"),
        ({"data": "sample:NOPE"}, "data", "NOPE"),
        ({"kind": "LIVE"}, "kind", "give walk-forward or backtest"),
        ({"engine_version": "v1"}, "engine_version", "no windows of folds; give fast"),
        ({"engine": "vectorbt"}, "engine", "no windows of folds; give fast"),
        ({"engine_version": "v3"}, "engine_version", "allowed: fast, vectorbt, backtrader"),
        ({"symbol": "XBTUSD"}, "symbol", "together"),
        ({"start_date": "2018"}, "start_date", "milliseconds"),
        ({"name": "x" * 501}, "name", "500"),
    ],
)
def test_a_bad_field_is_blamed_by_name(changed: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(SpecificationError, match=words) as caught:
        Specification.of({**SMALL, **changed}).plan()
    assert caught.value.field == field


BACKTEST: dict[str, Any] = {"data": "sample:AAPL", "strategy": "EmaCrossStrategy", "kind": "backtest"}


def test_a_backtest_has_the_fields_of_2020_too() -> None:
    old = {
        "provider": "BITMEX", "symbol": "XBTUSD", "bin_size": "1h", "strategy": "EmaCrossStrategy",
        "strategy_params": {"fast": 5}, "kind": "BACKTESTING", "engine_version": "v1",
    }  # fmt: skip
    ours = Specification.of(old)
    assert ours == Specification(
        data="BITMEX:XBTUSD:1h", strategy="EmaCrossStrategy", params={"fast": 5}, kind="backtest", engine="backtrader"
    )
    assert Specification.of(ours.to_dict()) == ours


def test_the_id_of_a_backtest_does_not_depend_on_how_it_is_written() -> None:
    def planned(**changed: Any) -> str:
        return Specification.of({**BACKTEST, **changed}).plan()[1].id

    usual = dict(ms.strategy("EmaCrossStrategy").params)
    assert planned() == planned(engine="v2", params=usual, fee=0.001, name="a label")
    assert len({planned(), planned(engine="v1"), planned(params={"fast": 7}), planned(start="2012")}) == 4


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"trials": 5}, "trials", "leave it out"),
        ({"splitter": "rolling:4,2,1"}, "splitter", "a field of a walk-forward"),
        ({"space": {"fast": {"low": 2, "high": 5}}}, "space", "give kind walk-forward"),
        ({"strategy_params": {"fsat": 3}}, "params", "has no parameter 'fsat'"),
        ({"sizing": "risk:1%"}, "", "needs the distance to a stop"),
        ({"engine": "v1", "fill": "close"}, "engine", "cannot do this: fill='close'"),
        ({"strategy": "FundingRateArbitrage"}, "", "funding"),
        ({"cash": -5}, "cash", "above 0"),
    ],
)
def test_a_backtest_is_checked_when_it_is_submitted(changed: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(SpecificationError, match=words) as caught:
        Specification.of({**BACKTEST, **changed}).plan()
    assert caught.value.field == field


@pytest.mark.parametrize(
    "data",
    [
        "/etc/passwd", "../prices.csv", "prices.parquet", "prices.parquet#X", "A:../../../etc/passwd:1h", "C:\\x.csv",
        "A:/etc/passwd:1h\0", "http://127.0.0.1/x.csv", "file:///etc/passwd", "sample:../AAPL", "",
    ],
)  # fmt: skip
def test_paths_of_files_are_no_series(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ms.load("sample:AAPL").write_parquet(tmp_path / "prices.parquet")
    with pytest.raises(SpecificationError, match="data"):
        Specification.of({**SMALL, "data": data}).plan()
