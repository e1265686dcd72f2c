"""Number and time formats: one format per quantity, a dash for a missing number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

NONE = "–"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"

_PERCENT = {
    "total_return", "annual_return", "volatility", "max_drawdown", "win_rate", "exposure", "return", "drawdown",
}  # fmt: skip
_MONEY = {"final_equity", "fees", "slippage", "funding", "pnl", "equity"}
_WHOLE = {"num_trades", "cut_entries", "ruined"}
LABELS = {
    "sharpe_ratio": "Sharpe ratio",
    "vwr": "VWR",
    "sortino_ratio": "Sortino ratio",
    "calmar_ratio": "Calmar ratio",
    "total_return": "Total return",
    "annual_return": "Annual return",
    "volatility": "Volatility",
    "max_drawdown": "Largest drawdown",
    "win_rate": "Win rate",
    "profit_factor": "Profit factor",
    "num_trades": "Trades",
    "turnover": "Turnover a year",
    "exposure": "Exposure",
    "final_equity": "Final equity",
}


def known(value: Any) -> bool:
    """Whether `value` is a finite number."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def number(value: Any, digits: int = 2) -> str:
    """Plain number: ``1,234.50``; a dash where it is missing, NaN or infinite."""
    if not known(value):
        return NONE
    text = f"{abs(value):,.{digits}f}"
    negative = value < 0 and any(c in "123456789" for c in text)
    return f"{MINUS if negative else ''}{text}"


def percent(value: Any, digits: int = 1, *, sign: bool = False) -> str:
    """Fraction as a percentage: 0.1234 is ``12.3 %``; with `sign` a plus where it is above zero."""
    if not known(value):
        return NONE
    if abs(value) >= 10:
        digits = 0
    text = number(100 * value, digits)
    plus = "+" if sign and value > 0 and any(c in "123456789" for c in text) else ""
    return f"{plus}{text}{THIN}%"


def money(value: Any, *, sign: bool = False) -> str:
    """Amount without a currency: cents below 1,000, whole above."""
    if not known(value):
        return NONE
    text = number(value, 2 if abs(value) < 1_000 else 0)
    return f"+{text}" if sign and value > 0 else text


def compact(value: Any) -> str:
    """Amount in few characters, for the inside of figures: ``1.43M``, ``255k``, ``799``."""
    if not known(value):
        return NONE
    for least, size, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{significant(value / size, 3)}{unit}"
    return number(value, 0 if abs(value) >= 100 else 2)


def significant(value: Any, digits: int = 5) -> str:
    """Price or parameter to so many significant digits, without a needless exponent: ``0.00012``, ``42,350``."""
    if value is None:
        return NONE
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if not math.isfinite(value):
        return NONE
    if isinstance(value, int) or value == int(value):
        return number(value, 0)
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{abs(value):,.{min(decimals, 12)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{MINUS if value < 0 else ''}{text}"


def metric(name: str, value: Any) -> str:
    """Metric by its name, in the unit in which people read it."""
    if name in _PERCENT:
        return percent(value)
    if name in _MONEY:
        return money(value)
    if name in _WHOLE:
        return number(value, 0)
    return number(value)


def pattern(name: str) -> str:
    """Format of a metric for a table in the browser, in the notation of Numeral.js: ``0.0 %`` for a total return."""
    if name in _PERCENT:
        return "0,0.0 %"
    return "0,0" if name in _WHOLE | _MONEY else "0,0.00"


def label(name: str) -> str:
    """Heading of a metric or column: ``sharpe_ratio`` is ``Sharpe ratio``."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def moment(value: Any) -> str:
    """Moment in UTC, to the minute, or the day alone where it falls on midnight."""
    if value is None:
        return NONE
    if not isinstance(value, datetime):
        return value.isoformat() if isinstance(value, date) else str(value)
    utc = value.astimezone(UTC) if value.tzinfo else value
    return f"{utc:%Y-%m-%d}" if (utc.hour, utc.minute) == (0, 0) else f"{utc:%Y-%m-%d %H:%M}"


def minute(value: datetime | int) -> str:
    """Moment in UTC to the minute, ``2020-01-31 07:00``; a whole number is µs since 1970."""
    utc = _EPOCH + timedelta(microseconds=int(value)) if not isinstance(value, datetime) else value.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Count with its noun: ``1 fold``, ``9 folds``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(items: Sequence[str], most: int = 6, word: str = "and") -> str:
    """Items in a sentence, those beyond `most` counted: ``1, 2 and 3``; ``1, 2 and 5 more``; ``1 or 2``."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return f" {word} ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""


def duration(seconds: float) -> str:
    """Format a duration in the unit that suits it: ``12 s``, ``4 min``, ``1.5 h``, ``9 days``, ``1,200 years``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6_000:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3_600
    if hours < 100:
        return f"{hours:.1f} h"
    return f"{hours / 24:,.0f} days" if hours < 24_000 else f"{hours / 8_766:,.0f} years"
