"""The Runs app."""

from maestro.apps.runs.app import App

__all__ = ["App"]
