"""What several tests share: the folder of real market data beside the project, and bars cut from it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
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
    "_core/test_compiled.py", "docs/test_docs.py", "notebooks/test_nbval.py", "apps/test_jupyterlab_browser.py",
    "apps/test_apps_browser.py", "reports/notebooks/test_page.py", "execution/test_cluster.py",
    "execution/test_distributed.py", "operations/stack/test_lifecycle.py", "docs/test_runbooks.py", "cli/test_main.py",
    "engine/kernels/test_segments.py", "runs/test_store.py", "test_imports.py", "service/test_worker.py",
    "walkforward/test_run.py",
)  # fmt: skip
"""Files that take longest. They begin first, so that none of them runs alone at the end."""


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
