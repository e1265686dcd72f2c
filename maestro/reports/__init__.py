"""Presentation: reports as pages, and their figures and tables for notebooks and apps.

Each name is imported when it is first used, so that text does not wait for the plotting library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "maestro.reports.figures.chart": ("backtest_figure",),
    "maestro.reports.tables.compare": ("Comparison", "compare_runs"),
    "maestro.reports.figures.costs": ("cost_table", "costs_figure"),
    "maestro.metrics": ("costs_paid",),
    "maestro.validation.robustness.parameter_stability": ("movement",),
    "maestro.reports.figures.equity": ("drawdown_figure", "equity_figure", "equity_layout"),
    "maestro.reports.export.tables": ("export_run",),
    "maestro.validation.verdict.evidence": ("Evidence", "gather"),
    "maestro.reports.notebooks.explore": ("explore",),
    "maestro.reports.figures.folds": ("fold_table", "is_oos_scatter"),
    "maestro.reports.html.environment": ("Html",),
    "maestro.reports.tables.monthly": ("monthly_frame", "monthly_returns"),
    "maestro.reports.notebooks.display": ("frame_table", "headline", "plot", "show"),
    "maestro.reports.page.walk_forward": ("write_report",),
    "maestro.reports.figures.pareto": ("pareto_figure",),
    "maestro.reports.figures.quality": ("quality_figure",),
    "maestro.reports.page.quality": ("write_quality",),
    "maestro.reports.figures.robustness": (
        "break_even_table",
        "cost_figure",
        "geometry_figure",
        "geometry_table",
        "neighbourhood_figure",
        "neighbourhood_table",
        "perturbation_figure",
        "perturbation_table",
    ),
    "maestro.reports.page.robustness": ("write_robustness",),
    "maestro.reports.figures.parameters": ("parameter_figure", "parameter_stability"),
    "maestro.reports.tables.summary": ("summary_html",),
    "maestro.reports.page.tearsheet": ("write_tearsheet",),
    "maestro.reports.figures.trades": ("trade_distribution", "trade_summary", "trade_table"),
    "maestro.reports.page.verdict": ("verdict_html",),
    "maestro.reports.figures.trials": ("trial_distribution", "trial_states"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Comparison",
    "Evidence",
    "Html",
    "backtest_figure",
    "break_even_table",
    "compare_runs",
    "cost_figure",
    "cost_table",
    "costs_figure",
    "costs_paid",
    "drawdown_figure",
    "equity_figure",
    "equity_layout",
    "explore",
    "export_run",
    "fold_table",
    "frame_table",
    "gather",
    "geometry_figure",
    "geometry_table",
    "headline",
    "is_oos_scatter",
    "monthly_frame",
    "monthly_returns",
    "movement",
    "neighbourhood_figure",
    "neighbourhood_table",
    "parameter_figure",
    "parameter_stability",
    "pareto_figure",
    "perturbation_figure",
    "perturbation_table",
    "plot",
    "quality_figure",
    "show",
    "summary_html",
    "trade_distribution",
    "trade_summary",
    "trade_table",
    "trial_distribution",
    "trial_states",
    "verdict_html",
    "write_quality",
    "write_report",
    "write_robustness",
    "write_tearsheet",
]

if TYPE_CHECKING:
    from maestro.metrics import costs_paid
    from maestro.reports.export.tables import export_run
    from maestro.reports.figures.chart import backtest_figure
    from maestro.reports.figures.costs import cost_table, costs_figure
    from maestro.reports.figures.equity import drawdown_figure, equity_figure, equity_layout
    from maestro.reports.figures.folds import fold_table, is_oos_scatter
    from maestro.reports.figures.parameters import parameter_figure, parameter_stability
    from maestro.reports.figures.pareto import pareto_figure
    from maestro.reports.figures.quality import quality_figure
    from maestro.reports.figures.robustness import (
        break_even_table,
        cost_figure,
        geometry_figure,
        geometry_table,
        neighbourhood_figure,
        neighbourhood_table,
        perturbation_figure,
        perturbation_table,
    )
    from maestro.reports.figures.trades import trade_distribution, trade_summary, trade_table
    from maestro.reports.figures.trials import trial_distribution, trial_states
    from maestro.reports.html.environment import Html
    from maestro.reports.notebooks.display import frame_table, headline, plot, show
    from maestro.reports.notebooks.explore import explore
    from maestro.reports.page.quality import write_quality
    from maestro.reports.page.robustness import write_robustness
    from maestro.reports.page.tearsheet import write_tearsheet
    from maestro.reports.page.verdict import verdict_html
    from maestro.reports.page.walk_forward import write_report
    from maestro.reports.tables.compare import Comparison, compare_runs
    from maestro.reports.tables.monthly import monthly_frame, monthly_returns
    from maestro.reports.tables.summary import summary_html
    from maestro.validation.robustness.parameter_stability import movement
    from maestro.validation.verdict.evidence import Evidence, gather


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'maestro.reports' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
