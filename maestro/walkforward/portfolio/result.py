"""The result of a portfolio: equity, weights, contribution of each sleeve, correlations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro._core.hooks import hook
from maestro.metrics.returns import bar_returns
from maestro.runs.identity import canonical, digest
from maestro.typing import FloatArray, IntArray
from maestro.walkforward.portfolio.account import Account, run_account
from maestro.walkforward.portfolio.sleeves import DAY_US, Sleeves
from maestro.walkforward.result import WalkForward

_STAMP = pl.Datetime("us", "UTC")
_SHOWN = ("sharpe_ratio", "total_return", "max_drawdown")


class Portfolio:
    """Result of `ms.portfolio`.

    Attributes
    ----------
    names : tuple of str, the sleeves
    equity : polars frame
        timestamp, equity, return, drawdown, cash: at each close.
    weights : polars frame
        timestamp (of the bar at whose open capital was moved), sleeve, weight.
    settings : dict
        weights, rebalance, cash, invested, max_weight, debt; max_gross, max_sleeves and maintenance if given.
    notes : tuple of str
    runs : mapping of name to WalkForward
    given : dict
        Arguments of `ms.portfolio`, to make the same portfolio of other runs.
    id : str
        Hash of the ids of the runs, their names and the settings.
    """

    def __init__(
        self, sleeves: Sleeves, account: Account, settings: dict[str, Any], notes: tuple[str, ...], periods: float,
        runs: Mapping[str, WalkForward], given: dict[str, Any],
    ) -> None:  # fmt: skip
        self.names, self.settings, self.notes = sleeves.names, settings, notes
        self.runs, self.given = dict(runs), given
        self.id = digest(canonical([sorted([name, wf.id] for name, wf in runs.items()), settings]))[:16]
        self._verdict: Any = None
        self.periods_per_year = periods
        self._sleeves, self._account = sleeves, account
        stamps = pl.Series(sleeves.time).cast(_STAMP)
        cash = float(settings["cash"])
        equity = account.equity
        returns = bar_returns(equity, cash)
        peak = np.maximum.accumulate(np.maximum(equity, cash))
        self.equity = pl.DataFrame(
            {
                "timestamp": stamps, "equity": equity, "return": returns, "drawdown": equity / peak - 1.0,
                "cash": equity - account.capital.sum(axis=1),
            }
        )  # fmt: skip
        self.weights = pl.DataFrame(
            [
                {"timestamp": int(sleeves.time[row]), "sleeve": name, "weight": float(value)}
                for row, values in account.weights
                for name, value in zip(self.names, values, strict=True)
            ],
            schema={"timestamp": pl.Int64, "sleeve": pl.String, "weight": pl.Float64},
        ).with_columns(pl.col("timestamp").cast(_STAMP))

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Metrics of the equity curve; those of trades are not included."""
        values, periods = self.equity["equity"].to_numpy(), self.periods_per_year
        if self._daily is not None:
            values = values[self._daily]
        return m.from_equity(values, float(self.settings["cash"]), periods_per_year=periods)

    @cached_property
    def _daily(self) -> IntArray | None:
        """Last row of each day, if the sleeves have bars of different length; all rows otherwise."""
        if not self.settings["daily"]:
            return None
        days = self._sleeves.time // DAY_US
        rows: IntArray = np.flatnonzero(np.append(days[1:] != days[:-1], True))
        return rows

    @cached_property
    def returns(self) -> FloatArray:
        """Returns per period of `metrics`: per bar, or per day if the sleeves have bars of different length."""
        values: FloatArray = self.equity["equity"].to_numpy()
        if self._daily is not None:
            values = values[self._daily]
        return bar_returns(values, float(self.settings["cash"]))

    @cached_property
    def benchmark(self) -> dict[str, float]:
        """Metrics of the same capital in the markets: each sleeve replaced by buying and holding, without costs."""
        sleeves, account = self._sleeves, self._account
        k = len(self.names)
        markets = replace(
            sleeves,
            value=sleeves.market,
            exposure=np.zeros_like(sleeves.exposure),
            cost=np.zeros(k),
            ruined={},
            liquidated={},
        )
        weights = dict(account.weights)
        held = run_account(markets, list(weights), weights.__getitem__, float(self.settings["cash"])).equity
        if self._daily is not None:
            held = held[self._daily]
        return m.from_equity(held, float(self.settings["cash"]), periods_per_year=self.periods_per_year)

    @cached_property
    def timing(self) -> tuple[IntArray, FloatArray]:
        """Days since 1970, and return per day from the timing of the rules, after costs.

        The return of each sleeve's market, times the sleeve's capital and its mean exposure, is subtracted from each
        bar's return of the portfolio. If a market's drift reduced a sleeve's return, it is not corrected upwards.
        """
        sleeves, account = self._sleeves, self._account
        cash = float(self.settings["cash"])
        k = len(self.names)

        def before(values: FloatArray) -> FloatArray:
            return np.concatenate((np.ones((1, k)), values[:-1]))

        moved = np.divide(sleeves.value, before(sleeves.value), out=np.ones_like(sleeves.value),
                          where=before(sleeves.value) > 0)  # fmt: skip
        begin = np.divide(account.capital, moved, out=np.zeros_like(moved), where=moved > 0)
        equity = np.concatenate(([cash], account.equity[:-1]))[:, None]
        share = np.divide(begin, equity, out=np.zeros_like(begin), where=equity > 0)
        bars = np.maximum(sleeves.there.sum(axis=0), 1)
        exposure = np.where(sleeves.there, sleeves.exposure, 0.0).sum(axis=0) / bars
        market = sleeves.market / before(sleeves.market) - 1.0
        drift = share * exposure * market
        drift[:, drift.sum(axis=0) <= 0] = 0.0
        earned = self.equity["return"].to_numpy() - drift.sum(axis=1)
        days, start = np.unique(sleeves.time // DAY_US, return_index=True)
        summed: FloatArray = np.add.reduceat(earned, start)
        return days, summed

    @property
    def verdict(self) -> Any:
        """The verdict of `ms.verdict` on this portfolio, or a preliminary one."""
        return self._preliminary if self._verdict is None else self._verdict

    @verdict.setter
    def verdict(self, made: Any) -> None:
        self._verdict = made

    @cached_property
    def _preliminary(self) -> Any:
        return hook("preliminary_portfolio_verdict")(self)

    @property
    def ruined(self) -> bool:
        """Whether the equity was zero or below at some close."""
        return self._account.ruined >= 0

    @cached_property
    def contributions(self) -> pl.DataFrame:
        """One row per sleeve: profit [currency], share of the whole profit, costs of moving capital, mean weight.

        Profits add up to that of the portfolio.
        """
        profit = self._account.profit.sum(axis=0)
        total = float(profit.sum())
        held = self._account.capital / np.where(self._account.equity > 0, self._account.equity, np.nan)[:, None]
        return pl.DataFrame(
            {
                "sleeve": self.names, "profit": profit, "share": profit / total if abs(total) > 1e-9 else np.nan,
                "moving_costs": self._account.costs, "mean_weight": np.nanmean(held, axis=0),
            }
        ).sort("profit", descending=True)  # fmt: skip

    def profit(self) -> pl.DataFrame:
        """Contribution of each sleeve in each bar [currency]: timestamp, then one column per sleeve."""
        columns = {name: self._account.profit[:, k] for k, name in enumerate(self.names)}
        return pl.DataFrame({"timestamp": self.equity["timestamp"], **columns})

    @cached_property
    def correlation(self) -> pl.DataFrame:
        """Correlation of the sleeves' daily returns while both are active: sleeve, then one column per sleeve."""
        value, there = self._sleeves.value, self._sleeves.there
        days = self._sleeves.time // DAY_US
        last = np.flatnonzero(np.append(days[1:] != days[:-1], True))
        at = np.concatenate((np.ones((1, value.shape[1])), value[last]))
        moves = np.divide(at[1:], at[:-1], out=np.full(at[1:].shape, np.nan), where=at[:-1] > 0) - 1.0
        found = _pairwise(np.where(there[last], moves, np.nan))
        return pl.DataFrame({"sleeve": self.names, **{name: found[:, k] for k, name in enumerate(self.names)}})

    @cached_property
    def drawdowns(self) -> pl.DataFrame:
        """The largest drawdowns, deepest first: peak, trough, recovered (null: not yet), depth."""
        depth, time = self.equity["drawdown"].to_numpy(), self.equity["timestamp"]
        below = np.concatenate(([False], depth < 0, [False]))
        begins, ends = np.flatnonzero(below[1:] & ~below[:-1]), np.flatnonzero(~below[1:] & below[:-1])
        rows = [
            {
                "peak": time[max(int(a) - 1, 0)], "trough": time[int(a + depth[a:b].argmin())],
                "recovered": time[int(b)] if b < len(depth) else None, "depth": float(depth[a:b].min()),
            }
            for a, b in zip(begins, ends, strict=True)
        ]  # fmt: skip
        schema: dict[str, Any] = {"peak": _STAMP, "trough": _STAMP, "recovered": _STAMP, "depth": pl.Float64}
        return pl.DataFrame(rows, schema=schema).sort("depth", "peak")

    def sleeve_metrics(self) -> pl.DataFrame:
        """Sharpe ratio and drawdown of each sleeve on its own, on the same timestamps: sleeve, sharpe_ratio, …"""
        rows = []
        for k, name in enumerate(self.names):
            values = self._sleeves.value[self._sleeves.there[:, k], k]
            found = m.from_equity(values, 1.0, periods_per_year=self.periods_per_year)
            rows.append(
                {"sleeve": name, **{key: found[key] for key in ("sharpe_ratio", "total_return", "max_drawdown")}}
            )
        return pl.DataFrame(rows)

    def report(self, path: str | Path) -> Path:
        """Write one HTML page; returns its path."""
        written: Path = hook("write_portfolio")(self, path)
        return written

    def __repr__(self) -> str:
        found = self.metrics
        count = len(self._sleeves.liquidated)
        lost = f", {count:,} LIQUIDATED" if count else ""
        return (
            f"Portfolio({len(self.names):,} sleeves, weights {self.settings['weights']}, rebalanced "
            f"{self.settings['rebalance']}{lost}: total_return={found['total_return']:.2%}, "
            f"sharpe_ratio={found['sharpe_ratio']:.3f}, max_drawdown={found['max_drawdown']:.2%})"
        )

    def _repr_html_(self) -> str:
        return str(hook("portfolio_html")(self))


def _pairwise(returns: FloatArray) -> FloatArray:
    """Correlation of each pair over the rows with both values; NaN if undefined."""
    there = ~np.isnan(returns)
    filled, known = np.where(there, returns, 0.0), there.astype(np.float64)
    count = known.T @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.T @ known / count  # of the first, where the second is known too
        second = (filled**2).T @ known / count - mean**2
        cross = filled.T @ filled / count - mean * mean.T
        found: FloatArray = cross / np.sqrt(second * second.T)
    found[(count < 3) | ~np.isfinite(found)] = np.nan
    return found
