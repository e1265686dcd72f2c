"""A stack whose bars are kept in QuestDB: the server is started first, a job runs on its bars, and none is left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maestro.config import load_settings
from maestro.data.stores import open_store, questdb_server
from maestro.data.stores.questdb_server import find_jar, free_port
from maestro.operations.stack import ReverseProxy, down, status, up
from maestro.operations.stack.lifecycle import OPTIONAL
from maestro.service.jobs import Database, Queue
from maestro.service.specification import Specification
from tests.operations.backup.conftest import KEY, bars
from tests.service.conftest import SMALL
from tests.support.patience import GIVE_UP
from tests.support.programs import ROOT

pytestmark = [pytest.mark.questdb, pytest.mark.skipif(os.name != "posix", reason="processes are started as on POSIX")]


def test_a_job_runs_on_bars_of_questdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = find_jar(ROOT / ".questdb")
    if jar is None:
        pytest.skip("QuestDB's jar is not in .questdb; `tools/setup_test_services` fetches it")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maestro.yaml").write_text(
        "store: questdb\nledger_dir: ledger\nservice:\n  folder: service\ncache:\n  path: cache\nservers:\n"
        f"  questdb:\n    url: http://127.0.0.1:{free_port()}\n    home: questdb\n    jar: {jar}\n"
    )
    folder = tmp_path / "stack"
    parts = up(folder, load_settings(), ReverseProxy(0), without=OPTIONAL)
    try:
        assert [part.name for part in parts] == ["questdb", "api", "worker-1"]
        assert [output for _, output in status(folder)] == ["healthy"] * 3
        store = open_store()
        store.append(KEY, bars(400))
        specification = Specification.of({**SMALL, "data": str(KEY)})
        series, planned = specification.plan()
        store.close()
        queue = Queue(Database(tmp_path / "service"))
        job, _ = queue.submit(
            "anna", specification.to_dict(), run=planned.id, strategy=specification.strategy, provider=series.provider,
            symbol=series.symbol, folds=planned.folds, trials=planned.trials,
        )  # fmt: skip
        done = queue.wait(job.id, GIVE_UP)
        assert (done.state, done.error) == ("done", None)
    finally:
        assert down(folder) == ["questdb", "api", "worker-1"]
    assert [process.pid for process in questdb_server._left_running if process.returncode is None] == []
    assert not [part for part in parts if part.runs]
