"""The Runs app, for `panel serve widgets/*.py`."""

from maestro.apps.serving import servable

servable("runs")
