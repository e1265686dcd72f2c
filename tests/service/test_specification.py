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
        ({"kind": "BACKTESTING"}, "kind", "WALKFORWARD"),
        ({"engine_version": "v1"}, "engine_version", "schema=v1"),
        ({"symbol": "XBTUSD"}, "symbol", "together"),
        ({"start_date": "2018"}, "start_date", "milliseconds"),
        ({"name": "x" * 501}, "name", "500"),
    ],
)
def test_a_bad_field_is_blamed_by_name(changed: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(SpecificationError, match=words) as caught:
        Specification.of({**SMALL, **changed}).plan()
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
