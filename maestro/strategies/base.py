"""The strategy contract: declared parameters, a warm-up, signals from bars, overlays for charts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from maestro.errors import MissingSeriesError, ParameterError, StrategyError, WarmupError, nearest
from maestro.strategies.declaration import check_declaration
from maestro.strategies.parameters import Constraint, Parameter, Params
from maestro.strategies.signals import Signals
from maestro.typing import FloatArray, Parameters

if TYPE_CHECKING:
    from maestro.bars import Bars


class Overlay(NamedTuple):
    """A named line for charts and the pane it belongs to (``"price"`` or the name of another pane).

    `steps` draws it as steps: for values of a longer timeframe, which change when one of its bars has closed.
    """

    name: str
    values: FloatArray
    pane: str = "price"
    steps: bool = False


class Strategy:
    """A trading rule with declared parameters.

    Subclass it anywhere, also in a notebook cell; nothing has to be registered::

        class MyCross(ms.Strategy):
            fast = ms.Int(10, 2, 50)
            slow = ms.Int(30, 10, 200)
            constraints = (ms.Constraint("fast < slow", lambda p: p.fast < p.slow),)

            def warmup(self, params):
                return params.slow

            def signals(self, bars):
                fast, slow = ms.indicators.sma(bars.close, self.fast), ms.indicators.sma(bars.close, self.slow)
                return ms.Signals.flip(ms.indicators.crosses_above(fast, slow), ms.indicators.crosses_below(fast, slow))

    Values are attributes of the instance (`self.fast`) and together `self.params`.
    """

    declared: ClassVar[dict[str, Parameter]] = {}
    """All declared parameters by name, in order of declaration."""
    constraints: ClassVar[tuple[Constraint, ...]] = ()
    family: ClassVar[str] = "own"
    requires: ClassVar[tuple[str, ...]] = ()
    """Series beyond OHLCV that the rule reads: ``funding_rate``, ``open_interest``, ``basis``."""
    params: Params

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        inherited = {k: v for base in reversed(cls.__mro__[1:]) for k, v in getattr(base, "declared", {}).items()}
        own = {k: v for k, v in vars(cls).items() if isinstance(v, Parameter)}
        for name in inherited.keys() & vars(cls).keys() - own.keys():
            raise ParameterError(
                f"{cls.__name__}.{name} = {vars(cls)[name]!r} hides the parameter {name!r}, whose value would be used; "
                f"declare it again with another default, like {name} = ms.{type(inherited[name]).__name__}(…)."
            )
        cls.declared = {**inherited, **own}

    def __init__(self, **params: Any) -> None:
        declared = self.parameters(params)
        if "__usable__" not in type(self).__dict__:
            check_declaration(type(self))
        values = Params([(name, parameter.default) for name, parameter in declared.items()])
        for name, value in params.items():
            parameter = declared.get(name)
            if parameter is None:
                raise ParameterError(
                    f"{type(self).__name__} has no parameter {name!r}; it has: {', '.join(declared) or 'none'}."
                    + nearest(name, declared)
                )
            values[name] = parameter.check(name, value)
        for constraint in self.constraints:
            if not constraint.holds(values):
                raise ParameterError(
                    f"{type(self).__name__} needs {constraint.rule}; got "
                    f"{', '.join(f'{k}={v}' for k, v in values.items())}."
                )
        self.params = values
        self.__dict__.update(values)

    @classmethod
    def parameters(cls, given: dict[str, Any] | None = None) -> dict[str, Parameter]:
        """Declarations in effect, which may depend on given values (a proxy has its own bounds)."""
        return cls.declared

    def warmup(self, params: Params) -> int:
        """Number of bars before every condition of the rule is defined; signals before it are suppressed."""
        return 0

    def signals(self, bars: Bars) -> Signals:
        """Decide at the close of every bar, from that bar and those before it."""
        raise NotImplementedError(f"{type(self).__name__} defines no signals(bars)")

    def overlays(self, bars: Bars) -> list[Overlay]:
        """Lines that show the rule on a chart; none unless the strategy says so."""
        return []

    def evaluate(self, bars: Bars) -> Signals:
        """Signals checked against the contract, with the warm-up suppressed: what the engine trades.

        Raises
        ------
        StrategyError
            `signals` did not return `Signals` with one value per bar, or `warmup` no whole number of bars.
        WarmupError
            The warm-up is longer than half of the bars.
        """
        n = len(bars)
        warm = _warmup_of(self, n)
        result = self.signals(bars)
        if not isinstance(result, Signals):
            raise StrategyError(
                f"{type(self).__name__}.signals returned {type(result).__name__}; return ms.Signals(long_entry=…, …)."
            )
        if len(result) != n:
            raise StrategyError(
                f"{type(self).__name__}.signals returned {len(result)} values for {n} bars; return one per bar."
            )
        return result.suppress(warm) if warm else result

    def need(self, bars: Bars, series: str) -> FloatArray:
        """Return an optional series of the bars, or refuse by name.

        Raises
        ------
        MissingSeriesError
            The bars do not carry it, or carry nulls only.
        """
        values: FloatArray | None = getattr(bars, series)
        if values is None or bool(np.isnan(values).all()):
            proxy = " or ask for the named substitute with proxy=True" if "proxy" in self.declared else ""
            raise MissingSeriesError(
                f"{type(self).__name__} needs {series}, which {bars.name} does not carry; "
                f"join it onto the bars (Bars.from_frame(…, with a column {series!r})){proxy}."
            )
        return values

    @classmethod
    def source(cls) -> str:
        """Source text of the class, part of a run's identity; its qualified name where no source can be had."""
        try:
            return inspect.getsource(cls)
        except (OSError, TypeError):
            return f"{cls.__module__}.{cls.__qualname__}"

    @property
    def name(self) -> str:
        """Class name, as listed by `ms.strategies()`."""
        return type(self).__name__

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.params.items())})"


