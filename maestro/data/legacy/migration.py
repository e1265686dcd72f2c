"""Old tables moved into a store: counted first, written in batches that can be taken back, compared afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import polars as pl

from maestro._core.json import dumps
from maestro.config import load_settings
from maestro.data.legacy.documents import FIELDS, Choices, DocumentReader, Reading
from maestro.data.legacy.journal import BEFORE, THERE, Migration, begin
from maestro.data.legacy.names import PREFIX, series_of
from maestro.data.legacy.report import MigrationReport, TableReport
from maestro.data.legacy.source import OldSource, SourceAwayError, Table
from maestro.data.stores import SeriesKey, Store
from maestro.data.stores.rows import ALLOWED, differences, fingerprint_rows, timestamps_of
from maestro.data.timeframes import as_datetime, timeframe_us
from maestro.errors import (
    MaestroError,
    SettingsError,
    SourceError,
    StoreAccessError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    nearest,
)

Phase = Literal["read", "write", "check"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a table in one phase: documents read, or rows written or checked, of how many (None: unknown)."""

    table: str
    phase: Phase
    done: int
    total: int | None


def migrations_folder() -> Path:
    """Where migrations are kept, so that they can go on and be taken back: ``migrations`` in the state folder."""
    return load_settings().state_dir / "migrations"


def migrate(
    source: OldSource,
    store: Store,
    *,
    tables: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    choices: Choices | None = None,
    existing: Literal["replace", "keep"] = "replace",
    dry_run: bool = False,
    again: bool = False,
    batch: int = 50_000,
    progress: Callable[[Progress], None] | None = None,
    folder: Path | None = None,
) -> MigrationReport:
    """Move old tables into a store.

    A table is read whole, its rows are compared with the store's, and those that differ are written in batches. What
    a batch writes and what was there before is on disk first: `rollback` takes back exactly that. Afterwards the rows
    are read back and compared: number, checksum over all columns, largest difference. An interrupted migration goes
    on when the same is asked for again; tables that are done are not read again.

    Parameters
    ----------
    source : OldSource
        From `open_legacy`.
    store : Store
        A cache in front must ask the store behind (``max_age=0``), so that what is compared is what is there.
    tables : sequence of str, optional
        ``TABLE`` or ``DATABASE.TABLE``; all that begin with ``trade_`` where none is given.
    names : mapping, optional
        From a table to ``PROVIDER:SYMBOL:TIMEFRAME``, where its name does not say it.
    choices : Choices, optional
        How documents are read.
    existing : {"replace", "keep"}
        Whether rows of the store with other values are replaced or left; open interest, basis and funding that they
        carry stay in either case.
    dry_run : bool
        Read, count and compare, and write nothing.
    again : bool
        Start again although an interrupted migration of the same could go on.
    batch : int
        Rows per write.
    progress : callable, optional
    folder : Path, optional
        Where migrations are kept; `migrations_folder` where it is not given.

    Returns
    -------
    MigrationReport
        A table that cannot be read or does not compare equal is in it with its error; the others are moved.

    Raises
    ------
    SettingsError
        A table that is not there, two tables of one series, a name that says no series.
    SourceError
        The source is away or refuses.
    StoreUnavailableError, StoreFullError, StoreAccessError
        The store fails for all tables; what was written is in the journal, and the same call goes on. The same for a
        source that goes away.
    """
    if batch < 1:
        raise SettingsError(f"batch={batch!r} must be 1 or more.")
    if existing not in ("replace", "keep"):
        raise SettingsError(f"existing={existing!r} is unknown; give 'replace' or 'keep'.")
    began = time.monotonic()
    chosen = choices or Choices()
    plan, left_out = plan_tables(source, tables, names or {})
    identity = {
        "source": source.name,
        "target": store.name,
        "choices": {
            **asdict(chosen),
            "existing": existing,
            "series": {str(table): str(key) for table, key in plan},
        },
    }
    with ExitStack() as stack:
        migration: Migration | None = None
        report = MigrationReport("", source.name, store.name, dry_run, left_out=left_out)
        if not dry_run:
            migration, report.resumed = stack.enter_context(begin(folder or migrations_folder(), identity, again=again))
            report.id, report.folder = migration.id, str(migration.folder)
        for table, key in plan:
            done = None if migration is None else migration.manifest["tables"].get(str(table))
            if done is not None and done["status"] == "done":
                report.tables.append(TableReport(**done))
                continue
            work = _Work(source, store, table, key, chosen, existing == "keep", migration, batch, progress)
            report.tables.append(work.done)
            try:
                work.run()
            except (SourceAwayError, StoreUnavailableError, StoreFullError, StoreAccessError) as error:
                raise type(error)(f"{error} {_how_to_go_on(migration)}".strip()) from None
            except MaestroError as error:
                work.done.status, work.done.error = "failed", str(error)
            if migration is not None:
                migration.manifest["tables"][str(table)] = asdict(work.done)
                migration.save()
        report.seconds = round(time.monotonic() - began, 3)
        if migration is not None:
            migration.write("report.json", dumps(report.to_dict(), indent=1))
            migration.write("report.md", report.to_markdown())
            migration.manifest["status"] = "complete" if report.ok else "unfinished"
            migration.save()  # last: a migration that is killed before is continued, and its reports are written again
    return report


