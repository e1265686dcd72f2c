"""Look-ahead: every planted defect found, no alarm for the 22 over five real series and 200 cuts each.

``python benchmarks/bench_lookahead.py`` reads the real data from ../shared/data beside the project, and says so where
it is absent. The exit code is 1 where a defect is missed or an alarm is false.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import maestro as ms
from maestro.strategies import STRATEGIES
from tests.strategies import markets
from tests.support.real_data import BESIDE
from tests.validation.lookahead import honest, leaky

CUTS = 200
SERIES: dict[str, Callable[[], ms.Bars]] = {
    "BTCUSD 1h 2018, Bitfinex": lambda: markets.bitfinex("BTCUSD"),
    "ETHUSD 1h 2018, Bitfinex": lambda: markets.bitfinex("ETHUSD"),
    "BTCUSD 1h 2018-24, Bitstamp": markets.bitstamp,
    "BTCUSDT 4h perpetual, funding": lambda: markets.perpetual("BTCUSDT"),
    "BTCUSD 1d, open interest": markets.daily_interest,
    "BTCUSD 1h, premium as basis": markets.with_basis,
    "AAPL 1d, sample": lambda: ms.load_sample("AAPL"),
}


def defects() -> int:
    """Check every strategy with a planted defect, and the honest ones; return how many were judged wrongly."""
    bars = ms.synthetic_bars(3000, seed=3)
    wrong = 0
    print("| planted | caught as | columns named | s |\n|---|---|---|---:|")
    planted = [(cls, name) for cls, name, _ in leaky.AHEAD] + [*leaky.ELSEWHERE, *leaky.TOO_LITTLE]
    for cls, name in planted:
        begun = time.perf_counter()
        found = ms.validation.lookahead(bars, cls, cuts=CUTS)
        row = next(row for row in found.table.to_dicts() if row["check"] == name)
        wrong += name not in found.failed
        output = name if name in found.failed else "MISSED"
        print(f"| {cls.__name__} | {output} | {', '.join(row['columns'])} | {time.perf_counter() - begun:.2f} |")
    alarms = [cls.__name__ for cls in honest.HONEST if not ms.validation.lookahead(bars, cls, cuts=CUTS).passed]
    print(f"\n{len(planted)} planted, {wrong} missed; {len(honest.HONEST)} honest, false alarms: {alarms or 'none'}.\n")
    return wrong + len(alarms)


def alarms() -> int:
    """Check the 22 on every series; return the number of alarms."""
    count = 0
    print("| series | bars | strategies | cuts each | alarms | s |\n|---|---:|---:|---:|---:|---:|")
    for name, load in SERIES.items():
        bars = load()
        begun, failed, cuts = time.perf_counter(), [], 0
        for strategy, cls in STRATEGIES.items():
            lacks = any(getattr(bars, one) is None for one in cls.requires)
            found = ms.validation.lookahead(bars, strategy, params={"proxy": True} if lacks else None, cuts=CUTS)
            cuts = len(found.cuts)
            if not found.passed:
                failed.append(f"{strategy}: {', '.join(found.failed)}")
        count += len(failed)
        seconds = time.perf_counter() - begun
        print(f"| {name} | {len(bars):,} | {len(STRATEGIES)} | {cuts} | {len(failed)} | {seconds:.1f} |", *failed)
    return count


def main() -> int:
    """Print both tables."""
    wrong = defects()
    if not BESIDE.exists():
        print("The real data is not here (../shared/data beside the project): the 22 were not checked.")
        return int(wrong > 0)
    return int(wrong + alarms() > 0)


if __name__ == "__main__":
    raise SystemExit(main())
