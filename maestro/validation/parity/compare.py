"""Compare the engines: every strategy on several series, with the reason for each difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro.bars import Bars
from maestro.engine import Backtest, Costs, Sizing, backtest
from maestro.engine.engines import NAMES, engine_name, run_engine
from maestro.errors import MissingSeriesError, SettingsError
from maestro.strategies import STRATEGIES, strategies, strategy
from maestro.strategies.base import Strategy
from maestro.typing import FloatArray

EXACT = 1e-9
"""Relative difference below which two engines agree: on every fill, equity value and metric."""
METRICS_WITHIN, TRADES_WITHIN_A_BAR, CORRELATION_ABOVE = 0.02, 0.95, 0.95
"""What is required of an engine with its own broker: largest difference of a metric, share of trades, equity."""
DEFAULT_SETTINGS = "backtrader, default settings"
"""backtrader without the settings that this project gives it; shown for comparison, not required to agree."""
SAMPLES = ("AAPL", "IBM", "MSFT")
"""Series of a comparison that names none: real daily bars that come with the package."""

_RUIN_VECTORBT = (
    "compared up to bar {bar}, after which the account is ruined: vectorbt cannot borrow, so it cannot close a short "
    "that costs more than its cash"
)
_NO_FUNDING = "compared without funding in either engine: in vectorbt only orders change the cash"
_RUIN_BACKTRADER = (
    "ruined: backtrader fills the closing order one step later, so the close of that bar still shows the position, and "
    "its equity does not include the costs of closing"
)
_ROUNDING = "an order for all the cash is smaller by 1e-12 (1e-10 for a grid), so that rounding cannot exceed the cash"
_OWN = "a user-defined strategy: backtrader trades its signals, because only built-in rules are reimplemented for it"
_PROXY = "with a proxy: the series lacks data that the rule needs"
_SCHEMA: dict[str, Any] = {
    "series": pl.String, "strategy": pl.String, "engine": pl.String, "trades": pl.Int64, "theirs": pl.Int64,
    "trades_within_a_bar": pl.Float64, "worst_metric": pl.String, "metric_difference": pl.Float64,
    "fill_difference": pl.Float64, "equity_difference": pl.Float64, "equity_correlation": pl.Float64,
    "passed": pl.Boolean, "reason": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Parity:
    """Result of a comparison.

    Attributes
    ----------
    table : polars frame, one row per series, strategy and engine: trades of both engines, share of the trades
        of the same side that begin and end within one bar of each other, the metric that differs most and by how
        much (relative), largest relative difference of a fill's size, price or fee (infinite where the fills are not
        the same ones) and of equity, correlation of equity, whether it passed, and the reason for any difference
    costs, sizing, cash : settings of the backtests
    """

    table: pl.DataFrame
    costs: Costs
    sizing: Sizing
    cash: float

    @property
    def failures(self) -> pl.DataFrame:
        """Rows that did not pass, without those of backtrader with default settings."""
        return self.table.filter(~pl.col("passed") & (pl.col("engine") != DEFAULT_SETTINGS))

    @property
    def passed(self) -> bool:
        """Whether all comparisons that must agree do."""
        return self.failures.is_empty()


def parity(
    series: Sequence[Bars],
    names: Sequence[str | type[Strategy]] | None = None,
    *,
    engines: Sequence[str] = ("vectorbt", "backtrader"),
    default_settings: bool = False,
    costs: Costs | None = None,
    sizing: Sizing | str = "percent:1.0",
    cash: float = 100_000.0,
    progress: Callable[[str], None] | None = None,
) -> Parity:
    """Compare engines with the fast one on every strategy and series, with default parameters.

    vectorbt trades the same signals with its own order logic and must agree to 1e-9 on every fill, equity value and
    metric. backtrader trades reimplemented rules, bar by bar, with its own broker; the requirements are metrics
    within 2 %, 95 % of the trades within one bar, and a correlation of equity above 0.95. A strategy whose data is
    missing runs with its proxy; for a user-defined one, backtrader trades the signals. With `default_settings`,
    backtrader also runs without the settings that make it comparable; for every row that then differs, each setting
    is tried on its own to find the reason.

    Raises
    ------
    SettingsError
        No series, an unknown engine, or the fast one.
    MissingExtraError
        An engine's library is not installed.
    """
    chosen = [engine_name(engine) for engine in engines]
    if not series or "fast" in chosen:
        others = ", ".join(name for name in NAMES if name != "fast")
        raise SettingsError(f"parity compares the fast engine on at least one series with others; engines: {others}.")
    settings = _Settings(costs or Costs(), Sizing.of(sizing), float(cash))
    rows = []
    for bars in series:
        for name in names or strategies():
            if progress is not None:
                progress(f"{bars.name} {name if isinstance(name, str) else name.__name__}")
            rows += list(_rows(bars, name, chosen, settings, default_settings))
    return Parity(pl.DataFrame(rows, schema=_SCHEMA), settings.costs, settings.sizing, settings.cash)


@dataclass(frozen=True)
class _Settings:
    costs: Costs
    sizing: Sizing
    cash: float

    def keywords(self) -> dict[str, Any]:
        return {"costs": self.costs, "sizing": self.sizing, "cash": self.cash}


def _rows(
    bars: Bars, name: str | type[Strategy], engines: Sequence[str], settings: _Settings, default_settings: bool
) -> Iterator[dict[str, Any]]:
    """Rows of one strategy on one series."""
    rule, notes = _runnable(bars, name)
    ours = backtest(bars, rule, **settings.keywords())
    about = {"series": bars.name, "strategy": rule.name}
    if "vectorbt" in engines:
        yield {**about, **_with_vectorbt(bars, rule, ours, settings, notes)}
    if "backtrader" in engines:
        theirs = backtest(bars, rule, engine="backtrader", **settings.keywords())
        found = compare(ours, theirs)
        reasons = [*notes, *([_RUIN_BACKTRADER] if ours.metrics["ruined"] else [])]
        if found.equity_difference > 0 and not ours.metrics["ruined"]:
            reasons.append(_ROUNDING)
        yield {**about, **found.row("backtrader", reasons, found.close)}
    if default_settings:
        yield {**about, **_plain(bars, rule, ours, settings, notes)}


def _runnable(bars: Bars, given: str | type[Strategy]) -> tuple[Strategy, list[str]]:
    """Return a strategy that can run on the bars, with its proxy if a series is missing."""
    rule = strategy(given) if isinstance(given, str) else given()
    notes = [] if STRATEGIES.get(rule.name) is type(rule) else [_OWN]
    try:
        rule.evaluate(bars)
    except MissingSeriesError:
        if "proxy" not in rule.declared:
            raise
        return type(rule)(proxy=True), [*notes, _PROXY]
    return rule, notes


def _with_vectorbt(bars: Bars, rule: Strategy, ours: Backtest, settings: _Settings, notes: list[str]) -> dict[str, Any]:
    signals, reasons = rule.evaluate(bars), list(notes)
    if bars.funding_rate is not None:
        bars = _without_funding(bars)
        reasons.append(_NO_FUNDING)
        ours = backtest(bars, signals, **settings.keywords())
    if ours.metrics["ruined"]:
        until = int(np.argmax(ours.equity["equity"].to_numpy() <= 0))
        reasons.append(_RUIN_VECTORBT.format(bar=until))
        bars = bars[:until]
        signals = rule.evaluate(bars)
        ours = backtest(bars, signals, **settings.keywords())
    theirs = run_engine("vectorbt", bars, None, signals, fill="next_open", **settings.keywords())
    found = compare(ours, theirs)
    return found.row("vectorbt", reasons, found.exact)


def _plain(bars: Bars, rule: Strategy, ours: Backtest, settings: _Settings, notes: list[str]) -> dict[str, Any]:
    """Compare with backtrader's default settings; the reasons are the defaults that each change this result.

    The effect on the final equity is in brackets.
    """
    from maestro.engine.backtrader.trading import DEFAULT_SETTINGS as WAYS

    signals = rule.evaluate(bars)

    def ran(*ways: str) -> Backtest:
        return run_engine(
            "backtrader", bars, rule, signals, fill="next_open", plain=frozenset(ways), **settings.keywords()
        )

    whole, reasons, made_comparable = compare(ours, ran(*WAYS)), list(notes), ran()
    if not whole.exact:
        alone = {way: compare(made_comparable, ran(way)) for way in WAYS}
        reasons += [f"{way} ({_signed(ours, one)})" for way, one in alone.items() if not one.nearly]
    return whole.row(DEFAULT_SETTINGS, reasons, whole.close)


def _signed(ours: Backtest, one: Agreement) -> str:
    return f"{100 * (one.final / ours.metrics['final_equity'] - 1):+.2f} %"


def _without_funding(bars: Bars) -> Bars:
    columns = {name: getattr(bars, name) for name in ("time", "open", "high", "low", "close", "volume")}
    plain = Bars(
        columns, provider=bars.provider, symbol=bars.symbol, timeframe=bars.timeframe,
        periods_per_year=bars.periods_per_year,
    )  # fmt: skip
    plain.others = bars.others
    return plain


# -- two results ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agreement:
    """Agreement of two results on the same bars; differences are relative."""

    trades: int
    theirs: int
    within_a_bar: float
    worst: str
    metric: float
    fill: float
    equity_difference: float
    correlation: float
    final: float

    @property
    def exact(self) -> bool:
        """Equal to 1e-9 on every fill, equity value and metric."""
        return max(self.metric, self.fill, self.equity_difference) <= EXACT and self.within_a_bar == 1.0

    @property
    def nearly(self) -> bool:
        """Equal except for the rounding of orders for all the cash."""
        return max(self.metric, self.fill, self.equity_difference) <= 1e-6

    @property
    def close(self) -> bool:
        """Metrics within 2 %, 95 % of the trades within one bar, correlation of equity above 0.95."""
        return (
            self.metric <= METRICS_WITHIN
            and self.within_a_bar >= TRADES_WITHIN_A_BAR
            and self.correlation > CORRELATION_ABOVE
        )

    def row(self, engine: str, reasons: Sequence[str], passed: bool) -> dict[str, Any]:
        """Row of the table."""
        return {
            "engine": engine, "trades": self.trades, "theirs": self.theirs, "trades_within_a_bar": self.within_a_bar,
            "worst_metric": self.worst, "metric_difference": self.metric, "fill_difference": self.fill,
            "equity_difference": self.equity_difference, "equity_correlation": self.correlation, "passed": passed,
            "reason": "; ".join(reasons),
        }  # fmt: skip


def compare(ours: Backtest, theirs: Backtest) -> Agreement:
    """Compare two results on the same bars.

    A metric that only one of them has differs infinitely, and so do fills that do not correspond. After ruin,
    differences of equity are relative to the cash.
    """
    differences = {name: difference(ours.metrics[name], theirs.metrics[name]) for name in m.NAMES}
    worst = max(differences, key=lambda name: differences[name])
    a, b = ours.equity["equity"].to_numpy(), theirs.equity["equity"].to_numpy()
    scale = np.abs(a) if a.min() > 0 else np.full(len(a), ours.cash)
    result = Agreement(
        trades=len(ours.trades), theirs=len(theirs.trades), within_a_bar=within_a_bar(ours, theirs), worst=worst,
        metric=differences[worst], fill=_fill_difference(ours, theirs),
        equity_difference=float(np.max(np.abs(a - b) / scale)), correlation=_correlation(a, b),
        final=theirs.metrics["final_equity"],
    )  # fmt: skip
    return result if differences[worst] > 0 else replace(result, worst="")


def difference(a: float, b: float) -> float:
    """Difference of two numbers relative to the larger one; 0 if both are NaN, infinite if one is."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    if math.isnan(a) or math.isnan(b):
        return math.inf
    return abs(a - b) / max(abs(a), abs(b))


