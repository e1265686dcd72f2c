"""Maestro: is this trading rule robust, or fitted to the past?

Everything below is loaded when it is first used, so that ``import maestro`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from maestro._core import hooks
from maestro.version import __version__ as __version__

_HOMES = {
    "maestro.bars": ("Bars", "BarsWarning"),
    "maestro.bars.loading": ("load", "load_sample", "samples", "synthetic_bars"),
    "maestro.bars.universe": ("Universe", "universe"),
    "maestro.strategies": (
        "Bool", "Bracket", "Choice", "Constraint", "Float", "Int", "Orders", "Overlay", "Signals", "Strategy",
        "strategies", "strategy",
    ),
    "maestro.strategies.files": ("load_strategy",),
    "maestro.engine": ("Backtest", "Costs", "Sizing", "backtest"),
    "maestro.engine.engines": ("engines",),
    "maestro.ledger": ("Ledger",),
    "maestro.walkforward": ("Adaptive", "Calendar", "Expanding", "Rolling"),
    "maestro.walkforward.sweep": ("Sweep", "sweep"),
    "maestro.regime": ("Regimes", "regimes"),
    "maestro.reproduce.verify": ("verify",),
    "maestro.walkforward.result": ("WalkForward", "load_run"),
    "maestro.walkforward.many": ("WalkForwards", "load_walk_forwards", "walk_forward_many"),
    "maestro.walkforward.portfolio": ("Portfolio",),
    "maestro.walkforward.run": ("plan", "walk_forward"),
    "maestro.walkforward.triggers": ("OnRegime",),
    "maestro.validation.verdict.build": ("verdict",),
    "maestro.reports.export.mlflow": ("MLflow",),
    "maestro.apps": ("app",),
    "maestro.errors": ("MaestroError",),
}  # fmt: skip
_MODULES = ("decision", "errors", "indicators", "ledger", "metrics", "portfolio", "reports", "runs", "validation")
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME, *_MODULES])

if TYPE_CHECKING:
    from maestro import decision, errors, indicators, ledger, metrics, portfolio, reports, runs, validation
    from maestro.apps.serving import app
    from maestro.bars import Bars, BarsWarning
    from maestro.bars.loading import load, load_sample, samples, synthetic_bars
    from maestro.bars.universe import Universe, universe
    from maestro.engine import Backtest, Costs, Sizing, backtest  # type: ignore[no-redef]
    from maestro.engine.engines import engines
    from maestro.errors import MaestroError
    from maestro.ledger import Ledger
    from maestro.regime import Regimes, regimes
    from maestro.reports.export.mlflow import MLflow
    from maestro.reproduce.verify import verify
    from maestro.strategies import (
        Bool,
        Bracket,
        Choice,
        Constraint,
        Float,
        Int,
        Orders,
        Overlay,
        Signals,
        Strategy,
        strategies,
        strategy,
    )
    from maestro.strategies.files import load_strategy
    from maestro.validation.verdict.build import verdict
    from maestro.walkforward import Adaptive, Calendar, Expanding, Rolling
    from maestro.walkforward.many import WalkForwards, load_walk_forwards, walk_forward_many
    from maestro.walkforward.portfolio import Portfolio
    from maestro.walkforward.result import WalkForward, load_run
    from maestro.walkforward.run import plan, walk_forward
    from maestro.walkforward.sweep import Sweep, sweep
    from maestro.walkforward.triggers import OnRegime


hooks.bind(
    {
        "backtest_html": "maestro.reports.tables.backtest:backtest_html",
        "concentration_html": "maestro.reports.tables.decision:concentration_html",
        "cpcv_figure": "maestro.reports.figures.trade_luck:cpcv_figure",
        "cpcv_html": "maestro.reports.tables.decision:cpcv_html",
        "export_run": "maestro.reports:export_run",
        "kelly_html": "maestro.reports.tables.decision:kelly_html",
        "monte_carlo_figure": "maestro.reports.figures.trade_luck:monte_carlo_figure",
        "monte_carlo_html": "maestro.reports.tables.decision:monte_carlo_html",
        "random_entries_figure": "maestro.reports.figures.trade_luck:random_entries_figure",
        "random_entries_html": "maestro.reports.tables.decision:random_entries_html",
        "parameter_permutation_figure": "maestro.reports.figures.trade_luck:parameter_permutation_figure",
        "parameter_permutation_html": "maestro.reports.tables.decision:parameter_permutation_html",
        "regime_figure": "maestro.reports.figures.regimes:regime_figure",
        "regime_html": "maestro.reports.tables.decision:regime_html",
        "by_regime": "maestro.validation.robustness.by_regime:by_regime",
        "now": "maestro.decision.now:now",
        "run_fold": "maestro.walkforward.fold:run_fold",
        "signal": "maestro.decision.signal:signal",
        "preliminary_portfolio_verdict": "maestro.validation.verdict.portfolio:preliminary_portfolio_verdict",
        "preliminary_verdict": "maestro.validation.verdict.preliminary:preliminary_verdict",
        "many_html": "maestro.reports.many.html:many_html",
        "portfolio": "maestro.walkforward.portfolio.build:portfolio",
        "portfolio_html": "maestro.reports.many.portfolio:portfolio_html",
        "write_portfolio": "maestro.reports.many.portfolio:write_portfolio",
        "significance": "maestro.validation.multiple.significance:significance",
        "read_verdict": "maestro.validation.verdict.result:read_verdict",
        "summary_html": "maestro.reports:summary_html",
        "verdict_html": "maestro.reports:verdict_html",
        "versions": "maestro.runs.identity:versions",
        "write_many_report": "maestro.reports.many.page:write_many_report",
        "write_report": "maestro.reports:write_report",
    }
)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"maestro.{name}")
    else:
        raise AttributeError(f"module 'maestro' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
