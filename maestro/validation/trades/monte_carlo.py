"""Monte Carlo of trades: the same trades in another order, resampled, or some of them missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl

from maestro._core.compiled import njit
from maestro._core.hooks import hook
from maestro.errors import SettingsError, nearest
from maestro.typing import FloatArray
from maestro.validation.trades.account import account_trades

Method: TypeAlias = Literal["bootstrap", "reshuffle", "skip"]
METHODS: dict[str, str] = {
    "bootstrap": "as many trades, drawn with replacement",
    "reshuffle": "the same trades in a random order",
    "skip": "the same order, each trade missed with a given probability",
}
QUANTILES = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
FIGURES = ("total_return", "max_drawdown", "time_under_water", "longest_losing_streak")
_KEPT = 200
"""Paths whose whole equity is kept for the figure."""


@dataclass(frozen=True)
class MonteCarlo:
    """Distribution of the outcomes of an account that makes a set of trades.

    Attributes
    ----------
    method : str
    trades, paths : int
    figures : dict of float64[paths]
        By name: ``total_return`` (fraction), ``max_drawdown`` (fraction, at most 0; between closed trades, open losses
        do not count), ``time_under_water`` (the longest stretch below an earlier peak, in trades),
        ``longest_losing_streak`` (trades).
    observed : dict of float
        The same figures for the trades in their actual order.
    ruin_level : float
        Loss from the starting cash that counts as ruin, a fraction.
    risk_of_ruin : float
        Share of the paths that lost that much at any time.
    sample : float64[m, trades + 1]
        Equity over starting cash of some paths, for a figure.
    settings : dict
    """

    method: str
    trades: int
    paths: int
    figures: dict[str, FloatArray]
    observed: dict[str, float]
    ruin_level: float
    risk_of_ruin: float
    sample: FloatArray
    settings: dict[str, Any]

    @property
    def table(self) -> pl.DataFrame:
        """One row per figure: observed, its rank (share of paths below it), and quantiles q01 to q99."""
        rows = []
        for name, values in self.figures.items():
            quantiles = np.quantile(values, QUANTILES)
            rank = float((values < self.observed[name]).mean() + 0.5 * (values == self.observed[name]).mean())
            named = {f"q{q * 100:02.0f}": float(v) for q, v in zip(QUANTILES, quantiles, strict=True)}
            rows.append({"figure": name, "observed": self.observed[name], "rank": rank, **named})
        return pl.DataFrame(rows)

    def quantile(self, figure: str, q: float) -> float:
        """Quantile of a figure: ``quantile("max_drawdown", 0.05)`` is the drawdown that 5 % of the paths exceed."""
        if figure not in self.figures:
            raise SettingsError(
                f"figure {figure!r} is unknown; allowed: {', '.join(self.figures)}.{nearest(figure, self.figures)}"
            )
        return float(np.quantile(self.figures[figure], q))

    def figure(self, **options: Any) -> Any:
        """Fan of the paths beside the distribution of drawdowns, as a Bokeh layout."""
        return hook("monte_carlo_figure")(self, **options)

    def __repr__(self) -> str:
        return (
            f"MonteCarlo({self.method}, {self.paths:,} paths of {self.trades:,} trades: median drawdown "
            f"{self.quantile('max_drawdown', 0.5):.1%}, 5 % are deeper than {self.quantile('max_drawdown', 0.05):.1%}; "
            f"risk of losing {self.ruin_level:.0%}: {self.risk_of_ruin:.1%})"
        )

    def _repr_html_(self) -> str:
        return str(hook("monte_carlo_html")(self)._repr_html_())


def monte_carlo(
    result: Any,
    *,
    method: Method = "bootstrap",
    paths: int = 10_000,
    ruin: float = 0.5,
    skip: float = 0.1,
    block: int = 1,
    seed: int = 0,
) -> MonteCarlo:
    """Simulate many paths of a result's closed trades: drawdown, time under water and risk of ruin.

    Parameters
    ----------
    result : WalkForward, Backtest or float64[n]
        Trades out of sample, of the backtest, or returns on the account of trades.
    method : {"bootstrap", "reshuffle", "skip"}
        ``bootstrap`` draws as many trades with replacement; ``reshuffle`` changes only their order, so the total
        return stays and the drawdown changes; ``skip`` keeps the order and misses each trade with probability `skip`.
    paths : int
    ruin : float
        Loss from the starting cash that counts as ruin, a fraction in (0, 1].
    skip : float
        Probability in (0, 1) that a trade is missed, for ``method="skip"``.
    block : int
        Number of consecutive trades that ``bootstrap`` draws together, for gains and losses that come in series.
    seed : int
        Equal arguments give equal results, on any number of threads.

    Returns
    -------
    MonteCarlo

    Raises
    ------
    SettingsError
        Fewer than two closed trades, or an argument outside its range.
    """
    returns = np.asarray(result, np.float64) if isinstance(result, np.ndarray) else account_trades(result).returns
    if returns.ndim != 1 or len(returns) < 2:
        raise SettingsError(
            f"{len(np.atleast_1d(returns))} closed trades are too few to draw from; at least 2 are needed."
        )
    if not np.isfinite(returns).all() or (returns < -1).any():
        raise SettingsError(
            "returns of trades must be finite and at least -1: an account cannot lose more than it has."
        )
    if method not in METHODS:
        raise SettingsError(
            f"method={method!r} is unknown; allowed: {', '.join(METHODS)}.{nearest(str(method), METHODS)}"
        )
    for name, value, low in (("paths", paths, 1), ("block", block, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
            raise SettingsError(f"{name}={value!r} is not a whole number of at least {low}.")
    if not 0 < ruin <= 1:
        raise SettingsError(f"ruin={ruin!r} is not a loss above 0 and at most 1 (1 is all of the cash).")
    if not 0 < skip < 1:
        raise SettingsError(f"skip={skip!r} is not a probability above 0 and below 1.")
    if block > len(returns):
        raise SettingsError(f"block={block} is longer than the {len(returns)} trades; give a shorter one.")
    found = np.empty((paths, len(FIGURES)))
    lowest = np.empty(paths)
    sample = np.empty((min(_KEPT, paths), len(returns) + 1))
    code = tuple(METHODS).index(method)
    _draw_paths(returns, code, np.uint64(seed), float(skip), int(block), found, lowest, sample)
    observed = np.empty((1, len(FIGURES)))
    _measure_path(returns, np.arange(len(returns)), len(returns), observed[0])
    return MonteCarlo(
        method, len(returns), int(paths), {name: found[:, k] for k, name in enumerate(FIGURES)},
        {name: float(observed[0, k]) for k, name in enumerate(FIGURES)}, float(ruin),
        float((lowest <= 1.0 - ruin + 1e-12).mean()), sample,
        {"paths": int(paths), "seed": int(seed), "ruin": float(ruin),
         **({"skip": float(skip)} if method == "skip" else {}), **({"block": int(block)} if block > 1 else {})},
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _mix(state: Any) -> Any:
    """SplitMix64 (G. Steele, D. Lea, C. Flood, 2014, doi:10.1145/2660193.2660195): the next 64 random bits."""
    z = state * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def _uniform(state: Any) -> float:
    """A number in [0, 1) with 53 random bits."""
    return float(_mix(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True, borrows=True)
def _measure_path(returns: Any, order: Any, count: int, out: Any) -> float:
    """Figures of trades in an order; returns the lowest equity over starting cash."""
    equity = peak = lowest = 1.0
    deepest = 0.0
    water = longest = streak = worst = 0
    for i in range(count):
        r = returns[order[i]]
        equity *= 1.0 + r
        if r < 0.0:
            streak += 1
            worst = max(worst, streak)
        else:
            streak = 0
        if equity >= peak:
            peak = equity
            water = 0
        else:
            water += 1
            longest = max(longest, water)
            deepest = min(deepest, equity / peak - 1.0)
        lowest = min(lowest, equity)
    out[0] = equity - 1.0
    out[1] = deepest
    out[2] = longest
    out[3] = worst
    return lowest


@njit(cache=True, nogil=True)
def _draw_paths(
    returns: Any, method: int, seed: Any, skip: float, block: int, found: Any, lowest: Any, sample: Any
) -> None:
    n = len(returns)
    order = np.empty(n, np.int64)
    for p in range(len(found)):
        state = _mix(seed + np.uint64(1)) + _mix(np.uint64(p + 1)) * np.uint64(3)
        count = n
        if method == 0:
            i = 0
            while i < n:
                state += np.uint64(1)
                begin = int(_uniform(state) * n)
                for j in range(min(block, n - i)):
                    order[i + j] = (begin + j) % n
                i += block
        elif method == 1:
            for i in range(n):
                order[i] = i
            for i in range(n - 1, 0, -1):
                state += np.uint64(1)
                j = int(_uniform(state) * (i + 1))
                order[i], order[j] = order[j], order[i]
        else:
            count = 0
            for i in range(n):
                state += np.uint64(1)
                if _uniform(state) >= skip:
                    order[count] = i
                    count += 1
        lowest[p] = _measure_path(returns, order, count, found[p])
        if p < len(sample):
            equity = 1.0
            sample[p, 0] = 1.0
            for i in range(n):
                if i < count:
                    equity *= 1.0 + returns[order[i]]
                sample[p, i + 1] = equity
