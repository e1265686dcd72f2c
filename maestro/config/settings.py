"""Every setting there is, with its type, default and description; this is what ``maestro.yaml`` may hold."""

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

    url: Annotated[str, Doc("address of its HTTP port")] = "http://localhost:9000"
    user: Annotated[str | None, Doc("user, where it asks for one")] = None
    password: Annotated[str | None, Doc("password; only in the environment", secret=True)] = None
    timeout: Annotated[float, Doc("longest wait for an answer", "time")] = 60.0
    home: Annotated[Path, Doc("where `maestro data questdb start` keeps its data")] = Path(
        "~/.local/share/maestro-questdb"
    )
    jar: Annotated[Path | None, Doc("its jar, where that lies elsewhere")] = None


@dataclass(frozen=True, slots=True)
class BinanceSettings:
    """Binance, or what stands in for it; what is empty is the exchange's own address."""

    url: Annotated[str | None, Doc("spot API")] = None
    usdm_url: Annotated[str | None, Doc("USD-M futures API")] = None
    archive_url: Annotated[str | None, Doc("archive files")] = None


@dataclass(frozen=True, slots=True)
class BitMEXSettings:
    """BitMEX, or what stands in for it."""

    url: Annotated[str | None, Doc("API")] = None


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Servers."""

    questdb: QuestDBSettings = field(default_factory=QuestDBSettings)
    binance: BinanceSettings = field(default_factory=BinanceSettings)
    bitmex: BitMEXSettings = field(default_factory=BitMEXSettings)


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How patiently exchanges are asked; what is empty is as the sources have it."""

    timeout: Annotated[float | None, Doc("longest wait for one answer", "time")] = None
    tries: Annotated[int | None, Doc("failed answers to one request before giving up", low=1)] = None
    patience: Annotated[float | None, Doc("longest ban that is sat out", "time")] = None
    concurrency: Annotated[int | None, Doc("requests under way to one host", low=1)] = None


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """Rows kept near."""

    enabled: Annotated[bool, Doc("keep rows of a server in Parquet files here")] = True
    path: Annotated[Path, Doc("folder of these files")] = Path("~/.cache/maestro/rows")
    max_age: Annotated[float | None, Doc("how old rows from there may be; never: trust until invalidated", "time")] = (
        3600.0
    )
    memory: Annotated[int, Doc("memory for the ranges read last", "size")] = 256 * 2**20


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """What a search does where the command does not say."""

    method: Annotated[str, Doc("search method")] = "tpe"
    trials: Annotated[int, Doc("trials a fold", low=1)] = 100
    seed: Annotated[int, Doc("seed", low=0)] = 0
    workers: Annotated[int, Doc("processes", low=1)] = 1


@dataclass(frozen=True, slots=True)
class VenueCosts:
    """Costs of one's own account at a venue; what is empty is as published."""

    maker: Annotated[float | None, Doc("fee of a resting order, a fraction of the notional", low=-0.01, high=0.5)] = (
        None
    )
    taker: Annotated[float | None, Doc("fee of an order filled at once", low=-0.01, high=0.5)] = None
    slippage: Annotated[float | None, Doc("how much worse market orders are filled", low=0.0, high=0.5)] = None


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force; `origins` says for each dotted name where its value came from.

    Attributes
    ----------
    costs : mapping from a venue's name to what `maestro.yaml` says of it
    file : Path or None, the ``maestro.yaml`` that was found
    unknown : tuple of str, variables ``MAESTRO_…`` that are no setting
    """

    store: Annotated[str, Doc("folder of Parquet files, or questdb, or questdb://HOST:PORT")] = "~/.local/share/maestro"
    runs_dir: Annotated[Path, Doc("folder of runs")] = Path("runs")
    ledger_dir: Annotated[Path, Doc("folder of the ledgers that count every trial on a series")] = Path(
        "~/.local/share/maestro-ledger"
    )
    state_dir: Annotated[Path, Doc("where bans of exchanges are remembered")] = Path("~/.cache/maestro")
    servers: ServerSettings = field(default_factory=ServerSettings)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    costs: Mapping[str, VenueCosts] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    file: Path | None = None
    unknown: tuple[str, ...] = ()

    def items(self) -> Iterator[tuple[str, Any, str, str]]:
        """Dotted name, value, origin and description of every setting; a secret's value is ``"(set)"``."""
        for name, entry in schema().items():
            value: Any = self
            for part in name.split("."):
                value = getattr(value, part)
            hidden = entry.doc.secret and value is not None
            yield name, "(set)" if hidden else value, self.origins.get(name, BUILT_IN), entry.doc.text
        for venue, costs in self.costs.items():
            for part, entry in costs_schema().items():
                value = getattr(costs, part)
                if value is not None:
                    name = f"costs.{venue}.{part}"
                    yield name, value, self.origins.get(name, BUILT_IN), entry.doc.text

    def environment(self) -> dict[str, str]:
        """What is not built in (and no secret), as the variables that would set it."""
        chosen = ((name, value) for name, value, origin, _ in self.items() if origin != BUILT_IN)
        return {variable(name): str(value) for name, value in chosen if value not in (None, "(set)")}


@cache
def schema() -> dict[str, Entry]:
    """Every setting by its dotted name; those of ``costs.VENUE`` are in `costs_schema`."""
    return dict(entries(Settings))


@cache
def costs_schema() -> dict[str, Entry]:
    """Settings of a venue."""
    return dict(entries(VenueCosts))


def variable(name: str) -> str:
    """Variable of a dotted name: ``servers.questdb.url`` is ``MAESTRO_QUESTDB_URL``."""
    return "MAESTRO_" + re.sub(r"[^A-Z0-9]", "_", name.removeprefix("servers.").upper())
