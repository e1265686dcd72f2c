"""A walk-forward of random numbers: all tables and settings, without a search."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from maestro.walkforward.result import WalkForward

METRICS = (
    "sharpe_ratio", "vwr", "sortino_ratio", "calmar_ratio", "total_return", "annual_return", "volatility",
    "max_drawdown", "win_rate", "profit_factor", "num_trades", "turnover", "exposure", "final_equity", "fees",
    "slippage", "funding", "cut_entries", "ruined",
)  # fmt: skip
START = datetime(2021, 1, 1, tzinfo=UTC)


class StandIn(WalkForward):
    """A walk-forward of random numbers, which `but` changes in parts."""

    def but(self, **changes: Any) -> StandIn:
        """Return a copy with another manifest, spec, id, notes (of the run) or tables."""
        manifest = {**changes.pop("manifest", self.manifest)}
        for name in ("spec", "id", "notes"):
            if name in changes:
                manifest[name] = changes.pop(name)
        tables = {name: changes.pop(name, getattr(self, name)) for name in ("folds", "trials", "equity", "trades")}
        assert not changes, f"unknown: {list(changes)}"
        return StandIn(manifest, tables)


def stand_in(
    *,
    folds: int = 9,
    bars: int = 720,
    trials: int = 60,
    seed: int = 0,
    edge: float = 0.0,
    failed: tuple[int, ...] = (),
    trades_each: int = 24,
    symbol: str = "BTCUSD",
    error: str = "StrategyError: signals of a wrong shape",
) -> StandIn:
    """Random walk-forward of hourly bars; `edge` is added to every bar's return, folds `failed` have an error."""
    rng = np.random.default_rng(seed)
    cash, hour, year = 100_000.0, timedelta(hours=1), 8_760.0
    space = {
        "fast": {"kind": "int", "low": 5, "high": 50, "step": 1, "log": False},
        "slow": {"kind": "int", "low": 20, "high": 200, "step": 1, "log": False},
        "band": {"kind": "float", "low": 0.001, "high": 0.1, "step": None, "log": True},
        "exit": {"kind": "choice", "options": ["cross", "trail"]},
    }
    fold_rows, trial_rows, equity_parts, trade_rows = [], [], [], []
    level, held = cash, cash
    for fold in range(folds):
        begin = START + hour * bars * (fold + 2)
        windows = {
            "fold": fold, "train_start": begin - hour * bars * 2, "train_end": begin - hour,
            "test_start": begin, "test_end": begin + hour * (bars - 1),
        }  # fmt: skip
        if fold in failed:
            blank = dict.fromkeys(space) | {f"{s}_{m}": None for m in METRICS for s in ("is", "oos")}
            fold_rows.append(windows | blank | {"error": error})
            trial_rows += [_trial(rng, fold, i, year, cash, space, state="failed") for i in range(trials)]
            continue
        batch = [_trial(rng, fold, i, year, cash, space) for i in range(trials)]
        complete = [t for t in batch if t["state"] == "complete"]
        best = max(complete, key=lambda t: t["sharpe_ratio"])
        best["chosen"] = True
        trial_rows += batch
        returns = rng.normal(edge, 0.006, bars)
        closes = rng.normal(0.00002, 0.007, bars)
        stamps = [begin + hour * i for i in range(bars)]
        curve, own = level * np.cumprod(1 + returns), cash * np.cumprod(1 + returns)
        hold = held * np.cumprod(1 + closes)
        position = np.where(rng.random(bars) < 0.8, 1.0, 0.0)
        equity_parts.append(
            pl.DataFrame(
                {
                    "timestamp": stamps, "fold": fold, "equity": curve, "return": returns, "position": position,
                    "close": 30_000 * hold / cash, "benchmark": hold,
                }
            )
        )  # fmt: skip
        level, held = float(curve[-1]), float(hold[-1])
        splits = np.sort(rng.choice(np.arange(1, bars - 1), trades_each, replace=False))
        for i, at in enumerate(splits):
            side = "long" if rng.random() < 0.6 else "short"
            entry, ret = 30_000 * (1 + 0.1 * rng.normal()), rng.normal(0.001 + 20 * edge, 0.02)
            size, fees, funding = 3.0, 180.0, float(rng.normal(5, 10))
            pnl = ret * size * entry
            gross = (pnl + fees + funding) / size * (1 if side == "long" else -1)
            trade_rows.append(
                {
                    "fold": fold, "side": side, "entry_time": stamps[at],
                    "exit_time": stamps[min(int(at) + 1 + i % 7, bars - 1)], "entry_price": entry,
                    "exit_price": entry + gross, "size": size, "fees": fees, "funding": funding, "pnl": pnl,
                    "return": ret, "exit_reason": ("signal", "stop", "target", "end")[i % 4],
                }
            )  # fmt: skip
        oos = _metrics(own, returns, cash, year) | {"num_trades": float(trades_each), "slippage": 90.0 * trades_each}
        is_ = {m: best[m] for m in METRICS}
        fold_rows.append(
            windows
            | {k: best[k] for k in space}
            | {f"is_{m}": v for m, v in is_.items()}
            | {f"oos_{m}": oos[m] for m in METRICS}
            | {"error": None}
        )
    equity = pl.concat(equity_parts) if equity_parts else pl.DataFrame(schema=_EQUITY)
    if equity_parts:
        curve = equity["equity"].to_numpy()
        peak = np.maximum.accumulate(np.maximum(curve, cash))
        equity = equity.with_columns(pl.Series("drawdown", curve / peak - 1.0))
    spec: dict[str, Any] = {
        "strategy": "EmaCrossStrategy",
        "source": "5f2c" * 16,
        "params": {},
        "space": {"fixed": {}, "search": space},
        "splitter": {"kind": "Rolling", "n_splits": 10, "train_folds": 2, "test_folds": 1},
        "windows": [[k * bars, (k + 2) * bars, (k + 2) * bars, (k + 3) * bars] for k in range(folds)],
        "search": "tpe",
        "pruner": None,
        "trials": trials,
        "selection": {"kind": "order", "metrics": ["sharpe_ratio", "vwr"], "weights": []},
        "first": [],
        "warm_start": False,
        "costs": {"fee": 0.001, "slippage": 0.0005},
        "sizing": {"kind": "percent", "value": 1.0, "max_exposure": 1.0},
        "cash": cash,
        "fill": "next_open",
        "seed": 7,
        "periods_per_year": year,
        "bars": {
            "name": f"BITSTAMP:{symbol}:1h",
            "provider": "BITSTAMP",
            "symbol": symbol,
            "timeframe": "1h",
            "fingerprint": "ab12" * 16,
            "n": bars * (folds + 2),
            "start": START.isoformat(),
            "end": (START + hour * (bars * (folds + 2) - 1)).isoformat(),
            "synthetic": False,
            "notes": [],
        },
    }
    manifest = {
        "id": "9c1e5d7a40b2",
        "spec": spec,
        "notes": [],
        "versions": {"maestro": "0.1.0", "python": "3.11.9", "numpy": "2.4.6"},
        "status": "done",
        "started": "2026-01-31T10:00:00+00:00",
        "seconds": 4.2,
        "command": "maestro walk-forward EmaCrossStrategy --data bars.csv --trials 60 --seed 7",
        "python": "import maestro as ms\nbars = ms.load('bars.csv')\nwf = ms.walk_forward(bars, 'EmaCrossStrategy')",
        "quality": [
            {"check": "gaps", "count": 3, "detail": "the longest is 4 bars"},
            {"check": "zero volume", "count": 0, "detail": ""},
        ],
    }
    columns = ["fold", "trial", "state", *space, *METRICS, "chosen", "error"]
    tables = {
        "folds": pl.DataFrame(fold_rows, infer_schema_length=None),
        "trials": pl.DataFrame(trial_rows, infer_schema_length=None).select(columns),
        "equity": equity,
        "trades": pl.DataFrame(trade_rows, infer_schema_length=None) if trade_rows else pl.DataFrame(schema=_TRADES),
    }
    return StandIn(manifest, tables)


