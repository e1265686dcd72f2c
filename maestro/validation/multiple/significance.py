"""Significance of many walk-forwards: p-values, corrected p-values, and a summary in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro._core.formatting import percent
from maestro._core.markup import html
from maestro.errors import SettingsError
from maestro.validation.multiple.corrections import benjamini_hochberg, holm
from maestro.validation.multiple.resampling import resampled_test
from maestro.walkforward.many import WalkForwards


@dataclass(frozen=True)
class Significance:
    """Result of `significance`.

    Attributes
    ----------
    table : polars frame
        symbol, timeframe, strategy, sharpe_ratio, days, t_statistic, p_value (of each alone), p_adjusted (StepM),
        p_holm, p_bh (Benjamini-Hochberg, a false discovery rate); the smallest p-value first. Null where nothing can
        be tested: no result, no trade, or too few days.
    size : float
        Level of the test.
    total : int
        Walk-forwards, those that failed included.
    repetitions, block, seed : int
    """

    table: pl.DataFrame
    size: float
    total: int
    repetitions: int
    block: int
    seed: int

    @property
    def tested(self) -> int:
        """Walk-forwards with a p-value."""
        return int(self.table["p_value"].is_not_null().sum())

    @property
    def below(self) -> int:
        """Those whose own p-value is below the level."""
        return int((self.table["p_value"] < self.size).sum())

    @property
    def expected(self) -> float:
        """Expected number of p-values below the level if no walk-forward had an edge."""
        return self.size * self.tested

    @property
    def remaining(self) -> pl.DataFrame:
        """Rows that are significant by StepM, adjusted for all of them."""
        return self.table.filter(pl.col("p_adjusted") <= self.size)

    @property
    def best(self) -> dict[str, Any] | None:
        """Row with the smallest adjusted p-value; None if nothing can be tested."""
        found = self.table.filter(pl.col("p_value").is_not_null()).head(1)
        return found.row(0, named=True) if len(found) else None

    @property
    def sentence(self) -> str:
        """The result in words."""
        runs = f"{self.total:,} walk-forward{'' if self.total == 1 else 's'}"
        if not self.tested:
            return f"{runs}; none can be tested."
        chance = f"{self.expected:.0f}" if self.expected >= 1 else f"{self.expected:.1g}"
        left = len(self.remaining)
        remains = "none remains" if not left else f"{left:,} remain{'s' if left == 1 else ''}"
        untested = self.total - self.tested
        beside = f" ({untested:,} cannot be tested)" if untested else ""
        return f"{runs}{beside}; {self.below:,} below {percent(self.size, 0)}, {chance} expected by chance; {remains}."

    @property
    def best_in_words(self) -> str:
        """The best result with its adjusted p-value."""
        row = self.best
        if row is None:
            return "No walk-forward can be tested: none has a trade on enough days."
        name = f"{row['strategy']} on {row['symbol']} {row['timeframe']}"
        return (
            f"The best of {self.tested:,}, {name}: Sharpe {row['sharpe_ratio']:.2f}, p = {row['p_value']:.4f} alone, "
            f"{row['p_adjusted']:.2g} when all {self.tested:,} are considered."
        )

    def __repr__(self) -> str:
        return f"Significance: {self.sentence} {self.best_in_words}"

    def _repr_html_(self) -> str:
        return str(html("<p><b>{}</b><br>{}</p>", self.sentence, self.best_in_words))


def significance(
    many: WalkForwards, *, size: float = 0.05, repetitions: int = 9_999, seed: int = 0, block: int | None = None
) -> Significance:
    """Test which walk-forwards are better than chance, corrected for their number.

    The test is on the mean daily return of each run's out-of-sample timing: its returns after costs, less what its
    average exposure earned from the market's drift. A rule that is always long has none, in whatever market.

    Parameters
    ----------
    many : WalkForwards
    size : float
        Level: the probability that even one of those that remain has no edge.
    repetitions, seed, block
        As in `resampled_test`; a period is a day.

    Raises
    ------
    SettingsError
    """
    if not 0.0 < size < 1.0:
        raise SettingsError(f"size={size!r} is not between 0 and 1; 0.05 is usual.")
    days, timing = many.timing
    found = resampled_test(timing, repetitions=repetitions, seed=seed, block=min(block, len(days)) if block else None)
    cells = list(many)
    nothing = [None] * (len(many.cells) - len(cells))
    rows = [*cells, *(cell for cell in many.cells if cell not in many)]
    sharpes = [many.metric(cell, "sharpe_ratio") for cell in cells]
    table = pl.DataFrame(
        {
            "symbol": [cell.symbol for cell in rows],
            "timeframe": [cell.timeframe for cell in rows],
            "strategy": [cell.strategy for cell in rows],
            "sharpe_ratio": pl.Series([*sharpes, *nothing], dtype=pl.Float64),
            "days": pl.Series([*(~np.isnan(timing)).sum(axis=0).tolist(), *nothing], dtype=pl.Int64),
            **{
                name: pl.Series([*values.tolist(), *nothing], dtype=pl.Float64).fill_nan(None)
                for name, values in (
                    ("t_statistic", found.statistic), ("p_value", found.p_value), ("p_adjusted", found.p_adjusted),
                    ("p_holm", holm(found.p_value)), ("p_bh", benjamini_hochberg(found.p_value)),
                )
            },
        }
    )  # fmt: skip
    ordered = table.sort("p_adjusted", "p_value", "symbol", "timeframe", "strategy", nulls_last=True)
    return Significance(ordered, size, len(many.cells), repetitions, found.block, seed)
