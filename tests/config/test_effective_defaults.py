"""The documented default of every setting is in effect where the setting is used, and so is a value that is set."""

from __future__ import annotations

import asyncio
import importlib
import re
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

import maestro as ms
from maestro import ledger
from maestro.cli import _run, app
from maestro.cli.parsing import executor_of
from maestro.client.connection import configured
from maestro.config import load_settings
from maestro.config.schema import Entry
from maestro.config.settings import schema, variable
from maestro.data.files.limits import file_limits
from maestro.data.legacy import open_legacy
from maestro.data.outages import Outages
from maestro.data.sources.archive import open_archive
from maestro.data.sources.http import Client
from maestro.data.sources.registry import open_source
from maestro.data.stores import CachedStore, ParquetStore, QuestDBStore, RecentStore, open_store, questdb_server
from maestro.execution import distributed
from maestro.reports.export.mlflow import MLflow
from maestro.service.jobs import Database, Queue
from maestro.service.web.state import Service
from maestro.service.worker import mlflow_listeners

ROOT = Path(__file__).parents[2]


class Taken(Exception):
    """Ends a command at the call whose arguments a test looks at."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments


def arguments(place: str, command: str) -> dict[str, Any]:
    """Keyword arguments with which a command calls a function."""
    module, _, name = place.rpartition(".")

    def take(*_: Any, **given: Any) -> None:
        raise Taken(given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module(module), name, take)
        with pytest.raises(Taken) as caught:
            _run(command.split())
    return caught.value.arguments


def walk_forward(name: str) -> Any:
    return arguments("maestro.walkforward.run.walk_forward", "walk-forward RSIStrategy --data sample:AAPL")[name]


def service_queue() -> Queue:
    """Queue of the service as it is opened without a word about quotas."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder))
        try:
            return Queue(database)
        finally:
            database.close()


def client(name: str, provider: str = "BINANCE") -> Client:
    """Client of a source that is opened as the commands open it."""

    async def opened() -> Any:
        source = open_archive("BINANCE") if provider == "archive" else open_source(provider)
        async with source as one:
            return getattr(one, name)

    found: Client = asyncio.run(opened())
    return found


def address(one: Client) -> str:
    return str(one._http.base_url).rstrip("/")


def ccxt_address() -> str | None:
    """Mirror that ccxt's requests go to; None is the exchange itself."""
    pytest.importorskip("ccxt")

    async def opened() -> str:
        async with open_source("CCXT-KRAKEN") as source:
            return str(getattr(source, "exchange").urls["api"]["public"])  # noqa: B009

    found = asyncio.run(opened())
    return None if found == "https://api.kraken.com" else found


def server() -> QuestDBStore:
    found = open_store("questdb", cached=False)
    assert isinstance(found, QuestDBStore)
    return found


def cached() -> tuple[RecentStore, Any]:
    recent = open_store("questdb")
    assert isinstance(recent, RecentStore)
    return recent, recent.store


def local_server(name: str) -> Any:
    """What `maestro data questdb start` hands to the server; its jar lies where the settings say."""
    with pytest.MonkeyPatch.context() as patch:
        seen: dict[str, Any] = {}

        def find_jar(folder: Path, named: Path | None) -> Path:
            seen.update(home=folder, jar=named)
            return Path("a.jar")

        def start(folder: Path, made: Any) -> None:
            raise Taken({**seen, "user": made.user, "password": made.password})

        patch.setattr(questdb_server, "find_jar", find_jar)
        patch.setattr(questdb_server, "start", start)
        with pytest.raises(Taken) as caught:
            _run(["data", "questdb", "start"])
    return caught.value.arguments[name]


def old_password() -> str | None:
    pytest.importorskip("rethinkdb")
    source: Any = open_legacy("rethinkdb://127.0.0.1")
    return source._password or None


def runs() -> Path:
    (Path("runs")).mkdir(exist_ok=True)
    return Path(walk_forward("runs_dir"))


def cluster() -> str | None:
    """Address at which a command looks for the scheduler; None if it computes here."""
    found: list[str] = []

    @contextmanager
    def connected(address: str) -> Iterator[None]:
        found.append(address)
        yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distributed, "connected", connected)
        with executor_of("none"):
            assert not found
        with executor_of(None):
            return found[0] if found else None


