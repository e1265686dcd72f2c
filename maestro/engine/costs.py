"""Trading costs: a fee per side, and slippage against the trader."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from maestro.errors import SettingsError


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
    def of(cls, venue: str, *, maker: bool = False) -> Costs:
        """Costs of a known venue (`maestro config --venues` lists them), or of one in ``maestro.yaml``.

        Parameters
        ----------
        venue : str
            ``"BINANCE"`` (spot), ``"BINANCE-PERPETUAL"``, ``"BITMEX"``, …; what ``costs`` of ``maestro.yaml`` says of
            it goes before what is published.
        maker : bool
            The fee of resting orders, with which only limit orders are filled, instead of the taker's.

        Raises
        ------
        SettingsError
            An unknown venue.
        """
        from maestro.config.venues import venue as costs_of

        known = costs_of(venue)
        return cls(known.maker if maker else known.taker, known.slippage)

    def to_dict(self) -> dict[str, float]:
        """Plain values, for a run's spec."""
        return asdict(self)
