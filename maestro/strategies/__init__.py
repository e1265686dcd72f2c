"""The 22 strategies by name, and what a person's own strategy is made of."""

from maestro.strategies.base import Overlay, Strategy
from maestro.strategies.parameters import Bool, Choice, Constraint, Float, Int
from maestro.strategies.signals import Bracket, Orders, Signals

__all__ = ["Bool", "Bracket", "Choice", "Constraint", "Float", "Int", "Orders", "Overlay", "Signals", "Strategy"]
