"""The data of the Runs app: the runs of a folder, broken ones too, and several of them side by side."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.temporary import temporary_folder
from maestro.apps.runs.opening import settings_of_run
from maestro.apps.runs.sparkline import curve_of
from maestro.apps.shared.journey import RESUME, link_to
from maestro.apps.shared.state import TRADE, named_in_link
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.errors import MaestroError, RunError
from maestro.reports.page.stored import report_text
from maestro.reports.tables.compare import Comparison, compare_runs
from maestro.runs import RunStore, annotate
from maestro.runs import remove as remove_run
from maestro.runs.annotations import FILE as ANNOTATIONS
from maestro.runs.annotations import Annotations, read_annotations
from maestro.runs.store import LOCK, MANIFEST, spec_of
from maestro.validation.verdict.result import FILE, read_verdict
from maestro.walkforward.many.result import LISTS
from maestro.walkforward.result import WalkForward, load_run

SCHEMA: dict[str, Any] = {
    "id": pl.String, "status": pl.String, "strategy": pl.String, "bars": pl.String, "sharpe_ratio": pl.Float64,
    "total_return": pl.Float64, "max_drawdown": pl.Float64, "num_trades": pl.Float64, "verdict": pl.String,
    "folds": pl.Int64, "trials": pl.Int64, "seed": pl.Int64, "started": pl.String, "seconds": pl.Float64,
    "error": pl.String, "annual_return": pl.Float64, "pinned": pl.Boolean, "tags": pl.String, "note": pl.String,
}  # fmt: skip
"""Columns of the list of runs."""
_FIGURES = ("sharpe_ratio", "total_return", "max_drawdown", "num_trades", "annual_return")
_SEARCHED = ("id", "strategy", "bars", "started", "error", "tags", "note")
KEPT = 12
"""Runs that stay loaded."""


class RunsSession:
    """The runs in one folder. A broken one is an entry with its error, never an exception of the list."""

    def __init__(self, runs_dir: str | Path = "runs") -> None:
        self.runs_dir = Path(runs_dir)
        self._seen: dict[Path, tuple[Any, dict[str, Any]]] = {}
        self._loaded: OrderedDict[str, tuple[Any, WalkForward]] = OrderedDict()

    # -- list -------------------------------------------------------------------------------

    def listing(self) -> pl.DataFrame:
        """Return the runs, pinned ones and then the newest first, by the columns of `SCHEMA`.

        Broken ones are rows with what is wrong.
        """
        if not self.runs_dir.is_dir():
            return pl.DataFrame(schema=SCHEMA)
        rows, seen = [], {}
        for folder in sorted(self.runs_dir.iterdir()):
            if folder.name.startswith(".") or folder.name == LISTS or not folder.is_dir():
                continue  # LISTS holds the results of walk_forward_many
            stamp = _stamp(folder)
            known = self._seen.get(folder)
            row = known[1] if known is not None and known[0] == stamp else self._row(folder)
            seen[folder] = (stamp, row)
            rows.append(row)
        self._seen = seen
        table = pl.DataFrame(rows, schema=SCHEMA).with_columns(pl.col("pinned").fill_null(False))
        return table.sort("pinned", "started", "id", descending=[True, True, False], nulls_last=True)

    def _row(self, folder: Path) -> dict[str, Any]:
        try:
            if not (folder / MANIFEST).exists():
                return {"id": folder.name, "status": "broken", "error": f"there is no {MANIFEST} in {folder}."}
            store, own = RunStore(folder), _own(folder)
            manifest = store.manifest()
            spec, figures = spec_of(manifest), manifest.get("metrics") or {}
            status, error = store.status_of(manifest), None
            if status != "done":
                error = f"{len(store.finished_folds())} of {manifest['n_folds']} folds are finished"
                error += "; the same walk-forward continues it." if status == "interrupted" else "."
            missing = [
                f"{name}.parquet" for name in manifest.get("sha256", ()) if not (folder / f"{name}.parquet").exists()
            ]
            if missing:
                error = f"{', '.join(missing)} is missing."
            return {
                "id": folder.name, "status": "broken" if missing else status,
                "strategy": spec.strategy, "bars": spec.bars.name, "folds": manifest["n_folds"],
                "trials": spec.trials, "seed": spec.seed,
                "started": str(manifest["started"])[:19].replace("T", " "),
                "seconds": manifest.get("seconds"), "error": error, "verdict": _verdict(folder),
                "pinned": own.pinned, "tags": ", ".join(own.tags), "note": own.note,
                **{name: figures.get(name) for name in _FIGURES},
            }  # fmt: skip
        except (MaestroError, OSError, KeyError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, (MaestroError, OSError)) else f"{type(error).__name__}: {error}"
            return {"id": folder.name, "status": "broken", "error": reason}

    def filtered(self, text: str = "", strategy: str = "", status: str = "") -> pl.DataFrame:
        """Rows of the list whose id, strategy, series, start, error, tags or note contain every word of `text`."""
        table = self.listing()
        for name, wanted in (("strategy", strategy), ("status", status)):
            if wanted:
                table = table.filter(pl.col(name) == wanted)
        for word in text.lower().split():
            columns = [
                pl.col(name).fill_null("") for name in ("id", "strategy", "bars", "started", "error", "tags", "note")
            ]
            table = table.filter(
                pl.concat_str(columns, separator=" ").str.to_lowercase().str.contains(word, literal=True)
            )
        return table

    def curves(self, table: pl.DataFrame) -> pl.DataFrame:
        """Efficiency and out-of-sample equity of the finished runs of a list, by id; files are read once."""
        rows = []
        for run, annual_return in table.filter(pl.col("status") == "done").select("id", "annual_return").iter_rows():
            folder = self.runs_dir / run
            known = math.nan if annual_return is None else annual_return
            rows.append((run, *curve_of(folder.resolve(), _stamp(folder), known)))
        return pl.DataFrame(rows, schema={"id": pl.String, "efficiency": pl.Float64, "curve": pl.String}, orient="row")

    def annotate(self, runs: Sequence[str], **changes: Any) -> dict[str, str]:
        """Tag, note or pin runs, as `ms.runs.annotate`; returns what could not be changed, and why."""
        refused = {}
        for run in runs:
            try:
                annotate(self._folder(run), **changes)
            except MaestroError as error:
                refused[run] = str(error)
        return refused

    # -- one run ----------------------------------------------------------------------------

    def load(self, run: str) -> WalkForward:
        """Return a finished run; `RunError` says what is wrong with it."""
        folder = self._folder(run)
        stamp = _stamp(folder)
        kept = self._loaded.get(run)
        if kept is not None and kept[0] == stamp:
            self._loaded.move_to_end(run)
            return kept[1]
        wf = load_run(folder)
        self._loaded[run] = (stamp, wf)
        while len(self._loaded) > KEPT:
            self._loaded.popitem(last=False)
        return wf

    def _folder(self, run: str) -> Path:
        """Folder of a run of this list: a name, and nothing that leads elsewhere."""
        if not run or Path(run).name != run or run.startswith(".") or not (self.runs_dir / run).is_dir():
            raise RunError(f"there is no run {run!r} in {self.runs_dir} any more; look at the list again.")
        return self.runs_dir / run

    def link(self, run: str, *, resume: bool = False) -> str:
        """Address of the Walk-forward app with the settings of a run, where it is shown; `resume` also resumes it.

        Raises
        ------
        MaestroError
            It cannot be opened there; the message says why.
        """
        settings = settings_of_run(self._folder(run))
        names = [name for name in settings if name not in TRADE]
        more = {name: settings.pop(name) for name in names}
        resumes = {RESUME: True} if resume else {}
        changed = named_in_link(more, WalkForwardState().usual())
        return link_to("walk_forward", settings, fixed=True, **changed, **resumes)

    def report(self, run: str) -> str:
        """Text of a run's report, one page that needs no network."""
        self._folder(run)
        return report_text(self.load(run))

    def workbook(self, run: str) -> bytes:
        """Return a run as an Excel workbook."""
        with temporary_folder("workbook") as folder:
            return self.load(run).export(folder / "run.xlsx").read_bytes()

    def remove(self, runs: Sequence[str]) -> dict[str, str]:
        """Move runs to the trash; returns what could not be moved, and why."""
        refused = {}
        for run in runs:
            try:
                folder = self._folder(run)
                if not (folder / MANIFEST).exists():
                    raise RunError(f"{folder} has no {MANIFEST}, so it may be anything; remove it by hand.")
                remove_run(run, self.runs_dir)
                self._loaded.pop(run, None)
            except MaestroError as error:
                refused[run] = str(error)
        return refused

    # -- several ----------------------------------------------------------------------------

    def compare(self, runs: Sequence[str], *, common: bool = False) -> Comparison:
        """Put runs side by side, as `compare_runs` does.

        Raises
        ------
        RunError
            One of them cannot be loaded.
        SettingsError
            None was chosen, or with `common` there is no common stretch.
        """
        return compare_runs([self.load(run) for run in runs], common=common)


def _own(folder: Path) -> Annotations:
    """Tags, note and pin of a run; damaged ones are reported in place of the note."""
    try:
        return read_annotations(folder)
    except RunError as error:
        return Annotations(note=str(error))


def _verdict(folder: Path) -> str | None:
    """Conclusion of the verdict that was made of a run; None before that."""
    try:
        found = read_verdict(folder, folder.name)
    except RunError:
        return "damaged"
    return None if found is None else found.name


def _stamp(folder: Path) -> Any:
    """What changes when a run does: manifest, tables, finished folds, verdict, annotations, the lock in use."""
    stamps = []
    for path in (folder, folder / MANIFEST, folder / "partial", folder / LOCK, folder / FILE, folder / ANNOTATIONS):
        try:
            found = path.stat()
            stamps.append((found.st_mtime_ns, found.st_size))
        except OSError:
            stamps.append((0, 0))
    return tuple(stamps)
