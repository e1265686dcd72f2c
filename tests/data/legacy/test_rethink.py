"""A running RethinkDB: all documents once through lost connections, its tables, its login."""

from __future__ import annotations

from typing import Any

import pytest

from maestro.data.legacy import open_legacy
from maestro.data.legacy.source import OldSource, Table
from maestro.errors import SourceError
from tests.data.legacy.old import bars, read, same
from tests.support.rethink.documents import documents
from tests.support.rethink.server import OldServer


def everything(source: OldSource, table: Table) -> list[Any]:
    return [document for batch in source.documents(table) for document in batch]


def test_the_real_driver_reads_every_document_once_through_lost_connections() -> None:
    found = documents(bars(12_000))
    with OldServer({"old": {"trade_X_Y_1h": found}}, password="p", cut_after=[2_500, 0, 7_000]) as server:
        source = open_legacy(server.url)
        (table,) = source.tables()
        assert (str(table), source.count(table)) == ("old.trade_X_Y_1h", 12_000)
        got = everything(source, table)
        source.close()
        assert server.connections == 4
    assert got == sorted(found, key=lambda one: one["id"])
    assert same(read(got, batch=5_000)[0].rows, bars(12_000))


def test_tables_of_all_databases_but_the_servers_own() -> None:
    databases = {"b": {"trade_X_Y_1h": [], "users": []}, "a": {"trade_X_Z_1h": documents(bars(3))}}
    with OldServer(databases) as server:
        source = open_legacy(server.url)
        assert [str(table) for table in source.tables()] == ["a.trade_X_Z_1h", "b.trade_X_Y_1h", "b.users"]
        assert everything(source, Table("b", "trade_X_Y_1h")) == []
        with pytest.raises(SourceError, match=r"Table `b.gone` does not exist"):
            everything(source, Table("b", "gone"))
        source.close()
        only = open_legacy(f"{server.url}/b")
        assert [str(table) for table in only.tables()] == ["b.trade_X_Y_1h", "b.users"]
        only.close()
        lost = open_legacy(f"{server.url}/c")
        with pytest.raises(SourceError, match="there is no such database; there are a, b"):
            lost.tables()
        lost.close()


def test_user_and_password_are_checked_by_the_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    with OldServer({"old": {}}, user="re=ader", password="s,e=cret") as server:
        place = f"127.0.0.1:{server.port}"
        good = open_legacy(f"rethinkdb://re%3Dader:s%2Ce%3Dcret@{place}")
        assert good.tables() == []
        assert "cret" not in good.name
        good.close()
        for wrong in (
            f"rethinkdb://re%3Dader:no@{place}",
            f"rethinkdb://other:s%2Ce%3Dcret@{place}",
            f"rethinkdb://{place}",
        ):
            source = open_legacy(wrong)
            with pytest.raises(SourceError, match=r"refuses user .* MAESTRO_RETHINKDB_PASSWORD"):
                source.tables()
            source.close()
        monkeypatch.setenv("MAESTRO_RETHINKDB_PASSWORD", "s,e=cret")
        source = open_legacy(f"rethinkdb://re%3Dader@{place}")
        assert source.tables() == []
        source.close()


def test_a_server_that_is_not_there_is_named_after_some_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("maestro.data.legacy.rethink.time.sleep", pauses.append)
    with OldServer({}) as server:
        gone = f"rethinkdb://127.0.0.1:{server.port}"
    source = open_legacy(gone, timeout=1)
    with pytest.raises(SourceError, match=r"does not answer after 5 tries .* is it running"):
        source.tables()
    assert pauses == [0.2, 0.4, 0.8, 1.6]
