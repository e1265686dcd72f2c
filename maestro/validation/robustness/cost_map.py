"""Cost map: results over fee × slippage (and funding), and the break-even of each cost."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.data.timeframes import timeframe_us
from maestro.engine import Costs
from maestro.errors import SettingsError
from maestro.execution.counting import counting
from maestro.reproduce.recorded import Recorded
from maestro.strategies.signals import Signals
from maestro.typing import FloatArray
from maestro.validation.robustness.break_even import break_even
from maestro.validation.robustness.choices import Choices, choices_of

FEES = (0.0, 0.0002, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.004)
SLIPPAGES = (0.0, 0.0002, 0.0005, 0.001, 0.0015, 0.002, 0.003)
FUNDING = (-0.0003, -0.0001, 0.0, 0.0001, 0.0002, 0.0003, 0.0005, 0.001)
HIGHEST = 0.05
"""Fee or slippage up to which a break-even is looked for: 5 % of each fill."""
HIGHEST_FUNDING = 0.005
SETTLED = 8 * 3_600_000_000
"""Distance of settlements where funding is made up [µs]: eight hours, as on most venues."""


@dataclass(frozen=True)
class CostMap:
    """Result of `cost_map`.

    Attributes
    ----------
    table : polars frame, one row per cell
        fee, slippage, and the stitched out-of-sample sharpe_ratio, total_return, annual_return, max_drawdown.
    funding : polars frame, one row per rate
        funding (settled every 8 h, longs pay a positive one), and the same figures, at the run's fee and slippage.
    fee, slippage : float
        Of the run.
    break_even_fee, break_even_slippage, break_even_funding : float
        Where the total return is zero, the others as in the run. NaN where it is not above zero even at 0 (for
        funding: at the run's costs without funding); infinite where it is still above zero at 5 % (funding: 0.5 %).
    """

    table: pl.DataFrame
    funding: pl.DataFrame
    fee: float
    slippage: float
    break_even_fee: float
    break_even_slippage: float
    break_even_funding: float

    @property
    def margin(self) -> float:
        """Break-even fee and slippage as multiples of the run's: 2 means that costs may double; NaN without costs.

        The smaller of the two ratios; a cost that is 0 in the run does not count.
        """
        pairs = ((self.break_even_fee, self.fee), (self.break_even_slippage, self.slippage))
        ratios = [at / own for at, own in pairs if own > 0]
        return min(ratios) if ratios and not any(math.isnan(one) for one in ratios) else math.nan

    def __repr__(self) -> str:
        return (
            f"CostMap(fee {self.fee:.3%}, breaks even at {_rate(self.break_even_fee)}; slippage {self.slippage:.3%}, "
            f"at {_rate(self.break_even_slippage)}; funding every 8 h at {_rate(self.break_even_funding)})"
        )


def cost_map(
    wf: Recorded,
    bars: Bars | None = None,
    *,
    fees: Sequence[float] = FEES,
    slippages: Sequence[float] = SLIPPAGES,
    funding: Sequence[float] = FUNDING,
    strategy: Any = None,
    cancel: threading.Event | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> CostMap:
    """Trade the chosen parameters of a walk-forward at other costs.

    The parameters stay the same; a search at other costs would be another walk-forward. The run's
    own fee and slippage are cells of the map too. Signals do not depend on costs and are computed once.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again by name if not given.
    fees, slippages : floats
        Fractions per side.
    funding : floats
        Rates settled every 8 h, instead of the bars' own; the rule still sees the bars' own.
    strategy : type of Strategy, optional
        Class of a user-defined strategy, for a run loaded from disk.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : bool or callable, optional
        True shows a bar, which a notebook also shows by itself for work over a second; a callable
        gets the number of cells done since the last call.

    Raises
    ------
    SettingsError
        Costs that are not fractions, or no fold with a result.
    BarsError, RunError, RunCancelled
    """
    for name, values in (("fees", fees), ("slippages", slippages), ("funding", funding)):
        if not all(isinstance(v, (int, float)) and abs(v) < 0.5 for v in values) or not len(values):
            raise SettingsError(f"{name}={list(values)!r} are not fractions; give numbers like 0.001, which is 0.1 %.")
    choices = choices_of(wf, bars, strategy)
    own = choices.plan.costs
    across, down = sorted({*fees, own.fee}), sorted({*slippages, own.slippage})
    cells = len(across) * len(down) + len(funding) + 3
    with counting(progress, cells, "costs", "cell", cancel) as counter:
        signals = choices.signals()
        rows = []
        for fee in across:
            for slippage in down:
                found = choices.stitched(signals=signals, costs=Costs(fee=fee, slippage=slippage)).metrics
                rows.append({"fee": fee, "slippage": slippage, **found})
                counter.done()
        paid = []
        for rate in funding:
            made = with_funding(choices.bars, rate)
            paid.append({"funding": rate, **choices.stitched(signals=signals, bars=made).metrics})
            counter.done()

        def at_fee(value: float) -> float:
            return _total(choices, signals, replace(own, fee=value))

        def at_slippage(value: float) -> float:
            return _total(choices, signals, replace(own, slippage=value))

        def at_funding(value: float) -> float:
            made = with_funding(choices.bars, value)
            return choices.stitched(signals=signals, bars=made).metrics["total_return"]

        ends = []
        for total, highest in ((at_fee, HIGHEST), (at_slippage, HIGHEST), (at_funding, HIGHEST_FUNDING)):
            ends.append(break_even(total, highest))
            counter.done()
    return CostMap(pl.DataFrame(rows), pl.DataFrame(paid), own.fee, own.slippage, *ends)


def _total(choices: Choices, signals: Sequence[Signals], costs: Costs) -> float:
    return choices.stitched(signals=signals, costs=costs).metrics["total_return"]


def with_funding(bars: Bars, rate: float) -> Bars:
    """Bars with one funding rate settled every 8 h, or at every bar where these are longer, by as much more."""
    length = timeframe_us(bars.timeframe)
    rates = np.full(len(bars), np.nan)
    if length >= SETTLED:
        rates[:] = rate * (length / SETTLED)
    else:
        rates[bars.time % SETTLED < length] = rate
    return _with(bars, funding_rate=rates, funding_count=None)


def _with(bars: Bars, **columns: FloatArray | None) -> Bars:
    """Bars with some columns replaced, for the simulation only."""
    made = bars[:]
    for name, values in columns.items():
        setattr(made, name, values)
    made.origin = ""
    return made


def _rate(value: float) -> str:
    return "none" if math.isnan(value) else "more than that looked for" if math.isinf(value) else f"{value:.3%}"
