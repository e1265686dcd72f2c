"""Evidence of a portfolio: its figures, the windows that serve as folds, and the trials behind its sleeves."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl

from maestro._core.formatting import listed, plural
from maestro.errors import MaestroError
from maestro.ledger import counted
from maestro.ledger.series import recorded_series
from maestro.metrics import CostsPaid, costs_paid, efficiency
from maestro.validation.statistics.trials import sharpe_variance
from maestro.validation.verdict.evidence import Evidence, gather
from maestro.validation.verdict.inputs import TrialCount
from maestro.walkforward.portfolio import Portfolio
from maestro.walkforward.result import WalkForward


def gather_portfolio(of: Portfolio) -> Evidence:
    """Figures of a portfolio, without those of single parameters.

    Folds are the test windows of the sleeve with the most of them; a fold is profitable if the portfolio gained
    from its beginning to that of the next. The in-sample return is that of the sleeves, weighted by their mean share of
    the equity.
    """
    parts = {name: gather(wf) for name, wf in of.runs.items()}
    alone = list(parts.values())
    mean = dict(of.contributions.select("sleeve", "mean_weight").rows())
    inside = [(mean[name], part.is_annual) for name, part in parts.items() if math.isfinite(part.is_annual)]
    is_annual = float(sum(weight * value for weight, value in inside)) if inside else math.nan
    found, held = of.metrics, of.benchmark
    oos_annual = found["annual_return"]
    total, profitable, failed, idle = _windows(of)
    rules = sorted({part.strategy for part in alone})
    return Evidence(
        strategy=f"portfolio of {plural(len(parts), 'sleeve')} ({listed(rules)})",
        series=listed(sorted({wf.spec.bars.symbol or part.series for wf, part in
                              zip(of.runs.values(), alone, strict=True)})),
        start=of.equity["timestamp"][0], end=of.equity["timestamp"][-1],
        folds=total, failed=failed, profitable=profitable, idle=idle,
        is_annual=is_annual, oos_annual=oos_annual, efficiency=efficiency(oos_annual, is_annual),
        is_sharpe=math.nan, oos_sharpe=found["sharpe_ratio"], ranking=alone[0].ranking, agreement=math.nan,
        total_return=found["total_return"], max_drawdown=found["max_drawdown"],
        benchmark_return=held["total_return"], benchmark_sharpe=held["sharpe_ratio"],
        benchmark_drawdown=held["max_drawdown"],
        trades=sum(part.trades for part in alone), exposure=float(np.mean([part.exposure for part in alone])),
        costs=_costs(of.runs), movements={}, at_bounds={},
        tried=sum(part.tried for part in alone), infeasible=sum(part.infeasible for part in alone),
        periods_per_year=of.periods_per_year, cash=float(of.settings["cash"]), ruined=of.ruined, overlapping=False,
        synthetic=any(part.synthetic for part in alone),
        fill="close" if any(part.fill == "close" for part in alone) else alone[0].fill, notes=_notes(of, parts),
    )  # fmt: skip


def _windows(of: Portfolio) -> tuple[int, int, int, int]:
    """Folds of the sleeve with most of them, those with a profit of the portfolio, those that failed, those idle."""

    def evaluated(wf: WalkForward) -> pl.DataFrame:
        return wf.folds.filter(pl.col("oos_total_return").is_not_null()).sort("test_start")

    longest = max(of.runs.values(), key=lambda wf: (len(evaluated(wf)), len(wf.folds), wf.id))
    good = evaluated(longest)
    stamps = of.equity["timestamp"].to_physical().to_numpy()
    starts = good["test_start"].to_physical().to_numpy()
    equity = np.concatenate(([float(of.settings["cash"])], of.equity["equity"].to_numpy()))
    rows = np.searchsorted(stamps, starts)
    rows[:1] = 0
    at = np.concatenate((equity[rows], equity[-1:]))
    profitable = int((np.diff(at) > 0).sum())
    return len(longest.folds), profitable, len(longest.folds) - len(good), int((np.diff(at) == 0).sum())


def _costs(runs: Mapping[str, WalkForward]) -> CostsPaid:
    """Zero if no sleeve paid any costs; otherwise unknown, because the accounts of the runs have different sizes."""
    paid = [costs_paid(wf) for wf in runs.values()]
    if all(one.total == 0 for one in paid):
        return CostsPaid(0.0, 0.0, 0.0, 0.0)
    return CostsPaid(math.nan, math.nan, math.nan, math.nan)


def _notes(of: Portfolio, parts: Mapping[str, Evidence]) -> tuple[str, ...]:
    lost = sum(part.failed for part in parts.values())
    lost_folds = [f"{plural(lost, 'fold')} of all sleeves failed and have no result."] if lost else []
    graver = [
        f"{name}: {note}"
        for name, part in parts.items()
        for note in part.notes
        if "fatal defects" in note or "proxy" in note
    ]
    return tuple(dict.fromkeys([*of.notes, *lost_folds, *graver[:5]]))


def count_looks(runs: Mapping[str, WalkForward]) -> TrialCount:
    """Count the trials behind all sleeves: on their own series, and on the other series of their universes.

    Each ledger has the trials on its series, and in entries of kind ``universe`` those on the others that were tried
    with it. The trials on all series of the sleeves are added up; if one ledger has more, from a universe of
    which only some became sleeves, that number counts. If a ledger has fewer trials than the run itself, those of
    the run count.
    """
    groups: dict[str, list[WalkForward]] = {}
    for wf in runs.values():
        groups.setdefault(recorded_series(wf.spec.bars), []).append(wf)
    counts, spreads, most, unread = [], [], TrialCount(0, math.nan, ""), 0
    users: set[str] = set()
    left_out: set[str] = set()
    for series, group in groups.items():
        alone = [sharpe_variance(wf) for wf in group]
        count = sum(one for one, _ in alone)
        variance = _pooled(alone)
        periods = float(group[0].spec.periods_per_year)
        if not any(wf.spec.bars.synthetic for wf in group):
            try:
                found = counted(series)
                own, whole = found.own_series, found.trials
                users |= {*found.users}
                left_out |= {*found.left_out, *found.unreadable}
            except (MaestroError, OSError):
                unread += 1
            else:
                if own.distinct >= count and math.isfinite(own.variance):
                    count, variance = own.distinct, own.variance
                if whole.distinct > most.distinct and math.isfinite(whole.variance):
                    most = TrialCount(whole.distinct, whole.variance * periods, "")
        counts.append(count)
        spreads.append((count, variance * periods))
    total, annual = sum(counts), _pooled(spreads)
    source = f"on {plural(len(groups), 'series', 'series')} of the sleeves"
    if most.distinct > total:
        source = "on these series and on the others of their universe, from the ledger"
    if most.distinct >= total:  # its variance is that of all of them together
        total, annual = most.distinct, most.variance
    if len(users) > 1:
        source += f", by {plural(len(users), 'user')}"
    if left_out:
        source += f", without those of {plural(len(left_out), 'other user')}"
    if unread:
        source += f"; {plural(unread, 'ledger')} could not be read"
    wanted = next(iter(runs.values())).spec.periods_per_year if _same_periods(runs) else 365.0
    return TrialCount(total, annual / float(wanted), source)


def _same_periods(runs: Mapping[str, WalkForward]) -> bool:
    return len({wf.spec.periods_per_year for wf in runs.values()}) == 1


def _pooled(parts: list[tuple[int, float]]) -> float:
    """Variance within groups, each given with its size."""
    usable = [(n - 1, variance) for n, variance in parts if n > 1 and math.isfinite(variance)]
    return sum(n * v for n, v in usable) / sum(n for n, _ in usable) if usable else math.nan
