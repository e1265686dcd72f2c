"""Profit by part: folds in the order of their numbers, losses in another colour."""

from __future__ import annotations

import polars as pl

from maestro.reports.figures.concentration import concentration_figure
from maestro.reports.figures.theme import COLOR
from tests.reports.figures.sources import data_with


class Found:
    """A concentration with these parts."""

    def by(self, kind: str) -> pl.DataFrame:
        parts = ["10", "2", "0"] if kind == "fold" else ["2020-01", "2020-02", "2020-03"]
        return pl.DataFrame(
            {"part": parts, "log_return": [0.3, -0.1, 0.0], "trades": [1_500, 2, 0], "share": [1.5, -0.5, None]}
        )


def test_folds_are_numbers_and_not_text() -> None:
    data = data_with(concentration_figure(Found()), "top", "part")
    assert list(data["part"]) == ["0", "2", "10"]
    assert list(data["top"]) == [0.0, -0.1, 0.3]
    assert list(data["trades"]) == ["0", "2", "1,500"]
    assert list(data["color"]) == [COLOR["gain"], COLOR["loss"], COLOR["gain"]]


def test_months_stay_in_their_order() -> None:
    fig = concentration_figure(Found(), "month")
    assert list(data_with(fig, "top", "part")["part"]) == ["2020-01", "2020-02", "2020-03"]
    assert fig.xaxis[0].axis_label == "Month"
