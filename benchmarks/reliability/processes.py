"""Results over environments and over long processes: equal to the bit, and no growing memory."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import maestro as ms

_SAME = """
import hashlib, maestro as ms
wf = ms.walk_forward(ms.load("sample:AAPL"), "EmaCrossStrategy", splitter="rolling:6,2,1", trials=20)
print(hashlib.sha256((wf.trials.write_csv() + wf.equity.write_csv()).encode()).hexdigest())
"""


def environments(tries: int, folder: Path) -> Iterator[str]:
    """Repeat a walk-forward with other hash seeds, locales, time zones, threads and folders: bit-identical."""
    rng = random.Random(5)
    expected = ""
    for number in range(tries + 1):
        place = folder / f"{number} ä"
        place.mkdir()
        threads = rng.choice(["1", "2", "4"])
        environment = {
            **os.environ, "PYTHONHASHSEED": str(number), "LC_ALL": rng.choice(["C", "C.UTF-8", "de_DE.UTF-8"]),
            "TZ": rng.choice(["UTC", "Asia/Tokyo", "America/New_York"]), "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads, "NUMBA_NUM_THREADS": rng.choice(["1", "2"]), "POLARS_MAX_THREADS": threads,
            "MAESTRO_LEDGER_DIR": str(place / "ledger"), "PYTHONUTF8": "1",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", _SAME], cwd=place, env=environment, capture_output=True, text=True, encoding="utf-8"
        )
        if done.returncode:
            yield done.stderr.strip()[-200:]
        elif not expected:
            expected = done.stdout
        else:
            yield "" if done.stdout == expected else "another result"


def resident() -> float:
    """Memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _growing(tries: int, folder: Path, job: str, limit: float) -> Iterator[str]:
    """Do a job in a process again and again; the last failure says if memory grew after the first tenth."""
    bars = ms.load("sample:AAPL")
    wf = ms.walk_forward(bars, "EmaCrossStrategy", splitter="rolling:6,2,1", trials=10, executor="serial")
    first, expected, settled = max(tries // 10, 1), None, 0.0
    for number in range(tries):
        if job == "backtest":
            value = ms.backtest(bars, "EmaCrossStrategy", params={"fast": 5, "slow": 40}).metrics["sharpe_ratio"]
        elif job == "report":
            value = float(len(wf.report(folder / "report.html").read_bytes()))
        else:
            value = ms.walk_forward(
                bars, "EmaCrossStrategy", splitter="rolling:6,2,1", trials=10, executor="serial"
            ).metrics["sharpe_ratio"]
        expected = value if expected is None else expected
        if number == first and sys.platform == "linux":
            settled = resident()
        grown = resident() - settled if sys.platform == "linux" and number == tries - 1 and settled else 0.0
        yield "another number" if value != expected else f"{grown:.0f} MB more memory" if grown > limit else ""


def backtests(tries: int, folder: Path) -> Iterator[str]:
    """Run backtests in one process: the same result each time, and memory grows by at most 50 MB."""
    yield from _growing(tries, folder, "backtest", 50.0)


def walk_forwards(tries: int, folder: Path) -> Iterator[str]:
    """Run walk-forwards in one process: the same result each time, and memory grows by at most 50 MB."""
    yield from _growing(tries, folder, "walk-forward", 50.0)


def reports(tries: int, folder: Path) -> Iterator[str]:
    """Write reports in one process: the same length each time, and memory grows by at most 100 MB."""
    yield from _growing(tries, folder, "report", 100.0)
