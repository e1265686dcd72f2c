"""Backtests on disk, ``runs/backtests/<id>/``: specification, tables with their checksums, and the result again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro._core.atomic import target_name
from maestro._core.json import plain
from maestro._core.parquet import parquet_bytes, read_parquet_bytes
from maestro._core.records import Reader, to_plain
from maestro._core.seal import sealed, unsealed
from maestro.bars import Bars
from maestro.bars.calendar import MarketCalendar
from maestro.engine import Backtest, Costs, Simulator, Sizing
from maestro.engine.kernels import account as ac
from maestro.engine.simulator import Books
from maestro.errors import MaestroError, RunError
from maestro.runs.identity import run_id, source_hash, versions
from maestro.runs.spec import BarsSpec, CostsSpec, SizingSpec
from maestro.runs.store import MANIFEST, RunStore, find, is_run_id, run_folders
from maestro.runs.writing import named_errors, write_file
from maestro.strategies import Strategy, by_name
from maestro.strategies.signals import Signals
from maestro.typing import Fill

FOLDER = "backtests"
"""Folder of the backtests in a runs directory."""
TABLES = ("equity", "trades", "orders", "bars")
_FILES = {MANIFEST, *(f"{name}.parquet" for name in TABLES)}
_ABOUT = ("provider", "symbol", "timeframe", "periods_per_year", "synthetic", "notes", "outages")


@dataclass(frozen=True)
class BacktestSpec:
    """The specification of a backtest of a named strategy, as plain data.

    Attributes
    ----------
    strategy, source : str
        Name of the class, and the hash of its source.
    params : mapping
        All parameters.
    engine : str
    costs : CostsSpec
    sizing : SizingSpec
    cash : float
    fill : {"next_open", "close"}
    periods_per_year : float
    bars : BarsSpec
    """

    strategy: str
    source: str
    params: Mapping[str, Any]
    engine: str
    costs: CostsSpec
    sizing: SizingSpec
    cash: float
    fill: Fill
    periods_per_year: float
    bars: BarsSpec

    @classmethod
    def of(
        cls, bars: Bars, strategy: Strategy, *, costs: Costs, sizing: Sizing, cash: float, fill: Fill, engine: str
    ) -> BacktestSpec:
        """Return the specification of a backtest that is run, or was."""
        declared = strategy.parameters(dict(strategy.params))
        return cls(
            strategy=type(strategy).__name__, source=source_hash(type(strategy)),
            params={name: declared[name].written(value) for name, value in strategy.params.items()}, engine=engine,
            costs=CostsSpec(**costs.to_dict()), sizing=SizingSpec(**sizing.to_dict()), cash=float(cash), fill=fill,
            periods_per_year=bars.periods_per_year, bars=BarsSpec.of(bars),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        form: dict[str, Any] = {"kind": "backtest", **to_plain(self)}
        return form

    @property
    def id(self) -> str:
        """16 hex digits of a hash of the specification and the version of Maestro."""
        return run_id(self.to_dict())


class StoredBacktest(Backtest):
    """A backtest that was read from disk: the numbers that its engine gave. `native` is not kept."""

    def __init__(self, manifest: Mapping[str, Any], spec: BacktestSpec, bars: Bars, books: Books) -> None:
        costs, sizing = Costs(**asdict(spec.costs)), Sizing(**asdict(spec.sizing))
        self.simulator = Simulator(bars, costs=costs, sizing=sizing, cash=spec.cash, fill=spec.fill)
        self.costs, self.sizing, self.engine, self.spec = costs, sizing, spec.engine, spec
        values = manifest["metrics"]
        self._values = np.array([np.nan if values[name] is None else values[name] for name in m.NAMES])
        self.seconds = float(manifest["seconds"])
        self._books, self._notes = books, tuple(manifest["notes"])

    @cached_property
    def strategy(self) -> Strategy | None:  # type: ignore[override]
        """The strategy; None if it is a plug-in's and not installed here."""
        try:
            return by_name(self.spec.strategy)(**self.spec.params)
        except MaestroError:
            return None

    @cached_property
    def signals(self) -> Signals:  # type: ignore[override]
        """The signals of the strategy on the bars, evaluated again.

        Raises
        ------
        RunError
            The strategy is not installed here, or has another source.
        """
        if self.strategy is None or source_hash(type(self.strategy)) != self.spec.source:
            raise RunError(f"{self.spec.strategy} is not installed here as it ran; install the same version of it.")
        return self.strategy.evaluate(self.bars)

    @property
    def books(self) -> Books:  # type: ignore[override]
        """The tables, laid out as the engine's."""
        return self._books

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Notes on the interpretation of the numbers."""
        return self._notes


class BacktestStore:
    """One backtest's folder: a Parquet file per table, and the manifest with their SHA-256 and its own, written last.

    Parameters
    ----------
    runs_dir : path
        The runs directory; the folder is ``backtests/<id>`` in it.
    id : str
    """

    def __init__(self, runs_dir: Path, id: str) -> None:
        self.id, self.folder = id, runs_dir / FOLDER / id

    @classmethod
    def at(cls, folder: Path, id: str) -> BacktestStore:
        """Return the store of a backtest whose folder lies elsewhere, as in the trash."""
        store = cls(folder, id)
        store.folder = folder
        return store

    @property
    def exists(self) -> bool:
        """Whether the backtest is there, be it damaged."""
        return (self.folder / MANIFEST).exists()

    def write(self, result: Backtest, spec: BacktestSpec) -> None:
        """Write a backtest; one that is there is replaced by the same numbers.

        Raises
        ------
        RunError
            The folder cannot be written, or the disk is full.
        """
        bars, sums = result.bars, {}
        tables = {"equity": result.equity, "trades": result.trades, "orders": result.orders, "bars": bars.to_frame()}
        with named_errors(self.folder, "create"):
            self.folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            content = parquet_bytes(table)
            sums[name] = hashlib.sha256(content).hexdigest()
            write_file(self.folder / f"{name}.parquet", content)
        about = {name: getattr(bars, name) for name in _ABOUT}
        values = {
            "id": self.id, "kind": "backtest", "status": "done", "spec": spec.to_dict(), "metrics": result.metrics,
            "notes": result.notes, "seconds": result.seconds, "bars": about, "calendar": asdict(bars.calendar),
            "versions": versions(), "sha256": sums,
        }  # fmt: skip
        write_file(self.folder / MANIFEST, sealed(json.dumps(plain(values), indent=1)))

    def manifest(self) -> dict[str, Any]:
        """Return the manifest.

        Raises
        ------
        RunError
            There is none, or it is damaged.
        """
        path = self.folder / MANIFEST
        try:
            found, whole = unsealed(path.read_bytes())
            whole = whole and run_id(found["spec"], found["versions"]["maestro"]) == found["id"] == self.id
        except FileNotFoundError:
            raise RunError(f"there is no backtest in {self.folder}; run it again.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(MANIFEST, str(error)) from error
        if not whole:
            raise self._damaged(MANIFEST, "it is not what was written")
        return found

    def table(self, name: str) -> bytes:
        """Return the Parquet file of a table, checked against the manifest; errors as of `manifest`."""
        try:
            content = (self.folder / f"{name}.parquet").read_bytes()
        except OSError as error:
            raise self._damaged(f"{name}.parquet", str(error.strerror)) from error
        if hashlib.sha256(content).hexdigest() != self.manifest()["sha256"].get(name):
            raise self._damaged(f"{name}.parquet", "its content is not what was written")
        return content

    def load(self) -> StoredBacktest:
        """Return the backtest, every file of it checked; errors as of `manifest`."""
        manifest = self.manifest()
        spec = _spec(manifest)
        tables = {name: read_parquet_bytes(self.table(name)) for name in TABLES}
        bars = _bars(manifest, tables["bars"])
        if bars.fingerprint != spec.bars.fingerprint:
            raise self._damaged("bars.parquet", "its bars are not those of the specification")
        return StoredBacktest(manifest, spec, bars, _books(tables, bars))

    def spec(self) -> BacktestSpec:
        """Return the specification; errors as of `manifest`."""
        return _spec(self.manifest())

    def check_is_backtest(self) -> None:
        """Check that the folder is a backtest, be it damaged: it then has the name of one and holds its files only.

        Raises
        ------
        RunError
            It is not provably a backtest.
        """
        try:
            self.manifest()
        except RunError:
            others = sorted(path.name for path in self.folder.iterdir()
                            if path.name not in _FILES and target_name(path.name) is None)  # fmt: skip
            if others or not is_run_id(self.id):
                why = f"it holds {', '.join(others[:3])}" if others else "its name is not an id"
                raise RunError(f"{self.folder} is not provably a backtest ({why}), so nothing was removed.") from None

    def _damaged(self, name: str, why: str) -> RunError:
        return RunError(f"{self.folder / name} is damaged ({why}); remove the folder and run the backtest again.")


_READER = Reader(RunError)


def _spec(manifest: Mapping[str, Any]) -> BacktestSpec:
    plain_spec = {key: value for key, value in manifest["spec"].items() if key != "kind"}
    spec: BacktestSpec = _READER.read(BacktestSpec, plain_spec, "spec")
    return spec


def find_backtest(id_or_path: str | Path, runs_dir: str | Path = "runs") -> BacktestStore | None:
    """Return the store of a backtest by its id, an unambiguous beginning of it, or its folder; None if there is none.

    Raises
    ------
    RunError
        Several begin like this.
    """
    base, given = Path(runs_dir), str(id_or_path)
    path = Path(id_or_path)
    if os.path.exists(path / MANIFEST) and path.resolve().parent == (base / FOLDER).resolve():
        return BacktestStore(base, path.resolve().name)
    hits = [name for name in _ids(base) if given and name.startswith(given)]
    if len(hits) > 1:
        raise RunError(f"{len(hits)} backtests begin with {given!r} ({', '.join(hits[:5])}); give more of the id.")
    return BacktestStore(base, hits[0]) if hits else None


def find_stored(id_or_path: str | Path, runs_dir: str | Path = "runs") -> RunStore | BacktestStore:
    """Return the store of a run or a backtest by its id, an unambiguous beginning of it, or its folder.

    Raises
    ------
    RunError
        There is none, or several begin like this.
    """
    backtest = find_backtest(id_or_path, runs_dir)
    if backtest is None:
        return find(id_or_path, runs_dir)
    if any(folder.name.startswith(str(id_or_path)) for folder in run_folders(Path(runs_dir))):
        raise RunError(f"runs and backtests begin with {str(id_or_path)!r}; give more of the id.")
    return backtest


def list_backtests(runs_dir: str | Path = "runs") -> pl.DataFrame:
    """Return the backtests in a runs directory, the last written first.

    Columns id, status (``done`` or ``damaged``), strategy, bars, engine, written (UTC), seconds, sharpe_ratio,
    total_return. Only the manifests are read.
    """
    rows: list[dict[str, Any]] = []
    for name in _ids(Path(runs_dir)):
        store = BacktestStore(Path(runs_dir), name)
        written = datetime.fromtimestamp((store.folder / MANIFEST).stat().st_mtime, UTC)
        try:
            manifest = store.manifest()
            spec, metrics = _spec(manifest), manifest["metrics"]
            found = {
                "status": "done", "strategy": spec.strategy, "bars": spec.bars.name, "engine": spec.engine,
                "seconds": manifest["seconds"], "sharpe_ratio": metrics["sharpe_ratio"],
                "total_return": metrics["total_return"],
            }  # fmt: skip
        except RunError:
            found = {"status": "damaged"}
        rows.append({"id": name, "written": written, **found})
    schema: dict[str, Any] = {
        "id": pl.String, "status": pl.String, "strategy": pl.String, "bars": pl.String, "engine": pl.String,
        "written": pl.Datetime("us", "UTC"), "seconds": pl.Float64, "sharpe_ratio": pl.Float64,
        "total_return": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema).sort("written", "id", descending=True)


def _ids(runs_dir: Path) -> list[str]:
    folder = runs_dir / FOLDER
    if not os.path.isdir(folder):
        return []
    return sorted(path.name for path in folder.iterdir() if (path / MANIFEST).exists())


def _bars(manifest: Mapping[str, Any], frame: pl.DataFrame) -> Bars:
    about = dict(manifest["bars"])
    outages = about.pop("outages")
    about["notes"] = tuple(about["notes"])
    read = Bars.from_frame(frame, **about)
    columns = {name: getattr(read, name) for name in ("time", *frame.columns[1:])}
    calendar = manifest["calendar"]
    bars = Bars(columns, **about, calendar=MarketCalendar(**{**calendar, "weekdays": tuple(calendar["weekdays"])}))
    bars.outages = tuple((int(begin), int(end)) for begin, end in outages)
    return bars


def _books(tables: Mapping[str, pl.DataFrame], bars: Bars) -> Books:
    """Return the books of which the tables were made."""

    def bar(column: pl.Series) -> Any:
        return np.searchsorted(bars.time, column.to_physical().to_numpy())

    orders, trades = tables["orders"], tables["trades"]
    order_columns: dict[int, Any] = {
        ac.ORDER_BAR: bar(orders["timestamp"]), ac.ORDER_SIDE: np.where(orders["side"] == "buy", 1.0, -1.0),
        ac.ORDER_SIZE: orders["size"], ac.ORDER_PRICE: orders["price"], ac.ORDER_FEE: orders["fee"],
    }  # fmt: skip
    trade_columns: dict[int, Any] = {
        ac.T_SIDE: np.where(trades["side"] == "long", 1.0, -1.0), ac.T_ENTRY_BAR: bar(trades["entry_time"]),
        ac.T_EXIT_BAR: bar(trades["exit_time"]), ac.T_ENTRY_PRICE: trades["entry_price"],
        ac.T_EXIT_PRICE: trades["exit_price"], ac.T_SIZE: trades["size"], ac.T_FEES: trades["fees"],
        ac.T_FUNDING: trades["funding"], ac.T_PNL: trades["pnl"],
        ac.T_REASON: [ac.REASONS.index(reason) for reason in trades["exit_reason"]],
    }  # fmt: skip
    equity = tables["equity"]
    return Books(
        equity["equity"].to_numpy(), equity["position"].to_numpy(),
        _book(order_columns, len(orders), ac.ORDER_WIDTH), _book(trade_columns, len(trades), ac.TRADE_WIDTH),
    )  # fmt: skip


def _book(columns: Mapping[int, Any], rows: int, width: int) -> Any:
    book = np.zeros((rows, width))
    for place, values in columns.items():
        book[:, place] = values
    return book