def plan_tables(
    source: OldSource, tables: Sequence[str], names: Mapping[str, str]
) -> tuple[list[tuple[Table, SeriesKey]], list[tuple[str, str]]]:
    """Which tables are moved and as which series, and which are left out and why.

    Raises
    ------
    SettingsError
        A table that is not there, or is there in several databases; two tables of one series; nothing to move.
    """
    there = source.tables()
    known = [form for table in there for form in (str(table), table.name)]
    wanted = {**dict.fromkeys(tables), **names}
    for name in wanted:
        hits = [str(table) for table in there if name in (str(table), table.name)]
        if not hits:
            raise SettingsError(f"{source.name} has no table {name!r}.{nearest(name, known)}")
        if len(hits) > 1:
            raise SettingsError(f"{source.name} has several tables {name!r}: {', '.join(hits)}; name one.")
    plan: list[tuple[Table, SeriesKey]] = []
    left_out = []
    for table in there:
        asked = [name for name in (str(table), table.name) if name in wanted]
        if tables and not asked:
            left_out.append((str(table), "not asked for"))
            continue
        if not asked and not table.name.startswith(PREFIX):
            left_out.append((str(table), f"its name does not begin with {PREFIX}"))
            continue
        given = next((names[name] for name in asked if names.get(name)), None)
        plan.append((table, series_of(table.name, given)))
    seen: dict[SeriesKey, Table] = {}
    for table, key in plan:
        if key in seen:
            raise SettingsError(
                f"tables {seen[key]} and {table} are both {key}; move one, or name it: --table {table}={key.provider}:"
                f"{key.symbol}_2:{key.timeframe}."
            )
        seen[key] = table
    if not plan:
        there_are = ", ".join(map(str, there[:10])) or "none"
        raise SettingsError(f"{source.name} has no table {PREFIX}PROVIDER_SYMBOL_TIMEFRAME; there are: {there_are}.")
    return plan, left_out


