"""The state of the app of many walk-forwards, as parameters: which result, which of its rows, how many curves."""

from __future__ import annotations

from typing import Any

import param

from maestro.apps.shared.command import command_of, pairs
from maestro.apps.shared.state import RunsFolderState, Settings

ORDERS = {"p_adjusted": "adjusted p", "sharpe_ratio": "Sharpe", "total_return": "return", "symbol": "symbol"}
"""By what curves and rows are ordered."""
FROZEN = ("result", "runs_dir")


class ManyState(RunsFolderState):
    """Folder, result, filters and order."""

    notebook = "13_walk_forward_many"

    result = param.String(default="", doc="Id of a result of walk_forward_many in it; the newest if empty.")
    text = param.String(default="", doc="Words that the symbol, timeframe or strategy of a row contains.")
    strategy = param.String(default="", doc="Only this strategy.")
    only: Any = param.Selector(
        default="", objects=["", "below", "remaining", "failed"],
        doc="Rows with p below 5 %, those that remain when all are considered, or those that failed.",
    )  # fmt: skip
    order: Any = param.Selector(default="p_adjusted", objects=list(ORDERS), doc="By what rows and curves are ordered.")
    curves = param.Integer(default=48, bounds=(0, None), doc="Number of equity curves below the table.")

    def frozen(self) -> Settings:
        """Return the parameters of the notebook."""
        return {name: value for name, value in self.settings().items() if name in FROZEN}

    def command(self) -> str:
        """Command line that makes a report of the same result."""
        return command_of(["report", self.notebook], {"param": pairs(self.frozen())})

    def python(self) -> str:
        """Lines of Python that give the same table."""
        if not self.result:
            return f"import maestro as ms\n\nms.runs.list_runs({self.runs_dir!r})\n"
        return (
            f"import maestro as ms\n\nmany = ms.load_walk_forwards({self.result!r}, {self.runs_dir!r})\n"
            "many.significance       # what remains when all are considered\n"
            "many.table              # one row per walk-forward\n"
        )