def within_a_bar(ours: Backtest, theirs: Backtest) -> float:
    """Share of the trades that pair: same side, entries and exits at most one bar apart; 1 if there are no trades.

    Equal trades pair first, without a search for the best pairing, so it is a lower bound.
    """
    mine, other = _legs(ours), _legs(theirs)
    if not mine and not other:
        return 1.0
    left: dict[tuple[int, int, str], int] = {}
    for leg in other:
        left[leg] = left.get(leg, 0) + 1
    near = [(0, 0), *((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))]
    paired = 0
    for i, j in near:
        rest = []
        for entry, leaving, side in mine:
            leg = (entry + i, leaving + j, side)
            if left.get(leg, 0):
                left[leg] -= 1
                paired += 1
            else:
                rest.append((entry, leaving, side))
        mine = rest
    return paired / max(len(ours.trades), len(theirs.trades))


def _legs(result: Backtest) -> list[tuple[int, int, str]]:
    """Bars of entry and exit, and side, of every trade."""
    time = result.bars.time
    stamps = [
        np.searchsorted(time, result.trades[name].to_physical().to_numpy()) for name in ("entry_time", "exit_time")
    ]
    return list(zip(stamps[0].tolist(), stamps[1].tolist(), result.trades["side"].to_list(), strict=True))


