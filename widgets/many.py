"""The app of many walk-forwards, for `panel serve widgets/*.py`."""

from maestro.apps.serving import servable

servable("many")
