"""The built-in strategies in backtrader, written bar by bar from their rules: the only package that imports backtrader.

Nothing here reads the compiled signals of the built-in strategies, so that agreement means something. `adapter` is
light; the other modules import backtrader and are imported when ``engine="backtrader"`` is used.
"""
