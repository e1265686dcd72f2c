"""A run's out-of-sample equity as a small curve, and its efficiency, from the tables on disk."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro.metrics import efficiency
from maestro.reports.figures.theme import LIGHT
from maestro.typing import FloatArray
from maestro.walkforward.result import in_sample_return

WIDTH, HEIGHT = 68, 20
"""Pixels of a curve."""
_POINTS = 60
_FOLDS = ("train_start", "train_end", "is_annual_return", "oos_total_return")


@lru_cache(maxsize=4_000)
def curve_of(folder: Path, stamp: Any, annual_return: float) -> tuple[float | None, str]:
    """Efficiency and curve (SVG) of a finished run; None and an empty text where its tables cannot be read.

    Parameters
    ----------
    folder : Path
    stamp : hashable
        Changes when the run does; the answer is kept as long as it stays.
    annual_return : float
        Out of sample, as the manifest has it.
    """
    try:
        equity = pl.read_parquet(folder / "equity.parquet", columns=["equity"])["equity"].to_numpy()
        folds = pl.read_parquet(folder / "folds.parquet", columns=list(_FOLDS))
    except (OSError, pl.exceptions.PolarsError):  # opening the run says what is wrong with it
        return None, ""
    return efficiency(annual_return, in_sample_return(folds)), svg(equity)


def svg(values: FloatArray) -> str:
    """Curve of at most some dozen points, from the first value to the last, with the first as a thin line."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if len(known) < 2:
        return ""
    shown = known[np.unique(np.linspace(0, len(known) - 1, _POINTS).round().astype(int))]
    low, high = float(shown.min()), float(shown.max())
    x = np.linspace(1, WIDTH - 1, len(shown))
    y = HEIGHT - 2 - (shown - low) / ((high - low) or 1.0) * (HEIGHT - 4)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    color = LIGHT["gain"] if shown[-1] >= shown[0] else LIGHT["loss"]
    change = f"{'rises' if shown[-1] >= shown[0] else 'falls'} from {shown[0]:,.0f} to {shown[-1]:,.0f}"
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="Equity {change}">'
        f'<line x1="1" x2="{WIDTH - 1}" y1="{y[0]:.1f}" y2="{y[0]:.1f}" stroke="#868d9a" stroke-width="0.5"/>'
        f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.4"/></svg>'
    )
