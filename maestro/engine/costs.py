"""What trading costs: a fee a side and slippage against the trader."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from maestro.errors import SettingsError, nearest

_VENUES = {
    "BINANCE": (0.001, 0.0005),
    "BINANCE-PERPETUAL": (0.0005, 0.0005),
    "BITMEX": (0.00075, 0.0005),
    "BYBIT": (0.001, 0.0005),
    "BYBIT-PERPETUAL": (0.00055, 0.0005),
}


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of a fill.

    Parameters
    ----------
    fee : float
        Fraction of the notional, each side; 0.001 is 0.1 %.
    slippage : float
        Fraction by which market and stop fills are worse than the price aimed at; limit fills have none.
    """

    fee: float = 0.001
    slippage: float = 0.0005

    def __post_init__(self) -> None:
        for name, low in (("fee", -0.01), ("slippage", 0.0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value < 0.5:
                raise SettingsError(f"{name}={value!r} is not a fraction from {low:g} to below 0.5; 0.1 % is 0.001.")
            object.__setattr__(self, name, float(value))

    @classmethod
    def of(cls, venue: str) -> Costs:
        """Taker costs of a venue that is known; raises `SettingsError` for any other."""
        known = _VENUES.get(venue.upper())
        if known is None:
            raise SettingsError(
                f"no costs are known for {venue!r}; known: {', '.join(_VENUES)}; or give ms.Costs(fee=…, slippage=…)."
                + nearest(venue, _VENUES)
            )
        return cls(*known)

    def to_dict(self) -> dict[str, float]:
        """Plain values, for a run's spec."""
        return asdict(self)
