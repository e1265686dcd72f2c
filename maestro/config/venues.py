"""Trading costs of known venues: published fees with their date and source, and user-defined ones in their place.

Fees are those of an account without volume or other discounts, on the usual pairs. Slippage is not published; it is
assumed to be 0.05 % for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from maestro.config.loading import load_settings
from maestro.config.settings import Settings
from maestro.errors import SettingsError, nearest

SLIPPAGE = 0.0005


@dataclass(frozen=True, slots=True)
class Venue:
    """Costs of a venue's market.

    Parameters
    ----------
    maker, taker : float
        Fee of an order that rests, and of one that is filled at once: fractions of the notional, each side.
    date : str
        When `source` stated them.
    slippage : float
        Fraction by which a market order is filled worse than aimed at.
    """

    name: str
    market: Literal["spot", "perpetual", "own"]
    maker: float
    taker: float
    date: str
    source: str
    slippage: float = SLIPPAGE


_PUBLISHED = (
    Venue("BINANCE", "spot", 0.001, 0.001, "2025-01", "Binance, Trading Fee Schedule: spot, regular user"),
    Venue("BINANCE-PERPETUAL", "perpetual", 0.0002, 0.0005, "2025-01", "Binance, Fee Schedule: USD-M, regular user"),
    Venue("BITMEX", "perpetual", 0.0005, 0.0005, "2025-01-30", "BitMEX, makerFee and takerFee of its /instrument"),
    Venue("BITMEX-SPOT", "spot", 0.001, 0.001, "2024-06-13", "BitMEX blog, Fee Changes on BitMEX Spot"),
    Venue("BYBIT", "spot", 0.001, 0.001, "2024-07-31", "Bybit, Trading Fee Structure: non-VIP"),
    Venue("BYBIT-PERPETUAL", "perpetual", 0.0002, 0.00055, "2024-07-31", "Bybit, Trading Fee Structure: non-VIP"),
)
VENUES = {known.name: known for known in _PUBLISHED}
_ALIASES = {"BINANCE-SPOT": "BINANCE", "BITMEX-PERPETUAL": "BITMEX", "BYBIT-SPOT": "BYBIT"}


def venue(name: str, settings: Settings | None = None) -> Venue:
    """Costs of a venue: what ``costs`` of ``maestro.yaml`` or the environment says of it, else what is published.

    Raises
    ------
    SettingsError
        It is not known, and its own costs lack the taker's fee.
    """
    wanted = name.strip().upper()
    wanted = _ALIASES.get(wanted, wanted)
    settings = load_settings() if settings is None else settings
    names = (wanted, *(alias for alias, known in _ALIASES.items() if known == wanted))
    own = next((settings.costs[each] for each in names if each in settings.costs), None)
    known = VENUES.get(wanted)
    if known is None:
        if own is None or own.taker is None:
            listed = sorted({*VENUES, *settings.costs})
            raise SettingsError(
                f"no costs are known for {name!r}; known: {', '.join(listed)}. Give ms.Costs(fee=…, slippage=…), or "
                f"set costs.{wanted}.taker in maestro.yaml.{nearest(wanted, listed)}"
            )
        known = Venue(wanted, "own", own.taker, own.taker, "", "")
    if own is None:
        return known
    given = {part: getattr(own, part) for part in ("maker", "taker", "slippage") if getattr(own, part) is not None}
    origins = {settings.origins.get(f"costs.{each}.{part}", "") for each in names for part in given}
    return replace(known, **given, date="", source=", ".join(sorted(origins - {""})) or "settings")
