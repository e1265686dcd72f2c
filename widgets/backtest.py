"""The Backtest app, for `panel serve widgets/*.py`."""

from maestro.apps.serving import servable

servable("backtest")
