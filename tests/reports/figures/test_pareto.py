"""Pareto fronts of recorded trials: against a count by hand, any two metrics, and refusals."""

from __future__ import annotations

import polars as pl
import pytest

from maestro.errors import SettingsError
from maestro.reports.figures.pareto import front_metrics, front_table, front_words, pareto_figure
from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def wf() -> StandIn:
    return stand_in(folds=2, trials=40)


def test_the_front_is_the_set_that_no_trial_beats(wf: StandIn) -> None:
    table = front_table(wf, 1, ("sharpe_ratio", "max_drawdown"))
    rows = table.select("sharpe_ratio", "max_drawdown").rows()
    by_hand = [not any(a >= x and b >= y and (a, b) != (x, y) for a, b in rows) for x, y in rows]
    assert table["front"].to_list() == by_hand
    assert 0 < sum(by_hand) < len(rows)
    assert f"{sum(by_hand)} of {len(rows)} on the front, the choice is on it" == front_words(table)


def test_less_volatility_is_better(wf: StandIn) -> None:
    trials = wf.trials.filter(pl.col("state") == "complete").head(3).with_columns(
        sharpe_ratio=pl.Series([1.0, 2.0, 3.0]), volatility=pl.Series([0.1, 0.2, 0.3]), chosen=pl.lit(False)
    )  # fmt: skip
    assert front_table(wf.but(trials=trials), 0, ("sharpe_ratio", "volatility"))["front"].all()
    worse = trials.with_columns(volatility=pl.Series([0.3, 0.2, 0.1]))
    assert front_table(wf.but(trials=worse), 0, ("sharpe_ratio", "volatility"))["front"].to_list() == [
        False,
        False,
        True,
    ]


def test_the_axes_are_those_of_a_pareto_selection(wf: StandIn) -> None:
    assert front_metrics(wf) == ("sharpe_ratio", "max_drawdown")
    spec = {
        **wf.spec.to_dict(),
        "selection": {"kind": "pareto", "metrics": ["annual_return", "-volatility"], "weights": []},
    }
    assert front_metrics(wf.but(spec=spec)) == ("annual_return", "volatility")


def test_a_figure_draws_every_trial_once(wf: StandIn) -> None:
    table = front_table(wf, 0, ("sharpe_ratio", "max_drawdown"))
    figure = pareto_figure(wf, 0)
    drawn = sum(len(r.data_source.data["trial"]) for r in figure.renderers if type(r.glyph).__name__ == "Scatter")
    assert drawn == len(table) + int(table["chosen"].sum())


@pytest.mark.parametrize(
    ("fold", "metrics", "message"),
    [
        (7, ("sharpe_ratio", "vwr"), "no fold 7"),
        (0, ("sharpe_ratio", "sharp"), "no metric is called 'sharp'"),
        (0, ("vwr", "vwr"), "not two different metrics"),
    ],
)
def test_what_is_refused(wf: StandIn, fold: int, metrics: tuple[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        pareto_figure(wf, fold, metrics)
