"""The Walk-forward app, for `panel serve widgets/*.py`."""

from maestro.apps.serving import servable

servable("walk_forward")
