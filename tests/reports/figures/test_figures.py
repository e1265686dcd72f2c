"""The figures that notebooks and apps call too."""

from __future__ import annotations

import pytest
from bokeh.embed import file_html
from bokeh.resources import CDN

from maestro import reports
from tests.reports.standin import StandIn


@pytest.mark.parametrize(
    "name",
    ["equity_figure", "drawdown_figure", "equity_layout", "is_oos_scatter", "parameter_stability", "trial_distribution",
     "trade_distribution", "costs_figure"],
)  # fmt: skip
def test_each_figure_stands_alone(wf: StandIn, name: str) -> None:
    assert len(file_html(getattr(reports, name)(wf), CDN, title=name)) > 5_000


@pytest.mark.parametrize("name", ["fold_table", "monthly_returns", "trade_table", "trade_summary", "cost_table"])
def test_each_table_is_html_for_notebooks(wf: StandIn, name: str) -> None:
    shown = getattr(reports, name)(wf)
    assert isinstance(shown, reports.Html)
    assert "<table" in shown
    assert "<style>" in shown._repr_html_()


def test_public_names_exist_and_are_sorted() -> None:
    assert sorted(reports.__all__) == reports.__all__
    for name in reports.__all__:
        assert callable(getattr(reports, name))
    with pytest.raises(AttributeError, match="no_such_figure"):
        reports.no_such_figure
