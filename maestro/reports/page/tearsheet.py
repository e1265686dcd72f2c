"""A QuantStats tear sheet of a result, written without a network and without noise."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro._core.quiet import ignored
from maestro._core.temporary import temporary_folder
from maestro.errors import MissingExtraError, RunError
from maestro.reports.output import MARK, write_page
from maestro.reports.tables.annualisation import days_per_year
from maestro.walkforward.columns import growth, numbers, start_value

_FEWEST_DAYS = 30


def write_tearsheet(result: Any, path: str | os.PathLike[str]) -> Path:
    """Write QuantStats' sheet of a walk-forward (out of sample) or a backtest, against buy and hold.

    Returns of bars shorter than a day are compounded to days (UTC); ratios are annualised with the number of days
    that the calendar of the bars has, and the sheet says which.

    Parameters
    ----------
    result : walk-forward or Backtest
    path : path of the HTML file; an existing one is replaced, whole or not at all

    Raises
    ------
    MissingExtraError
        QuantStats is not installed.
    RunError
        Fewer than 30 days, or QuantStats cannot make a sheet of these returns.
    """
    name, series, timeframe, synthetic = _about(result)
    frame = result.equity
    if "return" not in frame.columns:
        frame = frame.with_columns(pl.Series("return", np.asarray(result.returns, np.float64)))
    if "benchmark" not in frame.columns:
        frame = frame.with_columns(pl.Series("benchmark", np.asarray(result.benchmark, np.float64)))
    daily = daily_returns(frame, start_value(result))
    if len(daily) < _FEWEST_DAYS:
        raise RunError(f"{len(daily)} days of returns are too few for a tear sheet; it takes {_FEWEST_DAYS} or more.")
    if not np.abs(numbers(daily, "return")).max() > 0:
        raise RunError("all returns are zero (no trade was made), so there is nothing for a tear sheet to show.")
    days = days_per_year(result)
    made = " (synthetic data)" if synthetic else ""
    with _quiet():
        try:
            import pandas as pd
            import quantstats

            sheet: Any = quantstats.reports.html
        except ImportError as error:
            raise MissingExtraError(error.name or "quantstats", "report") from error
        index = pd.DatetimeIndex(daily["date"].to_list())
        returns = pd.Series(numbers(daily, "return"), index, name="Strategy")
        held = pd.Series(numbers(daily, "benchmark"), index, name="Buy and hold")
        try:
            with temporary_folder("tearsheet") as folder:
                work = folder / "sheet.html"
                sheet(
                    returns,
                    benchmark=None if held.isna().all() else held,
                    output=str(work),
                    title=escape(f"{name} on {series}{made}"),
                    periods_per_year=round(days) if days == round(days) else days,
                    match_dates=False,
                    parameters={
                        "Returns": (
                            "daily" if len(daily) == len(frame) else f"{escape(timeframe)} bars compounded to days"
                        )
                    },
                )
                text = work.read_text("utf-8")
        except OSError as error:
            raise RunError(
                f"cannot write a temporary file: {error}; set TMPDIR to a folder that can be written to."
            ) from error
        except Exception as error:
            raise RunError(
                f"QuantStats could not make a sheet of these returns: {type(error).__name__}: {error}"
            ) from error
    return write_page(path, _offline(text))


def daily_returns(frame: pl.DataFrame, start: float) -> pl.DataFrame:
    """``date``, ``return`` and ``benchmark`` return of each UTC day that has bars, compounded from them."""
    held = growth(numbers(frame, "benchmark"), start)
    return (
        frame.select(date=pl.col("timestamp").dt.date(), growth=1.0 + pl.col("return"), held=pl.Series(held))
        .group_by("date", maintain_order=True)
        .agg(
            (pl.col("growth").product() - 1.0).alias("return"),
            (pl.col("held").product() - 1.0).alias("benchmark"),
        )
        .sort("date")
    )


def _about(result: Any) -> tuple[str, str, str, bool]:
    if hasattr(result, "spec"):
        spec = result.spec
        return spec.strategy, spec.series, spec.bars.timeframe, spec.bars.synthetic
    bars = result.bars
    name = repr(result.strategy) if result.strategy is not None else "Signals"
    return name, bars.name or "bars", bars.timeframe, bars.synthetic


def _offline(text: str) -> str:
    """Take out what a browser would fetch, and a script call that leads nowhere; name Maestro as the generator."""
    text = re.sub(r"<link\b[^>]*>", "", text)
    text = text.replace("<head>", f'<head><meta name="generator" content="{MARK}">', 1)
    return text.replace(' onload="save()"', "")


@contextmanager
def _quiet() -> Iterator[None]:
    """Draw on no screen, keep QuantStats' warnings and style to itself, and leave matplotlib as it was."""
    try:
        import matplotlib
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtraError(error.name or "matplotlib", "report") from error
    backend = matplotlib.get_backend()
    opened = set(pyplot.get_fignums())
    fonts = logging.getLogger("matplotlib.font_manager")
    level = fonts.level
    with ignored(), matplotlib.rc_context():
        fonts.setLevel(logging.CRITICAL)
        pyplot.switch_backend("Agg")
        try:
            yield
        finally:
            for number in set(pyplot.get_fignums()) - opened:
                pyplot.close(number)
            fonts.setLevel(level)
    pyplot.switch_backend(backend)
