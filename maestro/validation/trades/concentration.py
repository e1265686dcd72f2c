"""Concentration of profit: the share of a result that comes from one fold, month, side, or a few trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro._core.hooks import hook
from maestro.errors import SettingsError
from maestro.typing import FloatArray
from maestro.validation.trades.account import account_trades

WITHOUT = (1, 5)
"""Numbers of best trades that are taken away."""


@dataclass(frozen=True)
class Concentration:
    """Sources of the profit of a result.

    Attributes
    ----------
    parts : polars frame
        One row per part: by (``fold``, ``month``, ``side``), part, trades, log_return (sum over its trades), share (of
        the result's log return; null where that is not above 0).
    without : polars frame
        One row per number of best trades removed: best, total_return, share.
    largest : float
        Share of the profit from the best trade; NaN if the result has no profit.
    total_return : float
        Of all closed trades, compounded.
    trades : int
    """

    parts: pl.DataFrame
    without: pl.DataFrame
    largest: float
    total_return: float
    trades: int

    def by(self, name: str) -> pl.DataFrame:
        """Rows of one kind of part: ``by("month")``."""
        kinds = self.parts["by"].unique(maintain_order=True).to_list()
        if name not in kinds:
            raise SettingsError(f"parts by {name!r} are not there; there are: {', '.join(kinds)}.")
        return self.parts.filter(pl.col("by") == name)

    def __repr__(self) -> str:
        rows = {row["best"]: row["total_return"] for row in self.without.to_dicts()}
        after = ", ".join(f"{value:+.1%} without the best {best}" for best, value in rows.items())
        return f"Concentration({self.trades:,} trades, {self.total_return:+.1%}; {after})"

    def _repr_html_(self) -> str:
        return str(hook("concentration_html")(self)._repr_html_())


def concentration(result: Any) -> Concentration:
    """Split the profit of a result by fold, month of the exit (UTC), side and trade.

    Parts are measured in log returns on the account, which add up; shares are of their sum.

    Parameters
    ----------
    result : WalkForward (out of sample) or Backtest

    Raises
    ------
    SettingsError
        No closed trade.
    """
    trades = account_trades(result)
    if not len(trades):
        raise SettingsError("no trade was closed, so there is no profit to split.")
    grown: FloatArray = np.log1p(np.maximum(trades.returns, -1.0 + 1e-12))
    total = float(grown.sum())
    table = trades.table.with_columns(
        pl.Series("log_return", grown), pl.col("exit_time").dt.strftime("%Y-%m").alias("month")
    )
    kinds = [name for name in ("fold", "month", "side") if name in table.columns]
    share = (pl.col("log_return") / total if total > 0 else pl.lit(None, pl.Float64)).alias("share")
    parts = pl.concat(
        table.group_by(name, maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("trades"), pl.col("log_return").sum())
        .sort(name)
        .select(pl.lit(name).alias("by"), pl.col(name).cast(pl.String).alias("part"), "trades", "log_return", share)
        for name in kinds
    )
    best = np.sort(grown)[::-1]
    without = [
        {"best": k, "total_return": float(np.expm1(total - best[:k].sum())),
         "share": float(best[:k].sum() / total) if total > 0 else None}
        for k in WITHOUT if k <= len(best)
    ]  # fmt: skip
    return Concentration(
        parts,
        pl.DataFrame(without, schema={"best": pl.Int64, "total_return": pl.Float64, "share": pl.Float64}),
        float(best[0] / total) if total > 0 else float("nan"),
        float(np.expm1(total)),
        len(trades),
    )
