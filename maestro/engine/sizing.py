"""How much to trade: a share of equity, an amount, units, or a target volatility."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from maestro.errors import SettingsError

PERCENT, CASH, UNITS, VOLATILITY = range(4)
_KINDS = ("percent", "cash", "units", "volatility")


@dataclass(frozen=True, slots=True)
class Sizing:
    """Size of an entry; build it with `percent`, `cash`, `units` or `volatility`.

    `max_exposure` caps the notional at entry (fee included) as a multiple of equity, both directions; an
    entry above it is cut and counted (metric ``cut_entries``).
    """

    kind: Literal["percent", "cash", "units", "volatility"]
    value: float
    max_exposure: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise SettingsError(f"sizing {self.kind!r} is unknown; allowed: {', '.join(_KINDS)}.")
        for name in ("value", "max_exposure"):
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given < math.inf:
                raise SettingsError(f"sizing {self.kind}: {name}={given!r} is not a number above 0.")
            object.__setattr__(self, name, float(given))
        if self.kind == "percent" and self.value > self.max_exposure:
            raise SettingsError(
                f"percent({self.value:g}) is above max_exposure={self.max_exposure:g}; "
                f"lower it, or allow it with max_exposure={self.value:g}."
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
        """Spend so much of equity that its annual volatility is `target`, by the last 30 close-to-close returns."""
        return cls("volatility", target, max_exposure)

    @classmethod
    def of(cls, given: Sizing | str) -> Sizing:
        """Understand a `Sizing`, or a text: ``percent:1.0``, ``cash:5000``, ``percent:2,3`` (max_exposure 3).

        Raises
        ------
        SettingsError
            An unknown kind, or a value that is not a number above 0.
        """
        if isinstance(given, Sizing):
            return given
        kind, _, numbers = given.partition(":") if isinstance(given, str) else ("", "", "")
        if kind not in _KINDS:
            raise SettingsError(f"sizing={given!r} is unknown; give percent:1.0, cash:5000, units:2 or volatility:0.2.")
        try:
            value, *rest = (float(part) for part in numbers.split(",")) if numbers else (1.0,)
        except ValueError:
            value, rest = 1.0, [0.0, 0.0]
        if len(rest) > 1:
            raise SettingsError(f"sizing={given!r} is not understood; give {kind}:VALUE or {kind}:VALUE,MAX_EXPOSURE.")
        return cls(kind, value, *rest)  # type: ignore[arg-type]

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
