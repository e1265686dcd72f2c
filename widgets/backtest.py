"""The Backtest app, for `panel serve widgets/*.py`."""

from maestro.apps.serving import page_of

page_of("backtest")().servable()
