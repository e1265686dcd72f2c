"""The Backtest app."""

from maestro.apps.backtest.app import App

__all__ = ["App"]
