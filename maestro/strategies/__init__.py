"""The built-in strategies by name, and what a user-defined strategy is made of."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from maestro._core.registry import Registry
from maestro.errors import PluginError, StrategyError
from maestro.strategies.base import Overlay, Strategy
from maestro.strategies.parameters import Bool, Choice, Constraint, Float, Int
from maestro.strategies.signals import Bracket, Orders, Signals

if TYPE_CHECKING:
    STRATEGIES: dict[str, type[Strategy]]
    """Every built-in strategy's class by its name."""

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
REGISTRY: Registry[type[Strategy]] = Registry(  # a family is imported, and Numba with it, when it is first used
    "maestro.strategies",
    "strategy",
    {name: f"maestro.strategies.builtin.{family}:{name}" for name, family in _FAMILIES.items()},
    lambda value: isinstance(value, type) and issubclass(value, Strategy),
    "a class of ms.Strategy",
)
"""The built-in strategies and those of plug-ins, by the name of the class."""

__all__ = [
    "REGISTRY",
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
    "by_name",
    "is_named",
    "strategies",
    "strategy",
    "strategy_class",
]


def strategies(*, plugins: bool = False) -> list[str]:
    """Return the names of the built-in strategies, by family; with `plugins`, then those of plug-ins."""
    return REGISTRY.names() if plugins else REGISTRY.builtin


def strategy(name: str, **params: Any) -> Strategy:
    """Build a strategy by name, a built-in one or a plug-in's; parameters that are not given take their defaults.

    Raises
    ------
    StrategyError
        There is no such strategy; the nearest name is suggested.
    PluginError
        The plug-in that has it cannot be imported.
    ParameterError
        A parameter that it does not have or cannot take.
    """
    return by_name(name)(**params)


def strategy_class(given: Any, params: dict[str, Any] | None = None) -> tuple[type[Strategy], dict[str, Any]]:
    """Class and fixed parameters of what is to be searched: a name, a class, or an instance.

    Of an instance, the parameters that no search varies (``proxy``) are kept; `params` come on top.

    Raises
    ------
    StrategyError
        There is no such strategy, or something that is not one.
    """
    fixed = dict(params or {})
    if isinstance(given, Strategy):
        kept = {name: given.params[name] for name, p in type(given).declared.items() if not p.search}
        return type(given), {**kept, **fixed}
    if isinstance(given, type) and issubclass(given, Strategy):
        return given, fixed
    if isinstance(given, str):
        return by_name(given), fixed
    raise StrategyError(
        f"{given!r} cannot be searched; give a name (ms.strategies()) or an ms.Strategy class or instance."
    )


def by_name(name: str, hint: str = " ms.strategies() lists them.") -> type[Strategy]:
    """Return the class of a strategy by its name, a built-in one or a plug-in's.

    Parameters
    ----------
    hint : str
        Where the names are, for the message.

    Raises
    ------
    StrategyError
        There is no such strategy; the nearest name is suggested.
    PluginError
        The plug-in that has it cannot be imported, or its class has another name.
    """
    found = REGISTRY.get(name, StrategyError, hint)
    if found.__name__ != name:
        raise PluginError(f"the strategy {name!r} of a plug-in is the class {found.__name__}; it must have that name.")
    return found


def is_named(cls: type[Strategy]) -> bool:
    """Whether the name of a class gives that class: it is built in or a plug-in's, not a user-defined one."""
    return cls.__name__ in REGISTRY and by_name(cls.__name__) is cls


def __getattr__(name: str) -> Any:
    if name == "STRATEGIES":
        value: Any = {known: by_name(known) for known in _FAMILIES}
    elif name in _FAMILIES:
        value = by_name(name)
    else:
        raise AttributeError(f"module 'maestro.strategies' has no attribute {name!r}")
    globals()[name] = value
    return value


class _CallableModule(ModuleType):
    """Lets ``ms.strategies()`` list the names although ``maestro.strategies`` is this package too."""

    def __call__(self, *, plugins: bool = False) -> list[str]:
        return strategies(plugins=plugins)


sys.modules[__name__].__class__ = _CallableModule