def vault_of(**changed: Any) -> Any:
    """Vault of the settings; restic is not run by opening a repository."""
    from maestro.operations.backup import opening

    own = load_settings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening.shutil, "which", lambda name: name)
        patch.setattr(opening, "Restic", lambda repository, given: SimpleNamespace(repository=repository, given=given))
        return opening.open_vault(replace(own, backup=replace(own.backup, **changed)))


def backups_kept() -> Any:
    """Number of backups that the command keeps."""
    from maestro.operations import backup

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "open_vault", lambda *_: None)
        return arguments("maestro.operations.backup.create", "backup create")["keep"]


def stale_after() -> float:
    """Age that is added to two bars before a series counts as stale."""
    from maestro.data.stores import SeriesInfo, SeriesKey
    from maestro.service.web import gauges

    info = SeriesInfo(SeriesKey("BINANCE", "BTCUSDT", "1h"), 0, 0, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gauges, "configured_store", lambda: SimpleNamespace(series=lambda: [info]))
        found = {gauge.name: gauge.values for gauge in gauges.Gauges(Path(), Path()).read()}
    [value] = found["maestro_series_stale_after_seconds"].values()
    return value - 7_200.0


def counts_the_team() -> bool:
    """Whether the trials of another user count."""
    series = "BITSTAMP:BTCUSD:1d"
    with ledger.owned_by("anna"):
        ms.Ledger(series).record("by hand", sharpes=[0.1])
    return ledger.counted(series).users == ("anna",)


def mlflow_login() -> list[str | None]:
    """User and password that an MLflow server is sent."""
    with MLflow("http://127.0.0.1:9")._connect() as http:
        request = next(http.auth.sync_auth_flow(http.build_request("GET", "/"))) if http.auth else None
    if request is None:
        return [None, None]
    return list(b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode().split(":"))


def mlflow_password() -> str | None:
    """Password that goes with a user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAESTRO_MLFLOW_USER", "anna")
        return mlflow_login()[1] or None


def mlflow_token() -> str | None:
    """Token that an MLflow server is sent."""
    with MLflow("http://127.0.0.1:9")._connect() as http:
        return http.headers.get("Authorization", "").removeprefix("Bearer ") or None


def hub_address() -> str | None:
    """Address of the hub that a service asks."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder))
        service.database.close()
        return service.hub.url if service.hub else None


EFFECTS: dict[str, Callable[[], Any]] = {
    "store": lambda: str(open_store(cached=False).root),  # type: ignore[attr-defined]
    "runs_dir": runs,
    "ledger_dir": lambda: ms.Ledger(ms.synthetic_bars(50, seed=1)).path.parent.parent,
    "ledger_team": counts_the_team,
    "cluster": cluster,
    "state_dir": lambda: Outages.of(SimpleNamespace(name="server")).folder.parents[1],  # type: ignore[arg-type]
    "servers.questdb.url": lambda: server().name.removeprefix("questdb:"),
    "servers.questdb.user": lambda: server()._server._user,
    "servers.questdb.password": lambda: server()._server._password,
    "servers.questdb.timeout": lambda: server()._server.timeout,
    "servers.questdb.home": lambda: local_server("home"),
    "servers.questdb.jar": lambda: local_server("jar"),
    "servers.binance.url": lambda: address(client("client")),
    "servers.binance.usdm_url": lambda: address(client("client", "BINANCE-PERPETUAL")),
    "servers.binance.archive_url": lambda: address(client("_client", "archive")),
    "servers.bitmex.url": lambda: address(client("client", "BITMEX")),
    "servers.ccxt.url": ccxt_address,
    "servers.rethinkdb.password": old_password,
    "servers.mlflow.url": lambda: next((listener.url for listener in mlflow_listeners(print)), None),
    "servers.mlflow.experiment": lambda: MLflow("http://127.0.0.1:9").experiment,
    "servers.mlflow.user": lambda: mlflow_login()[0],
    "servers.mlflow.password": mlflow_password,
    "servers.mlflow.token": mlflow_token,
    "fetch.timeout": lambda: client("client").timeout,
    "fetch.tries": lambda: client("client").fetch.tries,
    "fetch.patience": lambda: client("client").fetch.patience,
    "fetch.concurrency": lambda: client("client").fetch.concurrency,
    "fetch.max_age": stale_after,
    "cache.enabled": lambda: isinstance(cached()[1], CachedStore),
    "cache.path": lambda: cached()[1].cache.root.parent,
    "cache.max_age": lambda: cached()[1].max_age,
    "files.unpacked": lambda: file_limits().unpacked,
    "files.rows": lambda: file_limits().rows,
    "cache.memory": lambda: cached()[0].max_bytes,
    "search.method": lambda: walk_forward("search"),
    "search.trials": lambda: walk_forward("trials"),
    "search.seed": lambda: walk_forward("seed"),
    "search.workers": lambda: walk_forward("workers"),
    "service.folder": lambda: arguments("maestro.service.jobs.Database", "worker")["folder"],
    "service.quota": lambda: service_queue().quota,
    "service.hub": hub_address,
    "service.url": lambda: configured()[0],
    "service.key": lambda: configured()[1],
    "backup.folder": lambda: vault_of(restic=None).folder,
    "backup.keep": backups_kept,
    "backup.restic": lambda: getattr(vault_of(password="p"), "repository", None),
    "backup.password": lambda: vault_of(restic="r").given,
}
"""What is in effect for each setting, found at the place that uses it."""

