"""``maestro data``: market data fetched, listed, checked, imported, exported and removed."""

from maestro.cli.data.commands import app

__all__ = ["app"]
