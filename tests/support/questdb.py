"""A real QuestDB server for the tests: free ports, a temporary root, one for the session and others on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro.data.stores.questdb_server import JAR, QuestDBServer, find_jar, find_java, free_port
from maestro.errors import StoreError
from tests.support.systems import must_be_installed

USER, PASSWORD = "tester", "a pass;word"
_PROJECT = Path(__file__).parents[2]


def _need(what: str) -> None:
    """Skip, saying what helps; in CI on Linux nothing is skipped."""
    output = f"{what}; `tools/setup_test_services` sets up what the QuestDB tests need"
    if must_be_installed():
        pytest.fail(output)
    pytest.skip(output)


@pytest.fixture(scope="session")
def make_questdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., QuestDBServer]]:
    """Make servers (not started ones); all are ended with the session."""
    try:
        find_java()
    except StoreError as error:
        _need(str(error))
    jar = find_jar(_PROJECT / ".questdb")
    if jar is None:
        _need(f"{JAR} is not in .questdb")
    made: list[QuestDBServer] = []

    def make(**settings: Any) -> QuestDBServer:
        assert jar is not None
        root = tmp_path_factory.mktemp("questdb") / "root"
        made.append(QuestDBServer(root, jar, port=0, **settings))
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def questdb(make_questdb: Callable[..., QuestDBServer]) -> QuestDBServer:
    """One server for all tests, with a password and the PostgreSQL port; each test takes symbols of its own."""
    settings = {"QDB_DEV_MODE_ENABLED": "true", "QDB_HTTP_EXPORT_CONNECTION_LIMIT": "2"}  # 2: a small server's default
    server = make_questdb(user=USER, password=PASSWORD, pg_port=free_port(), settings=settings)
    server.start()
    return server