def _fill_difference(ours: Backtest, theirs: Backtest) -> float:
    """Largest relative difference of a fill's size, price or fee; infinite if the fills do not correspond.

    Fills of one bar, side and price count as one, because an engine may sell a grid's lots one by one.
    """
    a, b = (_merged(result.orders) for result in (ours, theirs))
    if len(a) != len(b) or not a.select("timestamp", "side").equals(b.select("timestamp", "side")):
        return math.inf
    worst = 0.0
    for name in ("size", "price", "fee"):
        x, y = a[name].to_numpy(), b[name].to_numpy()
        scale = np.maximum(np.abs(x), np.abs(y))
        worst = max(worst, float(np.max(np.abs(x - y) / np.where(scale > 0, scale, 1.0), initial=0.0)))
    return worst


def _merged(orders: pl.DataFrame) -> pl.DataFrame:
    """Fills by bar, side and price, in that order."""
    return (
        orders.group_by("timestamp", "side", pl.col("price").round_sig_figs(9).alias("about"))
        .agg(pl.col("size").sum(), pl.col("price").mean(), pl.col("fee").sum())
        .sort("timestamp", "side", "about")
    )


def _correlation(a: FloatArray, b: FloatArray) -> float:
    """Correlation of two equity curves; 1 if they are equal."""
    if np.allclose(a, b, rtol=EXACT, atol=0.0):
        return 1.0
    if not (a.std() > 0 and b.std() > 0):
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])
