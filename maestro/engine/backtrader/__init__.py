"""The 22 strategies in backtrader, written bar by bar from their rules: the only package that imports backtrader.

Nothing here reads the compiled signals of the built-in strategies, so that agreement means something. The package is
imported when ``engine="backtrader"`` is asked for, and not before.
"""

from maestro.engine.backtrader.running import RULES, run
from maestro.engine.backtrader.trading import AS_IT_COMES

__all__ = ["AS_IT_COMES", "RULES", "run"]
