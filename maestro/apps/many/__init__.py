"""The app of many walk-forwards."""

from maestro.apps.many.app import App

__all__ = ["App"]
