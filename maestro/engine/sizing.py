"""Size of trades: a share of equity, an amount, units, a target volatility, or a risk at the stop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from maestro.errors import SettingsError

PERCENT, CASH, UNITS, VOLATILITY, RISK = range(5)
_KINDS = ("percent", "cash", "units", "volatility", "risk")
ALLOWED = "percent:1.0, cash:5000, units:2, volatility:0.2 or risk:1%"
"""Examples of each kind, for messages and help."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """Size of an entry; build it with `percent`, `cash`, `units`, `volatility` or `risk`.

    `max_exposure` caps the notional at entry (fee included) as a multiple of equity, both directions; an
    entry above it is cut and counted (metric ``cut_entries``).
    """

    kind: Literal["percent", "cash", "units", "volatility", "risk"]
    value: float
    max_exposure: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise SettingsError(f"sizing {self.kind!r} is unknown; allowed: {', '.join(_KINDS)}.")
        for name in ("value", "max_exposure"):
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < math.inf:
                raise SettingsError(f"sizing {self.kind}: {name}={given!r} is not a number above 0; give one.")
            object.__setattr__(self, name, float(given))
        if self.kind == "percent" and self.value > self.max_exposure:
            raise SettingsError(
                f"percent({self.value:g}) is above max_exposure={self.max_exposure:g}; "
                f"lower it, or allow it with max_exposure={self.value:g}."
            )

        if self.kind == "risk" and self.value >= 1.0:
            raise SettingsError(
                f"risk({self.value:g}) would lose {self.value:.0%} of the equity at the stop; give a share below 1, "
                "such as risk:1% or risk:0.01."
            )

    @classmethod
    def percent(cls, p: float = 1.0, *, max_exposure: float = 1.0) -> Sizing:
        """Spend the fraction `p` of equity (1.0 is all), fee included."""
        return cls("percent", p, max_exposure)

    @classmethod
    def cash(cls, amount: float, *, max_exposure: float = 1.0) -> Sizing:
        """Spend `amount` [currency], fee included."""
        return cls("cash", amount, max_exposure)

    @classmethod
    def units(cls, n: float, *, max_exposure: float = 1.0) -> Sizing:
        """Trade `n` units."""
        return cls("units", n, max_exposure)

    @classmethod
    def volatility(cls, target: float, *, max_exposure: float = 1.0) -> Sizing:
        """Spend the share of equity whose annual volatility is `target`, by the last 30 close-to-close returns."""
        return cls("volatility", target, max_exposure)

    @classmethod
    def risk(cls, share: float, *, max_exposure: float = 1.0) -> Sizing:
        """Trade the number of units with which a trade that ends at its stop loses the fraction `share` of equity.

        Fees and the slippage of the exit are part of that loss; an open beyond the stop loses more. The stop is the one
        in force at the entry: stop or trail, whichever is nearer. A strategy without a stop is refused; an entry
        without one, or with a stop on the wrong side of its price, is left out and counted (metric ``cut_entries``).
        """
        return cls("risk", share, max_exposure)

    @classmethod
    def of(cls, given: Sizing | str) -> Sizing:
        """Make a `Sizing` from a text: ``percent:1.0``, ``cash:5000``, ``percent:2,3`` (max_exposure 3).

        A number may be a percentage: ``risk:1%`` is ``risk:0.01``.

        Raises
        ------
        SettingsError
            An unknown kind, or a value that is not a number above 0.
        """
        if isinstance(given, Sizing):
            return given
        if not isinstance(given, str):
            raise SettingsError(f"sizing={given!r} is unknown; give {ALLOWED}.")
        return _read(given)

    @property
    def text(self) -> str:
        """As `of` understands it."""
        return f"{self.kind}:{self.value!r}" + (f",{self.max_exposure!r}" if self.max_exposure != 1.0 else "")

    @property
    def code(self) -> int:
        """Number of the kind, for the kernels."""
        return _KINDS.index(self.kind)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a run's spec."""
        return {"kind": self.kind, "value": self.value, "max_exposure": self.max_exposure}


@lru_cache(maxsize=256)
def _read(text: str) -> Sizing:
    kind, _, numbers = text.partition(":")
    if kind not in _KINDS:
        raise SettingsError(f"sizing={text!r} is unknown; give {ALLOWED}.")
    if kind == "risk" and not numbers:
        raise SettingsError("sizing='risk' has no share; give risk:1% to lose 1 % of the equity at the stop.")
    try:
        value, *rest = (_number(part) for part in numbers.split(",")) if numbers else (1.0,)
    except ValueError:
        value, rest = 1.0, [0.0, 0.0]
    if len(rest) > 1:
        raise SettingsError(f"sizing={text!r} is not understood; give {kind}:VALUE or {kind}:VALUE,MAX_EXPOSURE.")
    return Sizing(kind, value, *rest)  # type: ignore[arg-type]


def _number(text: str) -> float:
    """Read a number or a percentage."""
    return float(text.strip()[:-1]) / 100.0 if text.strip().endswith("%") else float(text)
