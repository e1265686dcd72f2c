"""What several tests share: the folder of real market data beside the project, and bars cut from it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, settings

from maestro.bars import Bars
from tests.support.real_data import real_path
from tests.support.systems import reason_to_skip

# No test fails because the machine is busy: neither a slow example nor a slow draw is an error.
settings.register_profile("maestro", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("maestro")

LONGEST = (
    "docs/test_docs.py", "apps/test_apps_browser.py", "notebooks/test_nbval.py", "docs/test_runbooks_versions.py",
    "docs/test_runbooks.py", "_core/test_compiled.py", "operations/stack/test_lifecycle.py",
    "apps/test_runs_browser.py", "benchmarks/test_reliability.py", "walkforward/test_choices.py",
    "reports/notebooks/test_page.py", "testing/test_stores.py", "apps/test_jupyterlab_browser.py",
    "execution/test_distributed.py",
    "operations/backup/test_restic.py", "execution/test_executors.py", "engine/test_engines.py",
    "engine/kernels/test_segments.py", "apps/test_chart_browser.py", "operations/backup/test_create.py",
    "apps/test_many_browser.py", "cli/test_new.py", "validation/parity/test_compare.py", "service/test_worker.py",
    "test_imports.py", "data/legacy/test_migration.py", "data/test_sync.py", "data/stores/test_parquet.py",
    "runs/test_store.py", "execution/test_cluster.py", "cli/test_main.py",
)  # fmt: skip
"""Files that take longest. They begin first, so that none of them runs alone at the end."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are collected, and later none of the million objects that exist by then."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests of the longest files to the front, in this order; skip those that this system cannot run."""
    here = Path(__file__).parent
    rank = {here / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
    if sys.platform != "linux":
        for item in items:
            if why := reason_to_skip(f"{item.path.relative_to(here).as_posix()}::{item.name}"):
                item.add_marker(pytest.mark.skip(reason=why))


pytest_plugins = ["tests.support.browser", "tests.support.questdb", "tests.support.settings_folder"]


@pytest.fixture(scope="session", autouse=True)
def own_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of the ledgers that tests write, in processes that they start too; never the user's own."""
    folder = tmp_path_factory.mktemp("ledger")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAESTRO_LEDGER_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def real_file() -> Callable[[str], Path]:
    """Path of a file of real market data; the test is skipped, saying so, where it is absent."""
    return real_path


@pytest.fixture(scope="session")
def real_hours(real_file: Callable[[str], Path]) -> Bars:
    """BTCUSD 1h of 2018 on Bitfinex, 8,760 real bars."""
    rows = pl.read_parquet(real_file("bitfinex_7sym_1h.parquet"))
    rows = rows.filter(pl.col("symbol") == "BTCUSD", pl.col("ts") >= pl.datetime(2018, 1, 1, time_zone="UTC"))
    return Bars.from_frame(rows.head(8_760), provider="BITFINEX", symbol="BTCUSD", timeframe="1h")