@dataclass(slots=True)
class _Work:
    """One table on its way."""

    source: OldSource
    store: Store
    table: Table
    key: SeriesKey
    choices: Choices
    keep: bool
    migration: Migration | None
    batch: int
    progress: Callable[[Progress], None] | None
    done: TableReport = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.done = TableReport(str(self.table), str(self.key))

    def run(self) -> None:
        reading = self._read()
        done, rows = self.done, reading.rows
        done.documents, done.rows, done.identical = reading.documents, len(rows), reading.identical
        done.rejected, done.examples = reading.rejected, reading.examples
        done.notes += reading.notes
        done.checksum = fingerprint_rows("bars", rows)
        if not len(rows):
            if reading.documents:
                raise SourceError(f"none of the {reading.documents:,} documents is a row; see what was rejected.")
            done.notes.append("the table is empty")
            done.status = "counted" if self.migration is None else "done"
            return
        done.first, done.last = (as_datetime(int(stamp)).isoformat() for stamp in timestamps_of(rows)[[0, -1]])
        if self.migration is not None:
            self._remember(self.migration)
        kept = self._write(rows)
        if self.migration is None:
            done.status = "counted"
            return
        self._count_writes(self.migration)
        self._check(rows.filter(~rows["timestamp"].to_physical().is_in(kept)) if kept else rows)

    # -- reading ----------------------------------------------------------------------------

    def _read(self) -> Reading:
        total = self.source.count(self.table)
        with ExitStack() as stack:
            reject = None
            if self.migration is not None:
                rejected = stack.enter_context(_Rejected(self.migration.folder / "rejected" / f"{self.table}.ndjson"))
                reject = rejected.add
            now = time.time_ns() // 1000
            reader = DocumentReader(timeframe_us(self.key.timeframe), self.choices, now, reject)
            for documents in self.source.documents(self.table):
                reader.take(documents)
                self._tell("read", reader.documents, total)
            reading = reader.finish()
        if total is not None and reading.documents != total:
            now_there = self.source.count(self.table)
            if now_there == total:
                raise SourceError(f"{self.table}: {reading.documents:,} documents came of {total:,}; run it again.")
            self.done.notes.append(
                f"the table is being written to: {total:,} documents before reading it, {now_there:,} afterwards"
            )
        return reading

    def _tell(self, phase: Phase, done: int, total: int | None) -> None:
        if self.progress is not None:
            self.progress(Progress(str(self.table), phase, done, total))

    # -- writing ----------------------------------------------------------------------------

    def _write(self, rows: pl.DataFrame) -> list[int]:
        """Write what the store lacks; the stamps of rows that it has with other values and keeps."""
        done, kept = self.done, []
        for at in range(0, len(rows), self.batch):
            part = rows.slice(at, self.batch)
            stamps = timestamps_of(part)
            old = self.store.read(self.key, int(stamps[0]), int(stamps[-1]) + 1)
            undo, other = _changes(part, old)
            done.unchanged += len(part) - len(undo)
            if self.keep:
                kept += undo["timestamp"].to_physical().filter(other).to_list()
                undo = undo.filter(~other)
            done.inserted += int((~undo[THERE]).sum())
            done.replaced += int(undo[THERE].sum())
            if self.migration is not None and len(undo):
                self.migration.add_undo(self.key, undo)
                names = [name for name in undo.columns if name != THERE and not name.startswith(BEFORE)]
                self.store.append(self.key, undo.select(names))
            self._tell("write", at + len(part), len(rows))
        done.kept = len(kept)
        return kept

    def _remember(self, migration: Migration) -> None:
        """Keep what the whole series was before the first write, for the proof that a rollback took all of it back."""
        known = migration.manifest.setdefault("before", {})
        if str(self.key) not in known:
            old = self.store.read(self.key)
            known[str(self.key)] = {"rows": len(old), "fingerprint": fingerprint_rows("bars", old)}
            migration.save()

    def _count_writes(self, migration: Migration) -> None:
        """Count over all runs of this migration: what an interrupted one wrote is there already for this one."""
        undo = migration.undo(self.key)
        if undo is None:
            return
        first = undo.unique("timestamp", keep="first")
        self.done.replaced = int(first[THERE].sum())
        self.done.inserted = len(first) - self.done.replaced
        self.done.unchanged = self.done.rows - len(first) - self.done.kept

    # -- comparing --------------------------------------------------------------------------

    def _check(self, rows: pl.DataFrame) -> None:
        done = self.done
        if not len(rows):  # all of it differs in the store, and was left
            done.status = "done"
            return
        self._tell("check", 0, len(rows))
        stamps = timestamps_of(rows)
        found = self.store.read(self.key, int(stamps[0]), int(stamps[-1]) + 1).select("timestamp", *FIELDS)
        found = found.filter(pl.Series(np.isin(timestamps_of(found), stamps, assume_unique=True)))
        done.found = len(found)
        done.checksum = fingerprint_rows("bars", rows)
        done.checksum_found = fingerprint_rows("bars", found)
        if len(found) != len(rows):
            raise StoreError(f"{self.key}: {len(found):,} rows of {len(rows):,} are in the store; run it again.")
        done.largest_difference = max(_largest(rows[name], found[name]) for name in FIELDS)
        if done.checksum != done.checksum_found:
            raise StoreError(
                f"{self.key}: the store's rows differ from the documents', by up to {done.largest_difference:g}; "
                "is another process writing to this series?"
            )
        self._tell("check", len(rows), len(rows))
        done.status = "done"


def _changes(rows: pl.DataFrame, old: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Rows that the store lacks or has otherwise, each beside what was there; and which of them it has otherwise.

    Optional columns of the old row are carried over, so that replacing prices does not lose funding.
    """
    old_stamps, new_stamps = timestamps_of(old), timestamps_of(rows)
    carried = [name for name in ALLOWED["bars"] if name in old.columns and name not in FIELDS]
    columns = [*FIELDS, *carried]
    if len(old):
        place = np.minimum(np.searchsorted(old_stamps, new_stamps), len(old) - 1)
        met = pl.Series(THERE, old_stamps[place] == new_stamps)
        beside = old[place].select(pl.when(met).then(pl.col(name)).alias(name) for name in columns)
    else:
        met = pl.Series(THERE, np.zeros(len(rows), np.bool_))
        beside = pl.DataFrame({name: pl.Series([None] * len(rows), dtype=pl.Float64) for name in columns})
    need = ~met | differences(rows, beside, FIELDS)
    undo = pl.concat(
        [rows, beside.select(carried), met.to_frame(), beside.rename({name: BEFORE + name for name in columns})],
        how="horizontal",
    ).filter(need)
    return undo, undo[THERE]


def _largest(one: pl.Series, other: pl.Series) -> float:
    difference = (one - other).abs().max()
    missing = one.null_count() + other.null_count()
    return float("inf") if missing or difference is None else float(difference)  # type: ignore[arg-type]


def _how_to_go_on(migration: Migration | None) -> str:
    if migration is None:
        return ""
    return f"Run the same again to go on with migration {migration.id}, or take it back with --rollback {migration.id}."


class _Rejected:
    """A file of the documents that are not rows, one JSON object a line; absent where there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> _Rejected:
        self._path.unlink(missing_ok=True)
        return self

    def add(self, reason: str, document: Any) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
        self._file.write(json.dumps({"reason": reason, "document": document}, ensure_ascii=False, default=str) + "\n")

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
