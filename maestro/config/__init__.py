"""Settings and the published costs of venues."""

from maestro.config.loading import load_settings, make_settings
from maestro.config.settings import Settings
from maestro.config.venues import VENUES, Venue, venue

__all__ = ["VENUES", "Settings", "Venue", "load_settings", "make_settings", "venue"]
