"""The Walk-forward app."""

from maestro.apps.walk_forward.app import App

__all__ = ["App"]
