"""Verifies a backup: restores it to a temporary folder and repeats one of its runs bit for bit."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maestro._core.temporary import temporary_folder
from maestro.config.settings import variable
from maestro.data.stores.parquet import ParquetStore
from maestro.errors import BackupError, RunError
from maestro.ledger.book import verify as verify_ledgers
from maestro.operations.backup.places import LAYOUT
from maestro.operations.backup.restore import restore
from maestro.operations.backup.vault import Vault
from maestro.runs import list_runs
from maestro.runs.backtests import FOLDER as BACKTESTS
from maestro.runs.backtests import BacktestStore
from maestro.runs.store import MANIFEST, RunStore
from maestro.service.jobs.database import FILE as DATABASE


@dataclass(slots=True)
class Verified:
    """Outcome of a verification.

    Attributes
    ----------
    name : str
    problems : list of str
        What is wrong; empty if the backup is good.
    notes : list of str
        What a reader should know.
    jobs, runs, series, rows, ledgers : int
        What it holds: jobs, finished runs, series of the Parquet store and their rows, ledgers.
    repeated : str or None
        Id of the run that was repeated bit for bit; None if it has no finished run.
    seconds : float
    """

    name: str
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    jobs: int = 0
    runs: int = 0
    series: int = 0
    rows: int = 0
    ledgers: int = 0
    repeated: str | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(vault: Vault, name: str | None = None, *, run: str | None = None) -> Verified:
    """Restore a backup to a temporary folder, check every part, and repeat one finished run.

    Parameters
    ----------
    run : str, optional
        Id of the run to repeat; one at random by default, of those whose bars and strategy can be loaded.

    Raises
    ------
    BackupError
        There is no such backup, or it cannot be restored.
    """
    began = time.perf_counter()
    with temporary_folder("backup") as temporary:
        folder = temporary / "restored"
        outcome = Verified(restore(vault, name, folder).name)
        _jobs(folder, outcome)
        finished = _runs(folder, outcome)
        _series(folder, outcome)
        _ledger(folder, outcome)
        if run is not None and run not in {path.name for path in finished}:
            raise BackupError(f"there is no finished run {run!r} in {outcome.name}; give the id of one.")
        _repeat(folder, [path for path in finished if run in (None, path.name)], outcome)
    outcome.seconds = time.perf_counter() - began
    return outcome


def _jobs(folder: Path, outcome: Verified) -> None:
    path = folder / LAYOUT["service.folder"] / DATABASE
    if not path.is_file():
        return
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            for (text,) in connection.execute("PRAGMA integrity_check"):
                if text != "ok":
                    outcome.problems.append(f"{DATABASE}: {text}")
            outcome.jobs = connection.execute("SELECT COUNT(*) FROM jobs").fetchone()[0]
    except sqlite3.Error as error:
        outcome.problems.append(f"{DATABASE}: {error}")


def _runs(folder: Path, outcome: Verified) -> list[Path]:
    found = []
    for place in (folder / LAYOUT["runs_dir"], folder / LAYOUT["service.folder"] / "runs"):
        for row in list_runs(place).iter_rows(named=True):
            store = RunStore(place / row["id"])
            try:
                if row["status"] == "done":
                    store.tables()
                    found.append(store.folder)
                else:
                    store.manifest()
            except RunError as error:
                outcome.problems.append(f"run {row['id']}: {error}")
        for path in sorted((place / BACKTESTS).glob(f"*/{MANIFEST}")):
            try:
                BacktestStore(place, path.parent.name).load()
            except RunError as error:
                outcome.problems.append(f"backtest {path.parent.name}: {error}")
    outcome.runs = len(found)
    return found


def _series(folder: Path, outcome: Verified) -> None:
    place = folder / LAYOUT["store"]
    if place.is_dir():
        store = ParquetStore(place)
        outcome.problems += store.check()
        held = store.series()
        outcome.series, outcome.rows = len(held), sum(info.rows for info in held)


def _ledger(folder: Path, outcome: Verified) -> None:
    place = folder / LAYOUT["ledger_dir"]
    for user in sorted(place.iterdir()) if place.is_dir() else ():
        outcome.ledgers += len(list(user.glob("*.ledger")))
        for finding in verify_ledgers(user):
            line = f"ledger {user.name}/{finding.file}: {finding.text}"
            (outcome.problems if finding.severity == "error" else outcome.notes).append(line)


def _repeat(folder: Path, runs: list[Path], outcome: Verified) -> None:
    """Repeat the first run, in random order, whose bars and strategy can be loaded."""
    random.SystemRandom().shuffle(runs)
    places = {variable(name) for name in LAYOUT}
    environment = {name: value for name, value in os.environ.items() if name not in places}
    why = ""
    for path in runs:
        done = subprocess.run(
            [sys.executable, "-m", "maestro", "verify", str(path), "--json", "--no-progress"],
            capture_output=True, text=True, cwd=folder, env=environment,
        )  # fmt: skip
        differing = _differences(done) if done.returncode else []
        if done.returncode == 2 or (differing and {what for what, _ in differing} <= {"bars", "code"}):
            why = done.stderr.strip().removeprefix("maestro: ") or differing[0][1]  # a file, or a user-defined strategy
            continue
        outcome.repeated = path.name
        outcome.problems += [f"run {path.name}: {what}: {text}" for what, text in differing]
        return
    if runs:
        outcome.problems.append(f"none of {len(runs)} finished runs could be repeated; of the last one: {why}")


def _differences(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    try:
        found: dict[str, Any] = json.loads(done.stdout)
        return [(one["what"], one["text"]) for one in found["differences"]]
    except ValueError:
        return [("maestro verify", done.stderr.strip()[-500:] or f"it ended with exit code {done.returncode}")]
