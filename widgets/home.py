"""The home page, for `panel serve widgets/*.py --index home`."""

from maestro.apps.serving import servable

servable("home")
