"""A run on disk: manifest and tables, one file per finished fold while it runs, a lock while it is in use."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.atomic import remove_leftovers, sync_folder, target_name
from maestro._core.formatting import listed
from maestro._core.locks import holder as lock_holder
from maestro._core.locks import is_held, locked
from maestro._core.parquet import parquet_bytes
from maestro.errors import RunBusyError, RunError, nearest
from maestro.runs.folds import UnusableFold, fold_bytes, read_fold_bytes
from maestro.runs.identity import run_id
from maestro.runs.spec import RunSpec, check_schema
from maestro.runs.writing import named_errors, write_file

TABLES = ("trials", "folds", "equity", "trades")
MANIFEST = "manifest.json"
LOCK = ".lock"
FETCHED = "fetched.json"
_FOLD = re.compile("[0-9]{4,9}")
_ID = re.compile("[0-9a-f]{16}")
_OWN = {MANIFEST, LOCK, "partial", "verdict.json", "report.html", "tearsheet.html", "robustness.html", FETCHED,
        "annotations.json", ".annotations.lock", *(f"{name}.parquet" for name in TABLES)}  # fmt: skip
"""What the folder of a run holds."""
_NEEDED = ("id", "status", "spec", "n_folds", "versions", "started")


def is_run_id(text: str) -> bool:
    """Whether a text has the form of a run's id."""
    return _ID.fullmatch(text) is not None


