"""Every runbook's script does what its page says, on a small system; its time is printed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro.data.stores import SeriesKey
from maestro.operations.stack import down
from maestro.operations.stack.state import read, start_time
from maestro.runs import list_runs
from maestro.runs.trash import remove
from maestro.testing import FakeExchange
from tests.operations.backup.conftest import System
from tests.operations.backup.conftest import system as system  # the fixture
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import hourly
from tests.support.patience import GIVE_UP

PAGES = Path(__file__).parents[2] / "docs" / "runbooks"
SMALL = "--without nginx --without prometheus --without apps"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the scripts are for bash")


def rehearse(
    name: str, folder: Path, *, front: tuple[str, ...] = (), **variables: object
) -> subprocess.CompletedProcess[str]:
    """Run the script of a page in a folder, with these folders before all others in the path."""
    [script] = re.findall(r"^```bash\n(.*?)^```", (PAGES / f"{name}.md").read_text(), re.M | re.S)
    path = os.pathsep.join((*front, str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, **{key: str(value) for key, value in variables.items()}}
    began = time.perf_counter()
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
    print(f"{name}: {time.perf_counter() - began:.1f} s")
    return done


@pytest.fixture
def stack(system: System) -> Iterator[Path]:
    """A stack that runs: API and one worker."""
    line = [sys.executable, "-m", "maestro", "stack", "up", *SMALL.split()]
    try:
        subprocess.run(line, cwd=system.folder, check=True, capture_output=True)
        yield system.folder
    finally:
        down(system.folder / "stack")


def test_every_runbook_is_rehearsed() -> None:
    pages = {path.stem for path in PAGES.glob("*.md")} - {"index"}
    assert pages == {
        "install", "upgrade", "rollback", "restore", "full-disk", "stale-data", "corrupt-run", "lost-worker",
        "rotate-keys",
    }  # fmt: skip


@pytest.mark.parametrize("page", [*sorted(PAGES.glob("[!i]*.md")), PAGES / "install.md"], ids=lambda page: page.stem)
def test_each_script_stops_at_errors_and_its_example_sets_the_variables_that_it_needs(page: Path) -> None:
    text = page.read_text()
    [script] = re.findall(r"^```bash\n(.*?)^```", text, re.M | re.S)
    assert script.startswith("set -euo pipefail\n")
    example = re.findall(rf"^\$ (.*)bash {page.stem}\.sh", text, re.M)[0]
    needed = set(re.findall(r'"\$\{(\w+):\?', script))
    assert {word.partition("=")[0] for word in re.findall(r"\w+=", example)} == needed


def test_a_script_stops_at_a_missing_variable(system: System) -> None:
    done = rehearse("restore", system.folder)
    assert done.returncode
    assert "the folder to restore to" in done.stderr


def test_restore(system: System, tmp_path: Path) -> None:
    system.back_up()
    done = rehearse("restore", system.folder, NEW=tmp_path / "new")
    assert done.returncode == 0, done.stderr
    assert len(list_runs(tmp_path / "new" / "service" / "runs")) == 2  # the job that waited was run
    assert "repeats bit for bit" in " ".join(done.stdout.split())


def test_corrupt_run(system: System) -> None:
    system.back_up()
    runs = system.folder / "service" / "runs"
    [run] = list_runs(runs)["id"]
    variables = {"RUN": run, "RUNS": runs, "PART": "service/runs"}
    assert "is not damaged" in rehearse("corrupt-run", system.folder, **variables).stdout
    path = runs / run / "equity.parquet"
    before = path.read_bytes()
    path.write_bytes(before[:-3])
    done = rehearse("corrupt-run", system.folder, **variables)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == before


def test_lost_worker(stack: Path) -> None:
    worker = read(stack / "stack")[1]
    os.kill(worker.pid, signal.SIGKILL)
    while start_time(worker.pid):
        time.sleep(0.05)
    assert (stack / "stack" / "options").read_text() == f"{SMALL}\n"
    done = rehearse("lost-worker", stack)  # starts with the options of the last start
    assert done.returncode == 0, done.stderr
    assert "ended" in done.stdout.partition("worker started")[0]
    assert [part.healthy for part in read(stack / "stack")] == [True, True]
    give_up = time.monotonic() + GIVE_UP
    while len(list_runs(stack / "service" / "runs")) < 2:  # the job that waited
        assert time.monotonic() < give_up
        time.sleep(0.2)


def test_rotate_keys(stack: Path) -> None:
    path = stack / "service" / "service.key"
    first = json.loads(path.read_text())
    done = rehearse("rotate-keys", stack, SERVICE=stack / "service", UP=SMALL)
    assert done.returncode == 0, done.stderr
    second = json.loads(path.read_text())
    assert list(second)[1:] == list(first)
    assert path.stat().st_mode & 0o077 == 0
    done = rehearse("rotate-keys", stack, SERVICE=stack / "service", UP=SMALL, KEEP_OLD="")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(path.read_text())) == 1
    assert not set(json.loads(path.read_text())) & set(second)


def test_full_disk(system: System) -> None:
    names = [system.back_up().name for _ in range(4)]
    runs = system.folder / "service" / "runs"
    [run] = list_runs(runs)["id"]
    remove(run, runs)
    assert list(runs.glob(".trash/*"))
    done = rehearse("full-disk", system.folder, RUNS=runs, BACKUPS=system.folder / "backups", KEEP=2)
    assert done.returncode == 0, done.stderr
    assert not list(runs.glob(".trash/*"))
    assert [one.name for one in system.vault().backups()[0]] == names[2:]


def test_full_disk_keeps_all_backups_if_the_newest_is_damaged(system: System) -> None:
    system.back_up()
    [newest] = (system.folder / "backups").glob(f"{system.back_up().name}.tar.*")
    newest.write_bytes(newest.read_bytes()[:-100])
    variables = {"RUNS": system.folder / "service" / "runs", "BACKUPS": system.folder / "backups", "KEEP": 1}
    assert rehearse("full-disk", system.folder, **variables).returncode != 0
    assert len(list((system.folder / "backups").glob("maestro-*.tar.*"))) == 2


def test_stale_data(system: System) -> None:
    truth = hourly().head(200)
    key = SeriesKey("BINANCE", "BTCUSDT", "1h")
    system.store.append(key, truth.head(50))
    with FakeExchange(ExchangeMarket({("BTCUSDT", "bars", "1h"): truth})) as exchange:
        variables = {"MAESTRO_BINANCE_URL": exchange.url, "MAESTRO_STATE_DIR": system.folder / "state"}
        done = rehearse("stale-data", system.folder, **variables)
        assert done.returncode == 0, done.stderr
        assert "the fetch had no errors" in done.stdout
        assert len(system.store.read(key)) == len(truth)
        system.store.append(SeriesKey("BINANCE", "GONE", "1h"), truth.head(50))
        done = rehearse("stale-data", system.folder, **variables)
        assert "the series above have errors" in done.stdout
        assert "BINANCE:GONE:1h: " in done.stderr