_EQUITY = {
    "timestamp": pl.Datetime("us", "UTC"), "fold": pl.Int64, "equity": pl.Float64, "return": pl.Float64,
    "drawdown": pl.Float64, "position": pl.Float64, "close": pl.Float64, "benchmark": pl.Float64,
}  # fmt: skip
_TRADES = {
    "fold": pl.Int64, "side": pl.String, "entry_time": pl.Datetime("us", "UTC"), "exit_time": pl.Datetime("us", "UTC"),
    **dict.fromkeys(("entry_price", "exit_price", "size", "fees", "funding", "pnl", "return"), pl.Float64),
    "exit_reason": pl.String,
}  # fmt: skip


def _metrics(curve: Any, returns: Any, cash: float, year: float) -> dict[str, float]:
    n = len(curve)
    peak = np.maximum.accumulate(np.maximum(curve, cash))
    sd = float(np.std(returns, ddof=1))
    found = dict.fromkeys(METRICS, math.nan) | {"ruined": 0.0, "cut_entries": 0.0, "fees": 0.0, "funding": 0.0}
    return found | {
        "sharpe_ratio": float(np.mean(returns)) / sd * math.sqrt(year),
        "vwr": 3.0,
        "total_return": float(curve[-1] / cash - 1),
        "annual_return": float((curve[-1] / cash) ** (year / n) - 1),
        "volatility": sd * math.sqrt(year),
        "max_drawdown": float((curve / peak).min() - 1),
        "exposure": 0.8,
        "final_equity": float(curve[-1]),
    }


def _trial(
    rng: Any, fold: int, trial: int, year: float, cash: float, space: dict[str, Any], state: str = ""
) -> dict[str, Any]:
    state = state or ("infeasible" if trial % 17 == 13 else "undefined" if trial % 29 == 20 else "complete")
    params = {
        "fast": int(rng.integers(5, 51)), "slow": int(rng.integers(20, 201)),
        "band": float(np.exp(rng.uniform(np.log(0.001), np.log(0.1)))), "exit": str(rng.choice(["cross", "trail"])),
    }  # fmt: skip
    values: dict[str, Any] = dict.fromkeys(METRICS)
    if state == "complete":
        growth = rng.normal(0.0, 0.5)
        values = dict.fromkeys(METRICS, 1.0) | {
            "sharpe_ratio": growth * 2, "vwr": growth * 30, "annual_return": math.expm1(growth),
            "total_return": math.expm1(growth / 6), "max_drawdown": -abs(rng.normal(0.1, 0.05)), "ruined": 0.0,
        }  # fmt: skip
    error = (
        "fast < slow does not hold" if state == "infeasible" else "StrategyError: boom" if state == "failed" else None
    )
    return {"fold": fold, "trial": trial, "state": state, **params, **values, "chosen": False, "error": error}
