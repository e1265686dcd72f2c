"""The 22 strategies by name, and what a person's own strategy is made of."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from maestro.errors import StrategyError, nearest
from maestro.strategies.base import Overlay, Strategy
from maestro.strategies.parameters import Bool, Choice, Constraint, Float, Int
from maestro.strategies.signals import Bracket, Orders, Signals

if TYPE_CHECKING:
    STRATEGIES: dict[str, type[Strategy]]
    """Every built-in strategy's class by its name."""

# A family is imported, and Numba with it, when one of its strategies is first used.
_FAMILIES = {
    "EmaCrossStrategy": "classic",
    "MaCrossStrategy": "classic",
    "RSIStrategy": "classic",
    "MACDStrategy": "classic",
    "MACDStrategyX": "classic",
    "BollingerBandsStrategy": "classic",
    "ChannelStrategy": "classic",
    "IchimokuStrategy": "classic",
    "FernandoStrategy": "fernando",
    "VWAPStrategy": "scalping",
    "ScalpRSIStrategy": "scalping",
    "MomentumBreakoutStrategy": "scalping",
    "StochRSIStrategy": "scalping",
    "EMARibbonStrategy": "scalping",
    "FundingRateArbitrage": "derivatives",
    "BasisTradingStrategy": "derivatives",
    "OpenInterestDivergence": "derivatives",
    "LiquidationHuntStrategy": "derivatives",
    "GridTradingStrategy": "grid",
    "VolatilityBreakoutStrategy": "derivatives",
    "TrendFollowingATR": "derivatives",
    "MeanReversionBands": "derivatives",
}

__all__ = [
    "STRATEGIES",
    "Bool",
    "Bracket",
    "Choice",
    "Constraint",
    "Float",
    "Int",
    "Orders",
    "Overlay",
    "Signals",
    "Strategy",
    "strategies",
    "strategy",
    "strategy_class",
]


def strategies() -> list[str]:
    """Names of the built-in strategies, by family."""
    return list(_FAMILIES)


def strategy(name: str, **params: Any) -> Strategy:
    """Build a built-in strategy by name; parameters that are not given take their defaults.

    Raises
    ------
    StrategyError
        No such strategy; the nearest name is suggested.
    ParameterError
        A parameter that it does not have or cannot take.
    """
    return _class(name)(**params)


def strategy_class(given: Any, params: dict[str, Any] | None = None) -> tuple[type[Strategy], dict[str, Any]]:
    """Class and fixed parameters of what is to be searched: a name, a class, or an instance.

    Of an instance, the parameters that no search varies (``proxy``) are kept; `params` come on top.

    Raises
    ------
    StrategyError
        No such strategy, or something that is none.
    """
    fixed = dict(params or {})
    if isinstance(given, Strategy):
        kept = {name: given.params[name] for name, p in type(given).declared.items() if not p.search}
        return type(given), {**kept, **fixed}
    if isinstance(given, type) and issubclass(given, Strategy):
        return given, fixed
    if isinstance(given, str):
        return _class(given), fixed
    raise StrategyError(
        f"{given!r} cannot be searched; give a name (ms.strategies()) or an ms.Strategy class or instance."
    )


def _class(name: str) -> type[Strategy]:
    family = _FAMILIES.get(name) if isinstance(name, str) else None
    if family is None:
        raise StrategyError(
            f"no strategy is called {name!r}; the names are in ms.strategies().{nearest(str(name), _FAMILIES)}"
        )
    return getattr(importlib.import_module(f"maestro.strategies.builtin.{family}"), name)  # type: ignore[no-any-return]


def __getattr__(name: str) -> Any:
    if name == "STRATEGIES":
        value: Any = {known: _class(known) for known in _FAMILIES}
    elif name in _FAMILIES:
        value = _class(name)
    else:
        raise AttributeError(f"module 'maestro.strategies' has no attribute {name!r}")
    globals()[name] = value
    return value


class _CallableModule(ModuleType):
    """Lets ``ms.strategies()`` list the names although ``maestro.strategies`` is this package too."""

    def __call__(self) -> list[str]:
        return strategies()


sys.modules[__name__].__class__ = _CallableModule
