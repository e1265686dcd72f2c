"""Bars: validated OHLCV of one symbol, how they are loaded, and their anomalies."""

from maestro.bars.bars import METADATA, Bars, BarsWarning
from maestro.bars.moments import as_us

__all__ = ["METADATA", "Bars", "BarsWarning", "as_us"]
