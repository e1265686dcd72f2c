"""What the tests of the ledger share."""

from __future__ import annotations

from typing import Any

import maestro as ms


def run(bars: ms.Bars, **more: Any) -> ms.WalkForward:
    return ms.walk_forward(bars, "EmaCrossStrategy", **{"splitter": "rolling:4,2,1", "trials": 6, "workers": 1, **more})


def evaluated(wf: ms.WalkForward) -> int:
    return int((wf.trials["state"] != "infeasible").sum())


def errors(findings: list[Any]) -> list[str]:
    return [f.text for f in findings if f.severity == "error"]
