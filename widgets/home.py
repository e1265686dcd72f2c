"""The home page, for `panel serve widgets/*.py --index home`."""

from maestro.apps.serving import page_of

page_of("home")().servable()
