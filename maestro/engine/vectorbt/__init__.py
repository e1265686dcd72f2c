"""vectorbt as an engine, and a backtest as a vectorbt portfolio: the only package that imports vectorbt.

`adapter` is light. The other modules import vectorbt, which takes seconds, and are imported when
``engine="vectorbt"`` or `Backtest.to_vectorbt` is used.
"""
