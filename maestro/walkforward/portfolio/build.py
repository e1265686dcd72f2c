"""`ms.portfolio`: walk-forwards as sleeves of one portfolio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from maestro._core.formatting import moment, plural
from maestro.data.durations import duration_unit, offset, truncate
from maestro.errors import SettingsError, nearest
from maestro.portfolio.weights import RULES, weights
from maestro.typing import FloatArray
from maestro.walkforward.many import Cell, WalkForwards
from maestro.walkforward.portfolio.account import run_account
from maestro.walkforward.portfolio.result import Portfolio
from maestro.walkforward.portfolio.sleeves import Sleeves, align, fold_at, training_returns
from maestro.walkforward.result import WalkForward


def portfolio(
    runs: WalkForwards | Mapping[str, WalkForward],
    *,
    weights: Any = "equal",
    rebalance: str = "fold",
    cash: float = 100_000.0,
    invested: float = 1.0,
    max_weight: float | None = None,
    max_gross: float | None = None,
    max_sleeves: int | None = None,
    maintenance: float | Mapping[str, float] | None = None,
    debt: Literal["isolated", "shared"] = "isolated",
) -> Portfolio:
    """Combine walk-forwards into one portfolio with one equity curve, out of sample throughout.

    Parameters
    ----------
    runs : WalkForwards, or mapping of name to WalkForward
        Each is a sleeve; those without a tested bar are left out of `WalkForwards`, and noted.
    weights : {"equal", "inverse_volatility", "risk_parity", "hrp"}, mapping of name to weight, or object with ``fit``
        Chosen at each rebalancing from returns on training windows alone: those of the parameters that the folds of
        that moment have chosen. skfolio's optimisers can be given as they are. Only sleeves with a fold at that moment
        get capital.
    rebalance : str
        ``"fold"``: whenever a fold begins; ``"never"``: capital is split once, when a sleeve begins; or a length,
        ``"1mo"``, ``"1w"``, which moves capital between open positions and pays for it.
    cash : float
        Starting capital of the portfolio.
    invested : float
        Share of the equity that is split among the sleeves, above 0 and at most 1; the rest stays in cash.
    max_weight : float, optional
        No sleeve gets more than this share of the equity; what is above stays in cash.
    max_gross : float, optional
        Limit of the gross exposure: the notional of all positions over the equity. It is measured at each close; what
        is above is cut from all sleeves alike before the next bar, with costs, until capital is moved again.
    max_sleeves : int, optional
        At most so many sleeves get capital at a moment: those whose folds have the highest Sharpe ratio in sample.
    maintenance : float or mapping of name to float, optional
        Maintenance margin of perpetuals and other margined positions, a share of the notional such as 0.05; a mapping
        names the sleeves that have one. A sleeve whose equity falls to it within a bar is liquidated: all of its
        capital is lost. Without it a position is held whatever it loses, as on a spot market.
    debt : {"isolated", "shared"}
        A sleeve that loses more than its capital ends at zero, or leaves the debt to the others.

    Returns
    -------
    Portfolio

    Raises
    ------
    SettingsError
        No sleeve, an unknown rule or limit, or a walk-forward that was loaded without its bars where the rule looks at
        training returns.
    """
    chosen, notes = _sleeves_of(runs)
    _check(weights, rebalance, cash, invested, max_weight, debt)
    _check_limits(max_gross, max_sleeves)
    margins = _margins(maintenance, chosen)
    sleeves = align(chosen, shared_debt=debt == "shared", maintenance=margins)
    for name, owed in sleeves.ruined.items():
        tail = f"the debt of {owed:.1%} of its capital is left out" if debt == "isolated" else "the others pay its debt"
        how = ""
        if name in sleeves.liquidated:
            day = moment(sleeves.liquidated[name])
            how = f" in a liquidation on {day} (maintenance margin {margins[name]:.1%})"
        notes.append(f"{name} lost all of its capital{how}; {tail if owed > 0 else 'it ends at zero'}.")
    rows = _moments(sleeves, rebalance)

    def weigh(row: int) -> FloatArray:
        once = rebalance == "never"
        if max_sleeves is None:
            return _weights_at(chosen, sleeves, row, weights, invested, max_weight, once=once)
        best = _best_in_sample(chosen, sleeves, row, max_sleeves, once=once)
        return _weights_at(chosen, sleeves, row, weights, invested, max_weight, once=once, only=best)

    account = run_account(sleeves, rows, weigh, cash, math.inf if max_gross is None else max_gross)
    if account.cuts:
        notes.append(
            f"The gross exposure was above {max_gross:g} at {plural(len(account.cuts), 'close')}; all sleeves were cut "
            "before the next bar."
        )
    if account.ruined >= 0:
        notes.append("The portfolio is ruined: nothing is left, and nothing is moved any more.")
    periods = {wf.spec.periods_per_year for wf in chosen.values()}
    daily = len(periods) > 1
    settings = {
        "weights": weights if isinstance(weights, str) else type(weights).__name__, "rebalance": rebalance,
        "cash": float(cash), "invested": invested, "max_weight": max_weight, "debt": debt, "daily": daily,
        **({} if max_gross is None else {"max_gross": float(max_gross)}),
        **({} if max_sleeves is None else {"max_sleeves": max_sleeves}),
        **({"maintenance": margins} if margins else {}),
    }  # fmt: skip
    if daily:
        notes.append("The sleeves have different bars; metrics are those of daily returns, 365 days per year.")
    given = {
        "weights": weights, "rebalance": rebalance, "cash": cash, "invested": invested, "max_weight": max_weight,
        "max_gross": max_gross, "max_sleeves": max_sleeves, "maintenance": maintenance, "debt": debt,
    }  # fmt: skip
    return Portfolio(sleeves, account, settings, tuple(notes), 365.0 if daily else float(periods.pop()), chosen, given)


def _sleeves_of(runs: Any) -> tuple[dict[str, WalkForward], list[str]]:
    if isinstance(runs, WalkForwards):
        timeframes = len({cell.timeframe for cell in runs}) > 1
        strategies = len({cell.strategy for cell in runs}) > 1

        def name(cell: Cell) -> str:
            parts = [cell.symbol, cell.timeframe if timeframes else "", cell.strategy if strategies else ""]
            return " ".join(filter(None, parts))

        loaded = {name(cell): wf for cell, wf in runs.items()}
        found = {one: wf for one, wf in loaded.items() if len(wf.equity)}
        lost = len(runs.cells) - len(found)
        notes = [*runs.notes, *([f"{lost} walk-forwards gave no result and are not sleeves."] if lost else [])]
    elif isinstance(runs, Mapping):
        found, notes = {str(k): v for k, v in sorted(runs.items(), key=lambda one: str(one[0]))}, []
        for one, wf in found.items():
            if not isinstance(wf, WalkForward):
                raise SettingsError(f"{one} is a {type(wf).__name__}; a sleeve is the result of ms.walk_forward.")
    else:
        raise SettingsError(
            f"a portfolio cannot be made of a {type(runs).__name__}; give the result of ms.walk_forward_many, or a "
            "mapping from names to results of ms.walk_forward."
        )
    if not found:
        raise SettingsError("the portfolio has no sleeve; no walk-forward has a tested bar.")
    return found, notes


def _check(weights: Any, rebalance: str, cash: float, invested: float, max_weight: float | None, debt: str) -> None:
    if isinstance(weights, str) and weights not in RULES:
        raise SettingsError(
            f"weights={weights!r} is unknown; allowed: {', '.join(RULES)}, a mapping of names to weights, or an object "
            f"with fit().{nearest(weights, RULES)}"
        )
    if rebalance not in ("fold", "never") and duration_unit(rebalance) is None:
        raise SettingsError(f"rebalance={rebalance!r} is unknown; give fold, never, or a length such as 1mo or 2w.")
    if not 0 < cash < np.inf:
        raise SettingsError(f"cash={cash!r} is not an amount above 0.")
    if not 0 < invested <= 1:
        raise SettingsError(f"invested={invested!r} is not a share above 0 and at most 1.")
    if max_weight is not None and not 0 < max_weight <= 1:
        raise SettingsError(f"max_weight={max_weight!r} is not a share above 0 and at most 1.")
    if debt not in ("isolated", "shared"):
        raise SettingsError(f"debt={debt!r} is unknown; allowed: isolated, shared.")


def _check_limits(max_gross: float | None, max_sleeves: int | None) -> None:
    if max_gross is not None and not 0 < max_gross < np.inf:
        raise SettingsError(f"max_gross={max_gross!r} is not a number above 0; 1 is the equity itself.")
    whole = isinstance(max_sleeves, int) and not isinstance(max_sleeves, bool)
    if max_sleeves is not None and not (whole and max_sleeves >= 1):
        raise SettingsError(f"max_sleeves={max_sleeves!r} is not a whole number of at least 1.")


def _margins(maintenance: float | Mapping[str, float] | None, runs: Mapping[str, WalkForward]) -> dict[str, float]:
    """Maintenance margin by sleeve."""
    if maintenance is None:
        return {}
    given = dict(maintenance) if isinstance(maintenance, Mapping) else dict.fromkeys(runs, maintenance)
    for name, margin in given.items():
        if name not in runs:
            raise SettingsError(f"maintenance names {name!r}, which is not a sleeve.{nearest(str(name), list(runs))}")
        if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not 0 < margin < 1:
            raise SettingsError(f"maintenance={margin!r} of {name} is not a share above 0 and below 1; 0.05 is 5 %.")
    return {name: float(margin) for name, margin in given.items()}


def _best_in_sample(
    runs: Mapping[str, WalkForward], sleeves: Sleeves, row: int, most: int, *, once: bool
) -> frozenset[str]:
    """Names of the sleeves whose folds at a moment have the highest Sharpe ratio in sample; ties by name."""
    found = []
    for place, (name, wf) in enumerate(runs.items()):
        if not once and not sleeves.there[row, place]:
            continue
        stamp = int(sleeves.time[np.argmax(sleeves.there[:, place])]) if once else int(sleeves.time[row])
        fold = fold_at(wf, stamp)
        sharpe = None if fold is None else wf.folds.filter(fold=fold)["is_sharpe_ratio"][0]
        if sharpe is not None and np.isfinite(sharpe):
            found.append((-float(sharpe), name))
    return frozenset(name for _, name in sorted(found)[:most])


def _moments(sleeves: Sleeves, rebalance: str) -> list[int]:
    """Rows before whose bars capital is moved: the first, and those that the setting names."""
    if rebalance == "never":
        return [0]
    stamps = set(np.concatenate(sleeves.starts).tolist())
    if rebalance != "fold":
        unit = f"1{duration_unit(rebalance)}"
        edge, last = truncate(int(sleeves.time[0]), unit), int(sleeves.time[-1])
        while edge <= last:
            stamps.add(edge)
            edge = offset(edge, rebalance)
    rows = np.searchsorted(sleeves.time, np.array(sorted(stamps), np.int64))
    return sorted({0, *(int(row) for row in rows if row < len(sleeves.time))})


def _weights_at(
    runs: Mapping[str, WalkForward], sleeves: Sleeves, row: int, rule: Any, invested: float, most: float | None, *,
    once: bool, only: frozenset[str] | None = None,
) -> FloatArray:  # fmt: skip
    """Weights of all sleeves before the bar of a row."""
    names, out = sleeves.names, np.zeros(len(sleeves.names))
    if rule == "equal" or isinstance(rule, Mapping):
        active = [
            k for k, name in enumerate(names) if (once or sleeves.there[row, k]) and (only is None or name in only)
        ]
        if isinstance(rule, Mapping):
            whole = weights(rule, np.zeros((3, len(names))), names)
            out[active] = whole[active]
        elif active:
            out[active] = 1.0 / len(active)
    else:
        allowed = runs if only is None else {name: wf for name, wf in runs.items() if name in only}
        active_names, returns = training_returns(allowed, int(sleeves.time[row]))
        if active_names:
            places = [names.index(name) for name in active_names]
            out[places] = weights(rule, returns, active_names)
    out *= invested
    return out if most is None else np.minimum(out, most)
