"""Every setting there is, with its type, default and description: what ``maestro.yaml`` and the environment may set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from maestro.config.schema import Doc, Entry, entries

BUILT_IN = "built in"


@dataclass(frozen=True, slots=True)
class QuestDBSettings:
    """The QuestDB server."""

    url: Annotated[str, Doc("address of its HTTP API", "url")] = "http://localhost:9000"
    user: Annotated[str | None, Doc("user, if the server asks for one")] = None
    password: Annotated[str | None, Doc("password; in the environment only", secret=True)] = None
    timeout: Annotated[float, Doc("maximum wait for a response", "time")] = 60.0
    home: Annotated[Path, Doc("data folder of `maestro data questdb start`")] = Path("~/.local/share/maestro-questdb")
    jar: Annotated[Path | None, Doc("path of the server's jar, if it is not in the default location")] = None


@dataclass(frozen=True, slots=True)
class BinanceSettings:
    """Addresses of Binance, or of a mirror."""

    url: Annotated[str, Doc("spot API", "url")] = "https://api.binance.com"
    usdm_url: Annotated[
        str, Doc("USD-M futures API; if only `servers.binance.url` is set, that is used here too", "url")
    ] = "https://fapi.binance.com"
    archive_url: Annotated[str, Doc("archive files", "url")] = "https://data.binance.vision"


@dataclass(frozen=True, slots=True)
class BitMEXSettings:
    """Address of BitMEX, or of a mirror."""

    url: Annotated[str, Doc("API", "url")] = "https://www.bitmex.com"


@dataclass(frozen=True, slots=True)
class CcxtSettings:
    """Exchanges that are read through ccxt."""

    url: Annotated[str | None, Doc("address of a mirror that receives all requests to them", "url")] = None


@dataclass(frozen=True, slots=True)
class RethinkDBSettings:
    """The database of the 2020 system."""

    password: Annotated[
        str | None, Doc("password for `maestro data migrate`; in the environment only", secret=True)
    ] = None


@dataclass(frozen=True, slots=True)
class MLflowSettings:
    """An MLflow server."""

    url: Annotated[
        str | None, Doc("address of an MLflow server; `maestro worker` logs every run there if it is set", "url")
    ] = None
    experiment: Annotated[str, Doc("experiment to which runs are logged")] = "maestro"
    user: Annotated[str | None, Doc("user, if the server asks for one")] = None
    password: Annotated[str | None, Doc("password; in the environment only", secret=True)] = None
    token: Annotated[
        str | None, Doc("token, used instead of user and password; in the environment only", secret=True)
    ] = None


@dataclass(frozen=True, slots=True)
class PluginServer:
    """Address and login of a source or store that a plug-in brings; None is as the plug-in has it."""

    url: Annotated[str | None, Doc("address", "url")] = None
    user: Annotated[str | None, Doc("user")] = None
    password: Annotated[str | None, Doc("password; in the environment only", secret=True)] = None


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Servers; `plugins` holds those of plug-ins, by the plug-in's name in small letters."""

    questdb: QuestDBSettings = field(default_factory=QuestDBSettings)
    binance: BinanceSettings = field(default_factory=BinanceSettings)
    bitmex: BitMEXSettings = field(default_factory=BitMEXSettings)
    ccxt: CcxtSettings = field(default_factory=CcxtSettings)
    rethinkdb: RethinkDBSettings = field(default_factory=RethinkDBSettings)
    mlflow: MLflowSettings = field(default_factory=MLflowSettings)
    plugins: Mapping[str, PluginServer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Limits of requests to exchanges."""

    timeout: Annotated[float, Doc("maximum wait for one response", "time", low=0.001)] = 30.0
    tries: Annotated[int, Doc("consecutive failed attempts at one request before giving up", low=1)] = 10
    patience: Annotated[float, Doc("maximum wait for a ban; a longer one is an error", "time")] = 900.0
    concurrency: Annotated[int, Doc("concurrent requests to one host", low=1)] = 4
    max_age: Annotated[
        float, Doc("age, in addition to two bars, above which the alerts treat a fetched series as stale", "time")
    ] = 93_600.0


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """Local copies of rows."""

    enabled: Annotated[bool, Doc("cache rows from a server in local Parquet files")] = True
    path: Annotated[Path, Doc("folder of these files")] = Path("~/.cache/maestro/rows")
    max_age: Annotated[
        float | None, Doc("maximum age of cached rows; never: trust them until invalidated", "time", empty="never")
    ] = 3600.0
    memory: Annotated[int, Doc("memory for the most recently read ranges", "size")] = 256 * 2**20


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Limits of data files."""

    unpacked: Annotated[int, Doc("maximum size of a compressed file after unpacking", "size")] = 2 * 2**30
    rows: Annotated[int, Doc("maximum number of rows in a file", low=1)] = 20_000_000


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Defaults of the search commands."""

    method: Annotated[str, Doc("search method")] = "tpe"
    trials: Annotated[int, Doc("trials per fold", low=1)] = 100
    seed: Annotated[int, Doc("seed", low=0)] = 0
    workers: Annotated[int | None, Doc("processes or threads", low=1, empty="all cores")] = None


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """The service for a team, and where its clients find it."""

    folder: Annotated[Path, Doc("folder of the service: its jobs, users, key and runs")] = Path(
        "~/.local/share/maestro-service"
    )
    quota: Annotated[int, Doc("maximum number of open jobs per user", low=1)] = 20
    hub: Annotated[str | None, Doc("API address of a JupyterHub whose users may log in with their token", "url")] = None
    url: Annotated[str | None, Doc("address of the service that the client and the Walk-forward app use", "url")] = None
    key: Annotated[str | None, Doc("API key for it; in the environment only", secret=True)] = None


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Backups of `maestro backup`."""

    folder: Annotated[Path, Doc("folder of backups, and of the temporary copy made for each")] = Path(
        "~/.local/share/maestro-backups"
    )
    keep: Annotated[int | None, Doc("backups to keep; older ones are removed", low=1, empty="all")] = None
    restic: Annotated[str | None, Doc("restic repository that stores the backups instead of the folder")] = None
    password: Annotated[str | None, Doc("password of that repository; in the environment only", secret=True)] = None


@dataclass(frozen=True, slots=True)
class VenueCosts:
    """Costs of the user's account at a venue; None is the published figure."""

    maker: Annotated[float | None, Doc("fee of a resting order, a fraction of the notional", low=-0.01, high=0.5)] = (
        None
    )
    taker: Annotated[float | None, Doc("fee of an order filled at once", low=-0.01, high=0.5)] = None
    slippage: Annotated[float | None, Doc("how much worse market orders are filled", low=0.0, high=0.5)] = None


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in effect; `load_settings` makes them: it reads files and the environment and expands ``~``.

    Attributes
    ----------
    costs : mapping from a venue's name to what `maestro.yaml` says of it
    origins : mapping from a dotted name to where its value came from
    file : Path or None, the ``maestro.yaml`` that was found
    unknown : tuple of str, variables ``MAESTRO_…`` that are not settings
    """

    store: Annotated[
        str,
        Doc(
            "folder of Parquet files, or questdb, questdb://HOST:PORT, or rethinkdb://HOST/DB to read the old database",
            "store",
        ),
    ] = "~/.local/share/maestro"
    runs_dir: Annotated[Path, Doc("folder of runs")] = Path("runs")
    ledger_dir: Annotated[Path, Doc("folder of the ledgers that count every trial on a series")] = Path(
        "~/.local/share/maestro-ledger"
    )
    ledger_team: Annotated[
        bool, Doc("whether the deflated Sharpe ratio counts the trials of all users of `ledger_dir`, or of one")
    ] = True
    state_dir: Annotated[Path, Doc("folder of state: bans by exchanges, migrations, files dropped into an app")] = Path(
        "~/.cache/maestro"
    )
    cluster: Annotated[
        str | None, Doc("address of the Dask scheduler that computes walk-forwards, such as tcp://HOST:8786")
    ] = None
    servers: ServerSettings = field(default_factory=ServerSettings)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    files: FileSettings = field(default_factory=FileSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    service: ServiceSettings = field(default_factory=ServiceSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    costs: Mapping[str, VenueCosts] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    file: Path | None = None
    unknown: tuple[str, ...] = ()

    def get(self, name: str) -> Any:
        """Return the value of a setting by its dotted name."""
        value: Any = self
        for part in name.split("."):
            value = getattr(value, part)
        return value

    def items(self) -> Iterator[tuple[str, Any, str, Entry]]:
        """Dotted name, value, origin and entry of every setting; a secret's value is ``"(set)"`` or None."""
        for name, entry in schema().items():
            yield name, _shown(entry, self.get(name)), self.origins.get(name, BUILT_IN), entry
        for section, known, owners in (
            ("servers", plugin_schema(), self.servers.plugins),
            ("costs", costs_schema(), self.costs),
        ):
            for owner, held in owners.items():
                for part, entry in known.items():
                    name, value = f"{section}.{owner}.{part}", getattr(held, part)
                    if value is not None:
                        yield name, _shown(entry, value), self.origins.get(name, BUILT_IN), entry


def _shown(entry: Entry, value: Any) -> Any:
    return "(set)" if entry.doc.secret and value is not None else value


@cache
def schema() -> dict[str, Entry]:
    """Every setting by its dotted name, but those of ``costs.VENUE`` and of plug-ins' servers."""
    return dict(entries(Settings))


@cache
def costs_schema() -> dict[str, Entry]:
    """Settings of a venue."""
    return dict(entries(VenueCosts))


@cache
def plugin_schema() -> dict[str, Entry]:
    """Settings of a plug-in's server."""
    return dict(entries(PluginServer))


def variable(name: str) -> str:
    """Variable of a dotted name: ``servers.questdb.url`` is ``MAESTRO_QUESTDB_URL``."""
    return "MAESTRO_" + re.sub(r"[^A-Z0-9]", "_", name.removeprefix("servers.").upper())
