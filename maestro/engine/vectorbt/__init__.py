"""vectorbt as an engine, and as the way out: the only package that imports vectorbt.

It is imported when ``engine="vectorbt"`` or `Backtest.to_vectorbt` is asked for, and not before: vectorbt takes
seconds to import.
"""

from maestro.engine.vectorbt.portfolio import portfolio
from maestro.engine.vectorbt.running import run

__all__ = ["portfolio", "run"]
