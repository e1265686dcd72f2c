"""Candles with panes, trades and marks, as a Panel component with a Python API."""

from maestro.apps.chart.component import Chart, Line, Pane, thinned

__all__ = ["Chart", "Line", "Pane", "thinned"]
