"""Many walk-forwards in one call: a universe times strategies times timeframes."""

from maestro.walkforward.many.cells import Cell
from maestro.walkforward.many.progress import Progress
from maestro.walkforward.many.result import WalkForwards, load_walk_forwards
from maestro.walkforward.many.run import walk_forward_many

__all__ = ["Cell", "Progress", "WalkForwards", "load_walk_forwards", "walk_forward_many"]
