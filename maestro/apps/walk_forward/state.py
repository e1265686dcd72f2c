"""The state of the Walk-forward app, as parameters."""

from __future__ import annotations

from typing import Any

import param

from maestro.apps.shared.command import command_of, pairs, range_text
from maestro.apps.shared.state import RunsFolderState, Settings, TradeState
from maestro.search.tpe import SEED_END


class WalkForwardState(TradeState, RunsFolderState):
    """Bars, rule, windows, search, budget and choice of one walk-forward."""

    notebook = "04_walk_forward_report"

    splitter = param.String(
        default="rolling:10,2,1", doc="rolling:10,2,1, expanding:10, calendar:6mo,1mo, adaptive:10,2."
    )
    search = param.String(default="tpe", doc="tpe, random, grid or sobol.")
    trials = param.Integer(default=100, bounds=(1, None), doc="Parameter sets per fold.")
    select = param.String(
        default="sharpe_ratio,vwr",
        doc="Metrics that choose, in order; or pareto:, rank_average:, weighted:A=0.7,B=0.3.",
    )
    space = param.Dict(default={}, doc="Ranges in place of the declared ones: {fast: [5, 20]}.")
    seed = param.Integer(default=0, bounds=(0, SEED_END - 1), doc="The same seed, the same result.")

    def _handed_over(self, values: Settings) -> Settings:
        """Return what settings of another app change here: parameters that are fixed here stay fixed."""
        if values["strategy"] != self.strategy:
            return {**values, "space": {}}
        return {**values, "params": {**self.params, **values["params"]}}

    def command(self) -> str:
        """Command line that gives the same walk-forward."""
        if self.periods_per_year is not None:
            return "maestro walk-forward takes the market's own number of bars per year; use the lines of Python."
        ranges = {name: range_text(one) for name, one in self.space.items()}
        unknown = [name for name, text in ranges.items() if text is None]
        if unknown:
            return f"The command line has no form for the range of {', '.join(unknown)}; use the lines of Python."
        return command_of(
            ["walk-forward", self.strategy],
            {
                **self._trade_options(), "space": pairs(ranges), "splitter": self.splitter, "search": self.search,
                "trials": self.trials, "select": self.select, "seed": self.seed, "runs-dir": self.runs_dir,
            },
        )  # fmt: skip

    def python(self) -> str:
        """Lines of Python that give the same walk-forward."""
        return (
            f"{self._load_line()}wf = ms.walk_forward(bars, {self._strategy_text()}, splitter={self.splitter!r}, "
            f"search={self.search!r}, trials={self.trials}, select={self.select!r}, seed={self.seed}, "
            f"params={self.params!r}, space={self.ranges()!r}, {self._trade_lines()}, runs_dir={self.runs_dir!r})\nwf\n"
        )

    def ranges(self) -> dict[str, Any]:
        """`space` as `ms.walk_forward` takes it: YAML and links have lists."""
        return {name: tuple(one) if isinstance(one, list) else one for name, one in self.space.items()}
