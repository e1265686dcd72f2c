"""The home page of the apps."""

from maestro.apps.home.app import App

__all__ = ["App"]