def maker(strategy: type[Strategy]) -> Callable[[Parameters], Strategy]:
    """Return the function that makes an instance of a complete, valid set, as a search proposes it.

    It leaves out the checks of ``strategy(**params)``, which cost more than the rest; a class with an ``__init__``
    of its own is called as usual.
    """
    if strategy.__init__ is not Strategy.__init__ or strategy.__new__ is not Strategy.__new__:
        return lambda params: strategy(**params)

    def make(params: Parameters) -> Strategy:
        made = object.__new__(strategy)
        made.params = Params(params)
        made.__dict__.update(params)
        return made

    return make


def warmup_excess(strategy: type[Strategy], params: Parameters, n: int) -> float:
    """Return by how much twice the warm-up of a complete set of parameters exceeds `n` bars, as a share of them.

    0 if it fits, or if it cannot be computed: `evaluate` raises that error. Takes 0.4 µs, as the set is not checked.
    """
    if strategy.warmup is Strategy.warmup:
        return 0.0
    bare = object.__new__(strategy)  # not `maker`, which calls a class with an __init__ of its own
    bare.params = Params(params)
    bare.__dict__.update(params)
    try:
        warm = bare.warmup(bare.params)
        return float(2 * warm / n - 1) if 2 * warm > n else 0.0
    except Exception:  # user code, which may also need what its own __init__ sets
        return 0.0


def _warmup_of(strategy: Strategy, n: int) -> int:
    """Warm-up of a strategy, checked against the contract and the number of bars."""
    name, warm = type(strategy).__name__, strategy.warmup(strategy.params)
    if type(warm) is not int:
        try:
            whole = None if isinstance(warm, (bool, str)) else int(warm)
        except (TypeError, ValueError, OverflowError):
            whole = None
        if whole is None or whole != warm:
            raise StrategyError(
                f"{name}.warmup returned {warm!r}; return a whole number of bars, rounded up (math.ceil) where it is "
                "computed from fractions."
            )
        warm = whole
    if warm < 0:
        raise StrategyError(f"{name}.warmup returned {warm}; return a number of bars of at least 0.")
    if 2 * warm > n:
        longest = {k: v for k, v in strategy.params.items() if type(v) is int and v * 2 > n}
        named = ", ".join(f"{k}={v}" for k, v in (longest or strategy.params).items())
        raise WarmupError(
            f"{name} ({named}) needs {warm} bars to warm up, more than half of the {n} bars given; "
            f"shorten the periods or give at least {2 * warm} bars."
        )
    return warm