class RunStore:
    """One run's folder, ``runs/<id>/``.

    While the run goes on: ``manifest.json`` (status ``running``), ``partial/NNNN.zip`` a finished fold, ``.lock``.
    At the end: ``trials.parquet``, ``folds.parquet``, ``equity.parquet``, ``trades.parquet``, and the manifest with
    their SHA-256, its own, and status ``done``, written last.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def exists(self) -> bool:
        """Whether the folder holds a manifest."""
        return (self.folder / MANIFEST).exists()

    # -- reading ----------------------------------------------------------------------------

    def manifest(self) -> dict[str, Any]:
        """Return the manifest.

        Raises
        ------
        RunSchemaError
            Another version of Maestro wrote it in a form that this one does not read.
        RunError
            There is none, or it is damaged.
        """
        path = self.folder / MANIFEST
        if not path.exists():
            raise RunError(f"no run is stored in {self.folder}; ms.runs.list_runs() shows those that are.")
        try:
            content = path.read_bytes()
            found = json.loads(content)
        except (OSError, ValueError) as error:
            raise RunError(self._damaged(path, str(error))) from error
        if isinstance(found, dict):
            _check_schema(found)
        missing = [key for key in _NEEDED if key not in found] if isinstance(found, dict) else ["everything"]
        if not missing and found["status"] == "done" and "sha256" not in found:
            missing = ["sha256"]
        if missing:
            raise RunError(self._damaged(path, f"it lacks {', '.join(missing)}"))
        try:
            same = run_id(found["spec"], found["versions"]["maestro"]) == found["id"]
        except (TypeError, KeyError):
            same = False
        if not same:
            raise RunError(self._damaged(path, "its spec is not that of its id"))
        if "seal" not in found:
            why = (
                f"it has no seal: an early build of Maestro {found['versions']['maestro']} wrote it, or it was changed"
            )
            raise RunError(self._damaged(path, why))
        if found.pop("seal") is None or _sealed(content.rpartition(_SEAL)[0]) != content:
            raise RunError(self._damaged(path, "it was changed after it was written"))
        return found

    def status(self) -> str:
        """``missing``, ``done``, ``running`` in some process, or ``interrupted`` (cancelled, stopped or killed)."""
        if not os.path.exists(self.folder / MANIFEST):
            return "missing"
        return self.status_of(self.manifest())

    def status_of(self, manifest: Mapping[str, Any]) -> str:
        """`status` of a run whose manifest was read."""
        if manifest["status"] == "running" and not is_held(self.folder / LOCK):
            return "interrupted"
        return str(manifest["status"])

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the tables of a finished run, checked against the manifest.

        Raises
        ------
        RunError
            Unfinished, or a file is missing or damaged.
        """
        manifest = self.manifest()
        if manifest["status"] != "done":
            raise RunError(
                f"run {self.id} is not finished ({len(self.finished_folds())} of {manifest['n_folds']} folds); "
                "the same walk-forward continues it."
            )
        tables = {}
        for name in TABLES:
            path = self.folder / f"{name}.parquet"
            try:
                content = path.read_bytes()
            except OSError as error:
                raise RunError(self._damaged(path, str(error.strerror))) from error
            if hashlib.sha256(content).hexdigest() != manifest["sha256"].get(name):
                raise RunError(self._damaged(path, "its content is not what was written"))
            tables[name] = pl.read_parquet(io.BytesIO(content))
        return tables

    def finished_folds(self) -> list[int]:
        """Numbers of the folds that an unfinished run has on disk."""
        return sorted(int(path.stem) for path in (self.folder / "partial").glob("*.zip") if _FOLD.fullmatch(path.stem))

    def read_fold(self, fold: int) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
        """Return a finished fold's plain values and tables.

        Raises
        ------
        UnusableFold
            The file is damaged, or is not this fold of this run.
        """
        try:
            content = self._fold_path(fold).read_bytes()
        except OSError as error:
            raise UnusableFold(f"cannot be read ({error.strerror})") from error
        return read_fold_bytes(content, self.id, fold)

    def _damaged(self, path: Path, why: str) -> str:
        return (
            f"{path} is damaged ({why}); put the file back from a copy, or compute the run again: "
            f"walk_forward(…, force=True), or `maestro runs remove {self.id} --runs-dir {self.folder.parent}` first."
        )

    def spec(self) -> RunSpec:
        """Return the specification of the run; errors as of `manifest`."""
        return spec_of(self.manifest())

    def fetched_from(self) -> str:
        """Address of the service that the run was fetched from; empty for a run that was computed here."""
        try:
            return str(json.loads((self.folder / FETCHED).read_bytes())["url"])
        except (OSError, ValueError, KeyError, TypeError):  # it explains a ledger elsewhere, nothing depends on it
            return ""

    def note_fetched(self, url: str) -> None:
        """Note that the run was fetched from a service, where its ledger is."""
        write_file(self.folder / FETCHED, _json({"url": url}))

    def check_is_run(self, otherwise: str) -> None:
        """Check that the folder is a run, whole or damaged.

        A damaged manifest proves nothing, so the folder must then have the name of a run and hold files of a run only.

        Parameters
        ----------
        otherwise : str
            What follows if it is not, for the message.

        Raises
        ------
        RunError
            It is not provably a run.
        """
        try:
            if self.manifest()["id"] == self.id:
                return
            why = "the id in its manifest is another one"
        except RunError:
            why = self._not_a_damaged_run()
            if not why:
                return
        raise RunError(f"{self.folder} is not provably a run ({why}), so {otherwise}.")

    def _not_a_damaged_run(self) -> str:
        """Return why a folder whose manifest cannot be used is not a run; empty where it is."""
        if not is_run_id(self.id):
            return "its name is not the id of a run"
        others = sorted(path.name for path in self.folder.iterdir()
                        if path.name not in _OWN and target_name(path.name) is None)  # fmt: skip
        if others:
            return f"it holds {', '.join(others[:3])}"
        try:
            kind = json.loads((self.folder / MANIFEST).read_bytes()).get("maestro")
        except (OSError, ValueError, AttributeError):
            return ""
        return f"it is a {kind} of Maestro" if kind else ""

    # -- writing ----------------------------------------------------------------------------

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the lock of a killed process is free.

        Raises
        ------
        RunBusyError
            Another process works on it.
        RunError
            The folder cannot be written.
        """
        path = self.folder / LOCK
        busy = f"another process works on run {self.id} in {self.folder.parent}; "
        removed = RunBusyError(f"{busy}it was removed at this moment, start again.")

        def refuse(holder: str) -> RunError:
            return (
                RunBusyError(f"{busy}wait for it, or give another runs_dir ({holder}).") if path.exists() else removed
            )

        with contextlib.ExitStack() as stack:
            with named_errors(self.folder, "create"):
                self.folder.mkdir(parents=True, exist_ok=True)
                try:
                    stack.enter_context(locked(path, refuse))
                except FileNotFoundError:
                    raise removed from None
                if not lock_holder(path).startswith(f"process {os.getpid()} "):  # the folder was moved
                    raise removed
            yield

    def begin(self, manifest: dict[str, Any], *, afresh: bool = False) -> None:
        """Write the manifest of a run that begins or goes on; `afresh` drops the folds that are there.

        Raises
        ------
        RunError
            The folder cannot be written to, or with `afresh` is not provably a run.
        """
        if afresh and self.exists:
            self.check_is_run("it is not computed again; choose another runs_dir")
        with named_errors(self.folder, "clear"):
            partial = self.folder / "partial"
            if afresh and partial.exists():
                shutil.rmtree(partial)
            remove_leftovers(self.folder)
            remove_leftovers(partial)
            (self.folder / FETCHED).unlink(missing_ok=True)
        write_file(self.folder / MANIFEST, _manifest({**manifest, "status": "running"}))

    def write_fold(self, fold: int, meta: dict[str, Any], frames: dict[str, pl.DataFrame]) -> None:
        """Write a finished fold, whole."""
        write_file(self._fold_path(fold), fold_bytes(self.id, fold, meta, frames))

    def finish(self, manifest: dict[str, Any], tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
        """Write the tables, then the manifest that vouches for them; returns the manifest as written."""
        sums = {}
        for name in TABLES:
            content = parquet_bytes(tables[name])
            sums[name] = hashlib.sha256(content).hexdigest()
            write_file(self.folder / f"{name}.parquet", content, sync=False)
        with named_errors(self.folder, "write"):
            sync_folder(self.folder)  # once for all tables, before the manifest that names them
        done = {**manifest, "status": "done", "sha256": sums}
        write_file(self.folder / MANIFEST, _manifest(done))
        shutil.rmtree(self.folder / "partial", ignore_errors=True)
        return done

    def _fold_path(self, fold: int) -> Path:
        return self.folder / "partial" / f"{fold:04d}.zip"


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, default=str) + "\n").encode()


_SEAL = b',\n "seal": "'


def _manifest(values: dict[str, Any]) -> bytes:
    """A manifest as it stands on disk, with the SHA-256 of all of it in its last line."""
    return _sealed(_json(values)[: -len("\n}\n")])


def _sealed(text: bytes) -> bytes:
    return text + _SEAL + hashlib.sha256(text).hexdigest().encode() + b'"\n}\n'


def _check_schema(manifest: dict[str, Any]) -> None:
    """Refuse the form of another version before anything in it is called damaged."""
    spec, versions = manifest.get("spec"), manifest.get("versions")
    if isinstance(spec, dict):
        check_schema(spec, str(versions.get("maestro", "")) if isinstance(versions, dict) else "")


def spec_of(manifest: Mapping[str, Any]) -> RunSpec:
    """Return the specification in a manifest.

    Raises
    ------
    RunSchemaError
        Another version of Maestro wrote it in a form that this one does not read.
    RunError
        A field is missing, unknown or of the wrong type.
    """
    return RunSpec.from_dict(manifest["spec"], written_by=str(manifest["versions"]["maestro"]))


def find(id_or_path: str | Path, runs_dir: str | Path = "runs") -> RunStore:
    """Return the store of a run by its id, an unambiguous beginning of it, or its folder.

    Raises
    ------
    RunError
        There is none, or several begin like this.
    """
    path = Path(id_or_path)
    if os.path.exists(path / MANIFEST):  # False for a name that is too long, where a path raises
        return RunStore(path.resolve())
    known = [p.name for p in run_folders(Path(runs_dir))]
    hits = [name for name in known if name == str(id_or_path)] or [n for n in known if n.startswith(str(id_or_path))]
    if len(hits) == 1 and str(id_or_path):
        return RunStore(Path(runs_dir) / hits[0])
    if hits and str(id_or_path):
        raise RunError(f"{len(hits)} runs begin with {str(id_or_path)!r} ({', '.join(hits[:5])}); give more of the id.")
    raise RunError(
        f"no run {str(id_or_path)!r} in {Path(runs_dir)}; there are: {listed(known, 5) or 'none'}."
        + nearest(str(id_or_path), known)
    )


def run_folders(runs_dir: Path) -> list[Path]:
    """Folders directly below a runs directory that hold a manifest, in order of their names."""
    if not os.path.isdir(runs_dir):
        return []
    return sorted(path for path in runs_dir.iterdir() if (path / MANIFEST).exists())
