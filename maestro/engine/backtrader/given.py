"""Signals of a user-defined strategy, traded bar by bar by backtrader's broker."""

from __future__ import annotations

import math
from typing import Any

from maestro.engine.backtrader.trading import Levels, Sides, Trading


class Given(Trading):
    """Reads four given arrays, with their stops, targets and trails, or their bracket, of the signal bar."""

    rung = 0

    def decide(self) -> Sides:
        s, t = self.rule, self.bar
        return bool(s.long_entry[t]), bool(s.long_exit[t]), bool(s.short_entry[t]), bool(s.short_exit[t])

    def see(self) -> Any:
        return self.bar

    def levels(self, side: int, fill: float, seen: Any) -> Levels | None:
        s = self.rule
        if s.bracket is not None:
            return self.bracketed(side, fill, seen)
        stop, target = (
            self.level(getattr(s, name), getattr(s, f"{name}_unit"), seen, fill, sign)
            for name, sign in (("stop", -side), ("target", side))
        )
        trail = math.nan if s.trail is None else float(s.trail[seen])
        return Levels(stop, target, trail, s.trail_unit == "price")

    @staticmethod
    def level(values: Any, unit: str, bar: int, fill: float, sign: int) -> float:
        """Absolute level of a stop or target."""
        if values is None:
            return math.nan
        value = float(values[bar])
        return {"fraction": fill * (1.0 + sign * value), "price": fill + sign * value, "level": value}[unit]

    def bracketed(self, side: int, fill: float, bar: int) -> Levels | None:
        """Levels of a bracket; a short whose stop is not above its fill is not opened."""
        b, self.rung = self.rule.bracket, 0
        if side < 0:
            return Levels(stop=float(b.short_level[bar])) if b.short_level[bar] > fill else None
        stop = float(b.long_level[bar])
        return Levels(stop if stop < fill else fill * (1.0 - b.long_stop), fill * (1.0 + b.long_target))

    def climb(self) -> bool:
        ladder = () if self.rule.bracket is None else self.rule.bracket.ladder
        gain, before = self.data.close[0] / self.entry - 1.0, self.rung
        while self.position.size > 0 and self.rung < len(ladder) and gain > ladder[self.rung][0]:
            _, stop, target = ladder[self.rung]
            self.guarded.stop = max(self.guarded.stop, self.entry * (1.0 + stop))
            self.guarded.target = max(self.guarded.target, self.entry * (1.0 + target))
            self.rung += 1
        return self.rung > before