OTHERS: dict[str, str] = {"url": "http://127.0.0.1:9", "bool": "no", "int": "7", "float": "7", "str": "seven"}


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder without settings."""
    for name in schema():
        monkeypatch.delenv(variable(name), raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)


def documented() -> dict[str, str]:
    """Default of each setting in the documentation."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([\w.]+)` \| `MAESTRO_\w+` \| (.*?) \|", page, re.M))


def read(name: str, entry: Entry, text: str) -> Any:
    from maestro.config.schema import read_value

    value = read_value(name, entry, text, "docs/configuration.md", Path())
    return value if entry.doc.unit != "store" else str(Path(value).expanduser())


def test_every_setting_is_looked_at() -> None:
    assert EFFECTS.keys() == schema().keys() == documented().keys()


@pytest.mark.parametrize("name", EFFECTS)
def test_the_documented_default_is_in_effect(name: str) -> None:
    entry = schema()[name]
    assert EFFECTS[name]() == read(name, entry, documented()[name]), f"{name} has another default than documented"
    assert load_settings().get(name) == EFFECTS[name]()


@pytest.mark.parametrize("name", EFFECTS)
def test_a_value_that_is_set_is_in_effect(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = schema()[name]
    text = OTHERS.get(entry.doc.unit) or OTHERS.get(entry.kind.__name__) or str(tmp_path / "else")
    if entry.doc.unit == "store":
        text = str(tmp_path / "else")
    if name == "search.method":
        text = "random"
    before = EFFECTS[name]()
    monkeypatch.setenv(variable(name), text)
    after = EFFECTS[name]()
    assert after == load_settings().get(name) != before


def test_a_store_in_the_built_in_folder_is_of_the_kind_in_its_name() -> None:
    store = open_store("parquet", cached=False)
    assert isinstance(store, ParquetStore)
    assert str(store.root) == load_settings().store


@pytest.mark.parametrize(
    ("option", "setting"),
    [
        ("--seed", "search.seed"),
        ("--workers", "search.workers"),
        ("--trials", "search.trials"),
        ("--search", "search.method"),
        ("--runs-dir", "runs_dir"),
    ],
)
def test_help_names_the_default_of_the_setting(option: str, setting: str) -> None:
    whole: Any = typer.main.get_command(app)
    entry = schema()[setting]
    for command in whole.list_commands(None) or ():
        for one in whole.get_command(None, command).params:
            if option in one.opts:
                if one.default is None:
                    assert f"[default: {entry.show(entry.default)}]" in (one.help or ""), f"maestro {command} {option}"
                else:
                    assert (one.default, one.show_default) == (entry.default, True), f"maestro {command} {option}"
