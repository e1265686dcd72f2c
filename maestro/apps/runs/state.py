"""The state of the Runs app, as parameters: which folder, which of its runs are listed, which are compared."""

from __future__ import annotations

from typing import Any

import param

from maestro.apps.shared.command import command_of
from maestro.apps.shared.state import RunsFolderState, Settings

FROZEN = ("runs_dir", "runs", "common_stretch", "log_scale")
"""What a notebook needs of it: how the list is filtered is left out."""


class RunsState(RunsFolderState):
    """Folder, filters, and the runs that are compared."""

    notebook = "10_compare_runs"

    text = param.String(default="", doc="Words that the listed runs have in their id, rule, series, start or error.")
    strategy = param.String(default="", doc="Only runs of this rule.")
    status: Any = param.Selector(
        default="", objects=["", "done", "running", "interrupted", "broken"], doc="Only runs of this status."
    )
    runs = param.List(default=[], item_type=str, doc="Ids of the runs that are compared.")
    common_stretch = param.Boolean(default=False, doc="Show curves over the stretch that all runs tested.")
    log_scale = param.Boolean(default=False, doc="Show growth on a logarithmic scale.")

    def frozen(self) -> Settings:
        """Return the parameters of the notebook."""
        return {name: value for name, value in self.settings().items() if name in FROZEN}

    def command(self) -> str:
        """Command lines that show the chosen runs, or list all of them."""
        where = {"runs-dir": self.runs_dir}
        return "\n".join(command_of(["runs", "show", run], where) for run in self.runs) or command_of(
            ["runs", "list"], where
        )

    def python(self) -> str:
        """Lines of Python that give the same comparison."""
        if not self.runs:
            return f"import maestro as ms\n\nms.runs.list_runs({self.runs_dir!r})\n"
        loads = "".join(f"    ms.load_run({run!r}, {self.runs_dir!r}),\n" for run in self.runs)
        settings = ", common=True" if self.common_stretch else ""
        figure = "log=True" if self.log_scale else ""
        return (
            f"import maestro as ms\n\ncompared = ms.reports.compare_runs([\n{loads}]{settings})\n"
            f"compared                 # metrics and settings side by side\n"
            f"ms.reports.show(compared.figure({figure}))\n"
        )
