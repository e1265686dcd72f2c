"""What a person looks at: the walk-forward report, and its figures for notebooks and apps.

Loaded when first used, so that words (`conclude`) do not wait for the plotting library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "maestro.reports.chart": ("backtest_figure",),
    "maestro.reports.compare": ("Comparison", "compare_runs"),
    "maestro.reports.conclusion": ("Conclusion", "Finding", "conclude"),
    "maestro.reports.costs": ("cost_table", "costs_figure", "costs_paid"),
    "maestro.reports.drift": ("movement",),
    "maestro.reports.equity": ("drawdown_figure", "equity_figure", "equity_layout"),
    "maestro.reports.export": ("export_run",),
    "maestro.reports.evidence": ("Evidence", "gather"),
    "maestro.reports.explore": ("explore",),
    "maestro.reports.folds": ("fold_table", "is_oos_scatter"),
    "maestro.reports.html": ("Html",),
    "maestro.reports.monthly": ("monthly_frame", "monthly_returns"),
    "maestro.reports.notebook": ("frame_table", "headline", "plot", "show"),
    "maestro.reports.page": ("write_report",),
    "maestro.reports.quality": ("quality_figure", "write_quality"),
    "maestro.reports.robustness": (
        "break_even_table",
        "cost_figure",
        "geometry_figure",
        "geometry_table",
        "neighbourhood_figure",
        "neighbourhood_table",
        "perturbation_figure",
        "perturbation_table",
    ),
    "maestro.reports.robustness_page": ("write_robustness",),
    "maestro.reports.stability": ("parameter_figure", "parameter_stability"),
    "maestro.reports.summary": ("summary_html",),
    "maestro.reports.tearsheet": ("write_tearsheet",),
    "maestro.reports.trades": ("trade_distribution", "trade_summary", "trade_table"),
    "maestro.reports.verdict": ("Verdict", "read_verdict", "verdict_html"),
    "maestro.reports.trials": ("trial_distribution", "trial_states"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Comparison",
    "Conclusion",
    "Evidence",
    "Finding",
    "Html",
    "Verdict",
    "backtest_figure",
    "break_even_table",
    "compare_runs",
    "conclude",
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
    "perturbation_figure",
    "perturbation_table",
    "plot",
    "quality_figure",
    "read_verdict",
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
    from maestro.reports.chart import backtest_figure
    from maestro.reports.compare import Comparison, compare_runs
    from maestro.reports.conclusion import Conclusion, Finding, conclude
    from maestro.reports.costs import cost_table, costs_figure, costs_paid
    from maestro.reports.drift import movement
    from maestro.reports.equity import drawdown_figure, equity_figure, equity_layout
    from maestro.reports.evidence import Evidence, gather
    from maestro.reports.explore import explore
    from maestro.reports.export import export_run
    from maestro.reports.folds import fold_table, is_oos_scatter
    from maestro.reports.html import Html
    from maestro.reports.monthly import monthly_frame, monthly_returns
    from maestro.reports.notebook import frame_table, headline, plot, show
    from maestro.reports.page import write_report
    from maestro.reports.quality import quality_figure, write_quality
    from maestro.reports.robustness import (
        break_even_table,
        cost_figure,
        geometry_figure,
        geometry_table,
        neighbourhood_figure,
        neighbourhood_table,
        perturbation_figure,
        perturbation_table,
    )
    from maestro.reports.robustness_page import write_robustness
    from maestro.reports.stability import parameter_figure, parameter_stability
    from maestro.reports.summary import summary_html
    from maestro.reports.tearsheet import write_tearsheet
    from maestro.reports.trades import trade_distribution, trade_summary, trade_table
    from maestro.reports.trials import trial_distribution, trial_states
    from maestro.reports.verdict import Verdict, read_verdict, verdict_html


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'maestro.reports' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
