"""Live results compared with the expected band of the run and with the fills of the engine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.decision.expectation import Expectation, expectation
from maestro.decision.now import Now, extended_bars, now
from maestro.errors import RunError, SettingsError
from maestro.reproduce.plan import recorded_plan

COLUMNS = ("timestamp", "side", "size", "price")
"""Columns that fills must have; ``fee`` is optional."""


@dataclass(frozen=True)
class Track:
    """Result of `track`.

    Attributes
    ----------
    bars : int
        Bars that have closed since the parameters came into use.
    live_return, model_return : float
        Return of the account by its fills, and of the engine on the same bars.
    expected : Expectation
        Expected band over the same number of bars.
    position, model_position : float
        Units held now.
    fills, model_fills : polars.DataFrame
        Your fills, and the engine's: timestamp, side, size, price, fee.
    """

    bars: int
    live_return: float
    model_return: float
    expected: Expectation
    position: float
    model_position: float
    fills: pl.DataFrame
    model_fills: pl.DataFrame

    @property
    def inside(self) -> bool:
        """Whether the live return lies between the 5 % and the 95 % quantile."""
        low, high = self.expected.total_return["0.05"], self.expected.total_return["0.95"]
        return low <= self.live_return <= high

    @property
    def summary(self) -> str:
        """In a sentence."""
        low, high = self.expected.total_return["0.05"], self.expected.total_return["0.95"]
        where = "inside" if self.inside else "below" if self.live_return < low else "above"
        return (
            f"After {self.bars:,} bars the live account returned {self.live_return:+.2%} and the model "
            f"{self.model_return:+.2%}; {low:+.2%} to {high:+.2%} was to be expected in nine of ten cases, so the live "
            f"result is {where} the band."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "bars": self.bars, "live_return": self.live_return, "model_return": self.model_return,
            "inside": self.inside, "expected": self.expected.to_dict(), "position": self.position,
            "model_position": self.model_position, "fills": len(self.fills), "model_fills": len(self.model_fills),
            "summary": self.summary,
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"Track({self.summary})"


def read_fills(path: str | Path) -> pl.DataFrame:
    """Read fills from a CSV file with columns timestamp, side (buy or sell), size, price and optionally fee.

    Raises
    ------
    SettingsError
        A file that cannot be read, or lacks a column.
    """
    if not os.path.isfile(path):
        missing = "is a folder" if os.path.isdir(path) else "does not exist"
        raise SettingsError(f"{path} {missing}; give a CSV file with the columns {', '.join(COLUMNS)}.")
    try:
        frame = pl.read_csv(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SettingsError(f"{path} cannot be read: {str(error).splitlines()[0]}.") from error
    return checked_fills(frame)


def checked_fills(frame: pl.DataFrame) -> pl.DataFrame:
    """Return valid fills in order of time, with timestamps in UTC and a fee for each.

    Raises
    ------
    SettingsError
    """
    lacking = [name for name in COLUMNS if name not in frame.columns]
    if lacking:
        raise SettingsError(f"the fills lack {', '.join(lacking)}; they need {', '.join(COLUMNS)} and may have fee.")
    stamp = pl.col("timestamp")
    if frame.schema["timestamp"] == pl.String:
        stamp = stamp.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    else:
        stamp = stamp.cast(pl.Datetime("us", "UTC"), strict=False)
    fee = pl.lit(0.0)
    if "fee" in frame.columns:  # an empty one is none; what is not a number stays null and is refused
        fee = pl.when(pl.col("fee").is_null()).then(0.0).otherwise(pl.col("fee").cast(pl.Float64, strict=False))
    made = frame.select(
        stamp.alias("timestamp"), pl.col("side").cast(pl.String).str.to_lowercase().alias("side"),
        pl.col("size").cast(pl.Float64, strict=False), pl.col("price").cast(pl.Float64, strict=False), fee.alias("fee"),
    )  # fmt: skip
    good = (
        made["timestamp"].is_not_null() & made["side"].is_in(["buy", "sell"]) & (made["size"] > 0).fill_null(False)
        & (made["price"] > 0).fill_null(False) & made["fee"].is_finite().fill_null(False)
        & made["size"].is_finite().fill_null(False) & made["price"].is_finite().fill_null(False)
    )  # fmt: skip
    if not good.all():
        row = int((~good).arg_max() or 0)
        raise SettingsError(
            f"fill {row} is {made.row(row)}; give an ISO timestamp, buy or sell, a size and price above 0, and "
            "a number or nothing as the fee."
        )
    return made.sort("timestamp")


def track(
    wf: Any, fills: pl.DataFrame, bars: Bars, chosen: Now | None = None, *, strategy: Any = None, seed: int = 0
) -> Track:
    """Compare live fills with the expected band and with the engine since the parameters came into use.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    fills : polars.DataFrame
        See `read_fills`.
    bars : Bars
        The run's bars followed by those that have closed since.
    chosen : Now, optional
        Parameters in use; by default those of `now` on the run's own bars.
    strategy : type of Strategy, optional
    seed : int

    Raises
    ------
    RunError
        No bar has closed since the parameters are in use.
    SettingsError
        Invalid fills, or fills before that time.
    """
    plan, whole = recorded_plan(wf, strategy), extended_bars(wf, bars)
    found, given = chosen or now(wf, strategy=strategy), checked_fills(fills)
    start = int(found.trained_until.timestamp() * 1_000_000)
    first = int(np.searchsorted(whole.time, int(found.trained_from.timestamp() * 1_000_000)))
    begin = int(np.searchsorted(whole.time, start))
    count = len(whole) - begin
    if count < 1:
        raise RunError(f"no bar has closed since {found.trained_until:%Y-%m-%d %H:%M} UTC; there is nothing to track.")
    early = given.filter(pl.col("timestamp") < found.trained_until)
    if len(early):
        raise SettingsError(
            f"{len(early)} fills are before {found.trained_until:%Y-%m-%d %H:%M} UTC, when the parameters came into "
            "use; leave them out."
        )
    history = whole[first:]
    bt = plan.backtest(plan.settings.simulator(history, (begin - first, len(history))), found.params)
    sign = np.where(given["side"].to_numpy() == "buy", 1.0, -1.0)
    units = sign * given["size"].to_numpy()
    spent = float((units * given["price"].to_numpy()).sum() + given["fee"].sum())
    held = float(units.sum())
    live = (plan.cash - spent + held * float(whole.close[-1])) / plan.cash - 1.0
    equity = bt.equity
    return Track(
        count, live, float(equity["equity"][-1]) / plan.cash - 1.0, expectation(wf, count, seed=seed), held,
        float(equity["position"][-1]), given, bt.orders,
    )  # fmt: skip
