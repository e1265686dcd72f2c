"""``python -m benchmarks`` runs every benchmark in a process of its own and writes what they print to results.md.

``python -m benchmarks tpe start`` runs some, and prints only. ``python -m benchmarks reliability`` breaks things on
purpose and writes docs/reliability.md. ``python -m benchmarks triggers`` compares re-optimisation on a change of regime
with other times and writes docs/triggers.md; ``python -m benchmarks samplers`` compares samplers and numbers of trials
and writes docs/samplers.md; ``python -m benchmarks journeys`` performs five tasks in a browser and writes
docs/journeys.md.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ORDER = (
    "start", "backtest", "walkforward", "tpe", "sweep", "scaling", "decision", "data", "files", "trust", "apps",
    "service",
)  # fmt: skip
LIBRARIES = ("numpy", "polars", "numba", "optuna", "vectorbt", "backtesting", "backtrader")


def machine() -> list[str]:
    """Return lines that say on what the figures were measured."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    load = f", load {os.getloadavg()[0]:.1f} before the first" if hasattr(os, "getloadavg") else ""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC{load}.",
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}.",
        f"maestro {version('maestro-research')}, {libraries}.",
    ]


def run(path: Path) -> tuple[str, bool]:
    """Run one benchmark, show what it prints as it comes, and return that as a section."""
    begun = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as ledgers,  # what is measured is no search for anything
        subprocess.Popen(
            [sys.executable, str(path)], stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=HERE.parent,
            env={**os.environ, "MAESTRO_LEDGER_DIR": ledgers},
        ) as process,
    ):  # fmt: skip
        lines = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    text = "".join(lines).strip()
    if "|---" not in text:  # a plain table keeps its columns
        text = f"```text\n{text}\n```"
    title = (path.read_text(encoding="utf-8").split('"""')[1].splitlines() or [""])[0]
    ended = "" if process.returncode == 0 else f"\n\n**It failed with exit code {process.returncode}.**"
    how = f"`python {path.relative_to(HERE.parent)}`, {time.perf_counter() - begun:.0f} s"
    section = f"## {title}\n\n{text}{ended}\n\n{how}\n"
    return section, process.returncode == 0


def main(wanted: list[str]) -> int:
    """Run the benchmarks wanted, or all; returns an exit code."""
    if wanted == ["triggers"]:
        from benchmarks.triggers import main as triggers

        return triggers()
    if wanted[:1] == ["samplers"]:
        from benchmarks.samplers import main as samplers

        return samplers(wanted[1:])
    if wanted[:1] == ["journeys"]:
        from benchmarks.journeys import main as journeys

        return journeys(wanted[1:])
    if wanted[:1] == ["reliability"]:
        from benchmarks.reliability.table import main as reliability

        return reliability(wanted[1:])
    found = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    unknown = [name for name in wanted if name not in found]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(found)}", file=sys.stderr)
        return 2
    about = machine()
    sections, failed = [], []
    for name in sorted(wanted or found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)):
        print(f"\n== {name}", flush=True)
        section, good = run(found[name])
        sections.append(section)
        failed += [] if good else [name]
    if not wanted:
        head = "# Results\n\nWritten by `make bench`. " + "\n".join(about) + "\n"
        (HERE / "results.md").write_text("\n".join([head, *sections]), encoding="utf-8")
        print(f"\n{HERE / 'results.md'}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
