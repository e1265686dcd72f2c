"""Regimes of a series over time: fitted on past bars, filtered over the bars that follow, fitted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro._core.hooks import hook
from maestro.bars import Bars
from maestro.data.durations import duration_unit, offset
from maestro.errors import SettingsError
from maestro.regime.model import UNKNOWN, RegimeFit, Regimes, agreement, most_probable
from maestro.typing import FloatArray, IntArray

LENGTHS = (("1y", "3mo"), ("6mo", "6w"), ("3mo", "3w"), ("1mo", "1w"))
"""Lengths of training windows and between fits, from which `training_lengths` chooses."""


@dataclass(frozen=True)
class RegimeHistory:
    """State of each bar, as it could have been known at that bar's close.

    Attributes
    ----------
    bars : Bars
    settings : Regimes
    probabilities : float64[n, k]
        Filtered probability of each state; NaN before the first fit.
    state : int64[n]
        Most probable state, 0 is the calmest; -1 before the first fit.
    fits : tuple of RegimeFit
    used_from : int64[m]
        Index of the first bar whose state comes from each fit.
    """

    bars: Bars
    settings: Regimes
    probabilities: FloatArray
    state: IntArray
    fits: tuple[RegimeFit, ...]
    used_from: IntArray

    @property
    def table(self) -> pl.DataFrame:
        """One row per state: share of the bars, spells, mean spell [bars], annual return and volatility.

        Returns from one close to the next belong to the state that was known at the earlier close, so a row says what
        followed a state, not what made it.
        """
        periods = self.bars.periods_per_year
        following = np.diff(np.log(self.bars.close))
        before = self.state[:-1]
        rows = []
        for k in range(self.settings.states):
            here = self.state == k
            spells = int((here & ~np.concatenate(([False], here[:-1]))).sum())
            after = following[before == k]
            rows.append(
                {
                    "state": k,
                    "share": float(here.sum() / max(int((self.state != UNKNOWN).sum()), 1)),
                    "spells": spells,
                    "mean_spell": float(here.sum() / spells) if spells else None,
                    "annual_return": float(np.expm1(after.mean() * periods)) if len(after) else None,
                    "volatility": float(after.std(ddof=1) * np.sqrt(periods)) if len(after) > 1 else None,
                }
            )
        schema = {"state": pl.Int64, "share": pl.Float64, "spells": pl.Int64, "mean_spell": pl.Float64,
                  "annual_return": pl.Float64, "volatility": pl.Float64}  # fmt: skip
        return pl.DataFrame(rows, schema=schema)

    @property
    def fit_table(self) -> pl.DataFrame:
        """One row per fit: training window, first bar it is used for, log-likelihood, agreement with the fit before.

        Agreement is the share of the bars of the fit's own training window to which both fits give the same state.
        """
        rows = []
        for k, fit in enumerate(self.fits):
            window = self.bars.between(fit.start, fit.end)
            rows.append(
                {
                    "fit": k,
                    "train_start": fit.start,
                    "train_end": fit.end,
                    "used_from": _stamp(self.bars, self.used_from[k]),
                    "log_likelihood": fit.to_dict().get("log_likelihood"),
                    "agreement": agreement(self.fits[k - 1], fit, window) if k else None,
                }
            )
        return pl.DataFrame(rows)

    @property
    def agreement(self) -> float:
        """Mean agreement of each fit with the one before it; NaN with one fit. Below 0.8, take states with care."""
        found = self.fit_table["agreement"].drop_nulls()
        return float(found.mean()) if len(found) else float("nan")  # type: ignore[arg-type]

    def to_frame(self) -> pl.DataFrame:
        """One row per bar: timestamp, state (null before the first fit), p0, p1, …"""
        known = pl.Series(self.state != UNKNOWN)
        frame = pl.DataFrame({"timestamp": self.bars.to_frame()["timestamp"], "state": self.state}).with_columns(
            pl.when(known).then(pl.col("state")).alias("state")
        )
        return frame.with_columns(
            pl.Series(f"p{k}", self.probabilities[:, k]).fill_nan(None) for k in range(self.settings.states)
        )

    def figure(self, **options: Any) -> Any:
        """Price over time with the probabilities of the states below it, as a Bokeh layout."""
        return hook("regime_figure")(self, **options)

    def __repr__(self) -> str:
        shares = ", ".join(f"{row['state']}: {row['share']:.0%}" for row in self.table.to_dicts())
        return (
            f"RegimeHistory({self.bars.name}, {self.settings.states} states by {'+'.join(self.settings.features)}, "
            f"{len(self.fits)} fits, agreement {self.agreement:.2f}; share of bars {shares})"
        )

    def _repr_html_(self) -> str:
        return str(hook("regime_html")(self)._repr_html_())


def regimes(bars: Bars, model: Regimes | None = None, *, train: str = "1y", refit: str | None = "3mo") -> RegimeHistory:
    """States of a series, each known at its bar's close.

    The first fit uses the first `train` of the bars, and gives states to the bars after them; every `refit` the model
    is fitted again on the `train` before. Bars of the first training window have no state: one that was fitted on the
    bar itself would look ahead.

    Parameters
    ----------
    bars : Bars
    model : Regimes, optional
        Two states by returns if not given.
    train : str
        Length of a training window: ``"1y"``, ``"6mo"``.
    refit : str or None
        Length between fits; None fits once.

    Returns
    -------
    RegimeHistory

    Raises
    ------
    SettingsError
        A length that is not understood, or bars that are not longer than one training window.
    """
    if not isinstance(bars, Bars):
        raise SettingsError(f"bars is a {type(bars).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame).")
    settings = Regimes() if model is None else model
    if not isinstance(settings, Regimes):
        raise SettingsError(f"model is a {type(settings).__name__}; give ms.Regimes(...).")
    for name, text in (("train", train), ("refit", refit)):
        if text is not None and duration_unit(text) is None:
            raise SettingsError(f"{name}={text!r} is not a length; give one like '1y', '6mo', '2w' or '90d'.")
    first, last = int(bars.time[0]), int(bars.time[-1])
    at = offset(first, train)
    if at > last:
        raise SettingsError(
            f"the bars from {bars.start:%Y-%m-%d} to {bars.end:%Y-%m-%d} are not longer than train={train!r}; give a "
            "shorter training window or more bars."
        )
    cuts = []
    while at <= last:
        cuts.append((int(np.searchsorted(bars.time, offset(at, f"-{train}"))), int(np.searchsorted(bars.time, at))))
        if refit is None:
            break
        at = offset(at, refit)
    return history_of(bars, settings, cuts)


def training_lengths(bars: Bars) -> tuple[str, str]:
    """Length of the training windows and between fits that suits the bars: the longest that fits three times.

    For pages and apps, which choose them for you; both are arguments of `regimes`.
    """
    first = int(bars.time[0])
    third = first + (int(bars.time[-1]) - first) // 3
    return next((pair for pair in LENGTHS if offset(first, pair[0]) <= third), LENGTHS[-1])


def history_of(bars: Bars, settings: Regimes, cuts: Sequence[tuple[int, int]]) -> RegimeHistory:
    """States from given training windows, as (train start, train stop); each fit serves until the next one.

    Also for the folds of a walk-forward: one fit per training window.
    """
    n, k = len(bars), settings.states
    probabilities = np.full((n, k), np.nan)
    fits = []
    for index, (begin, stop) in enumerate(cuts):
        until = cuts[index + 1][1] if index + 1 < len(cuts) else n
        training = bars[begin:stop]
        try:
            fit = settings.fit(training)
        except SettingsError as error:
            raise SettingsError(f"fit {index}, on the bars from {training.start} to {training.end}: {error}") from error
        probabilities[stop:until] = fit.probabilities(bars[begin:until])[stop - begin :]
        fits.append(fit)
    used = np.array([stop for _, stop in cuts], np.int64)
    return RegimeHistory(bars, settings, probabilities, most_probable(probabilities), tuple(fits), used)


def _stamp(bars: Bars, index: int) -> Any:
    return bars[int(index) : int(index) + 1].start
