"""Specifications: what is taken, what is refused and which field is blamed, and the same run as the library's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.service.specification import Specification, SpecificationError, plan_of
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
        ({"start": "yesterday"}, "start", "yesterday"),
        ({"end": "2019-13"}, "end", "is not a moment"),
        ({"start": "2012", "end": "2010"}, "start", "give an earlier start or a later end"),
        ({"start": "2090"}, "start", "no bar from 2090 on; the bars run from"),
        ({"end": "1990"}, "end", "no bar before 1990; the bars run from"),
        ({"periods_per_year": -1}, "periods_per_year", "above 0"),
        ({"data": "BINANCE:NOPE:1h"}, "data", "^the server's store holds no bars of BINANCE:NOPE:1h"),
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


SERIES_OF_2020 = {"data": None, "provider": "BITMEX", "symbol": "XBTUSD", "bin_size": "1h"}


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"test_name": 5}, "test_name", "^test_name=5 is of the wrong type; give text"),
        ({"strategy_params": "slow=3"}, "strategy_params", "give an object"),
        ({"strategy_params": {"sloww": 3}}, "strategy_params", "has no parameter 'sloww'"),
        ({"commissions": "0.1 %"}, "commissions", "give a number"),
        ({"commissions": 5}, "commissions", "^commissions=5.0 is not a fraction"),
        ({"start_date": "2018-01-01"}, "start_date", "give milliseconds"),
        ({"start_date": 1e300}, "start_date", "give milliseconds"),
        ({"start_date": -9e13}, "start_date", "give milliseconds"),
        ({"start_date": 1.2e12, "end_date": 1e12}, "start_date", "^start_date='2008-.*is not before end"),
        ({"end_date": 0}, "end_date", "no bar before 1970"),
        ({"end_date": True}, "end_date", "give milliseconds"),
        ({"kind": "walkforward"}, "kind", "WALKFORWARD, BACKTESTING"),
        ({"engine_version": "v3"}, "engine_version", "^engine_version='v3' is unknown; allowed: fast"),
        ({"engine_version": "v1"}, "engine_version", "no windows of folds"),
        ({"commissions": 0.1, "fee": 0.2}, "commissions", "^fee is given twice, as commissions and as fee"),
        ({"provider": "BITMEX"}, "provider", "beside data cannot be used"),
        ({"data": None, "provider": "BITMEX", "bin_size": "1h"}, "provider", "without symbol cannot be used"),
        (SERIES_OF_2020, "symbol", "holds no bars of BITMEX:XBTUSD:1h"),
        ({**SERIES_OF_2020, "provider": 3}, "provider", "give text"),
        ({**SERIES_OF_2020, "symbol": "../../x"}, "symbol", "no part of the name of a series"),
        ({**SERIES_OF_2020, "bin_size": "hourly"}, "bin_size", "no part of the name of a series; give one like"),
    ],
)
def test_a_bad_field_of_2020_is_blamed_by_its_own_name(changed: dict[str, Any], field: str, words: str) -> None:
    document = {name: value for name, value in {**SMALL, **changed}.items() if value is not None}
    with pytest.raises(SpecificationError, match=words) as caught:
        plan_of(document)
    assert caught.value.field == field
    assert caught.value.value == document[field]


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
