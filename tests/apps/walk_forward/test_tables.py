"""The table of folds has the searched parameters only, and errors only if a fold failed."""

from __future__ import annotations

import maestro as ms
from maestro.apps.walk_forward.tables import fold_table


def test_fixed_parameters_are_left_out_and_times_are_texts() -> None:
    wf = ms.walk_forward(
        ms.synthetic_bars(600, seed=3), "EmaCrossStrategy", splitter="rolling:3,2,1", trials=2, workers=1,
        params={"slow": 60}, space={"fast": (5, 20)},
    )  # fmt: skip
    table = fold_table(wf)
    assert "fast" in table.columns
    assert not {"slow", "error"} & set(table.columns)
    assert table["test_start"].to_list() == [f"{when:%Y-%m-%d %H:%M}" for when in wf.folds["test_start"]]
    assert table["is_sharpe_ratio"].to_list() == wf.folds["is_sharpe_ratio"].round(4).to_list()
