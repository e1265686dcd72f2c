"""A process that fetches until it is done or killed.

``python -m tests.support.exchange.worker STORE STATE URL START END``
"""

from __future__ import annotations

import sys
from pathlib import Path

from maestro.data import sync
from maestro.data.fetching import fetch
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.testing import settings_for


def main(root: str, state: str, url: str, start: str, end: str) -> int:
    """Fetch, storing every few rows, so that there is much to interrupt."""
    sync.FLUSH_ROWS = 200
    settings = settings_for(url, Path(state))
    keys = [SeriesKey("BINANCE", symbol, "1h") for symbol in ("BTCUSDT", "ETHUSDT")]
    results = fetch(ParquetStore(root), keys, int(start), int(end), settings=settings)
    print([result.error for result in results if result.error] or "complete")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
