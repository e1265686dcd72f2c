"""The OpenAPI description of a specification, with examples, from the fields that are read."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from maestro.service.specification import Specification

_WORDS = {
    "data": "sample:AAPL, or PROVIDER:SYMBOL:TIMEFRAME of the server's store",
    "strategy": "a name of /api/v2/strategies",
    "kind": "walk-forward, or backtest: one simulation with params (of 2020: WALKFORWARD, BACKTESTING)",
    "engine": "who simulates a backtest: fast (v2), vectorbt, or backtrader (v1); a walk-forward is run by fast",
    "start": "first bar, UTC: 2020, 2020-06 or 2020-06-01T12:00",
    "end": "bars before this moment, UTC",
    "resample": "make longer bars first, 4h of 1h for instance",
    "periods_per_year": "bars per year for annualising; as the market's calendar has them if absent",
    "splitter": "rolling:10,2,1 (splits, folds to train, to test), expanding:10, adaptive:10,2 or calendar:6mo,1mo",
    "trials": "parameter sets per fold",
    "search": "tpe, random, grid or sobol",
    "seed": "the same seed gives the same result",
    "params": "parameters that are not searched; of a backtest, those that differ from the defaults",
    "space": 'in place of the declared ranges: {"fast": {"low": 5, "high": 20}}, or {"fast": {"options": [5, 10, 50]}}',
    "fee": "fraction of the notional, each side; 0.001 if absent",
    "slippage": "fraction by which market orders fill worse; 0.0005 if absent",
    "sizing": "percent:1.0, cash:5000, units:2 or volatility:0.2",
    "cash": "starting cash",
    "fill": "next_open, or close (looks ahead; for comparison only)",
    "select": "metrics that choose, in order: text, a list, or an object of weights",
    "warm_start": "begin with the choice of the fold before",
    "accept_defects": "run also on data with a fatal defect",
    "name": "a label for people; no part of the run's id",
}
_OLD = {
    "provider": "of 2020, with symbol and bin_size in place of data: BITMEX", "symbol": "of 2020: XBTUSD",
    "bin_size": "of 2020: 1h",
}  # fmt: skip
_TYPES = {"periods_per_year": "number", "fee": "number", "slippage": "number", "params": "object", "space": "object"}
_OF = {str: "string", int: "integer", float: "number", bool: "boolean"}


def _property(name: str, default: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"description": _WORDS[name]}
    if name != "select":
        found["type"] = _TYPES.get(name) or _OF.get(type(default), "string")
    if default is not None and default is not MISSING:
        found["default"] = default
    return found


SPECIFICATION: dict[str, Any] = {
    "type": "object",
    "required": ["strategy"],
    "anyOf": [{"required": ["data"]}, {"required": ["provider", "symbol", "bin_size"]}],
    "additionalProperties": True,
    "properties": {
        **{one.name: _property(one.name, one.default) for one in fields(Specification)},
        **{name: {"type": "string", "description": words} for name, words in _OLD.items()},
        "priority": {"type": "integer", "default": 0, "minimum": -100, "maximum": 100,
                     "description": "higher ones run first; above 0 for admins"},
    },
}  # fmt: skip
"""JSON schema of what is submitted."""

_EXAMPLES = {
    "usual": {
        "summary": "A walk-forward on a sample",
        "value": {"data": "sample:AAPL", "strategy": "EmaCrossStrategy", "trials": 100, "splitter": "rolling:10,2,1"},
    },
    "backtest": {
        "summary": "A backtest on a sample",
        "value": {
            "kind": "backtest", "data": "sample:AAPL", "strategy": "EmaCrossStrategy",
            "params": {"fast": 10, "slow": 50},
        },
    },
    "backtest of 2020": {
        "summary": "A backtest by backtrader, in the fields of the service of 2020",
        "value": {
            "test_name": "ema on AAPL", "data": "sample:AAPL", "strategy": "EmaCrossStrategy",
            "strategy_params": {"fast": 10, "slow": 50}, "cash": 100000, "commissions": 0.001,
            "start_date": 1325376000000, "end_date": 1514764800000, "kind": "BACKTESTING", "engine_version": "v1",
        },
    },
    "of 2020": {
        "summary": "A walk-forward in the fields of the service of 2020",
        "value": {
            "test_name": "ema on XBTUSD", "provider": "BITMEX", "symbol": "XBTUSD", "bin_size": "1h",
            "strategy": "EmaCrossStrategy", "strategy_params": {}, "cash": 100000, "commissions": 0.001,
            "start_date": 1514764800000, "end_date": 1546300800000, "kind": "WALKFORWARD", "engine_version": "v2",
        },
    },
}  # fmt: skip
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True, "content": {"application/json": {"schema": SPECIFICATION, "examples": _EXAMPLES}}
    }
}  # fmt: skip
"""Addition to the description of an endpoint that takes a specification."""
