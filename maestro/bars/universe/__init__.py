"""Universes: many series under one name, read in one call and aligned by their stamps."""

from maestro.bars.universe.reading import universe
from maestro.bars.universe.universe import Universe

__all__ = ["Universe", "universe"]
