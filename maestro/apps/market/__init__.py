"""The Market app."""

from maestro.apps.market.app import App

__all__ = ["App"]
