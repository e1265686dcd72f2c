"""The journal of a migration: each step is recorded on disk first, so that it can be resumed and rolled back."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.atomic import remove_leftovers, write_atomic
from maestro._core.json import dumps
from maestro._core.locks import locked
from maestro._core.seal import read_sealed, sealed
from maestro.data.stores.keys import SeriesKey
from maestro.data.stores.manifest import make_folder
from maestro.errors import SettingsError, StoreDamagedError, StoreLockedError, nearest

BEFORE = "before:"
THERE = "there"
_MANIFEST = "manifest.json"
_FORMAT = 2  # the first format with a checksum


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration on disk: ``ID/manifest.json``, and in ``ID/undo`` what each batch wrote and what was there before.

    Attributes
    ----------
    folder : Path
    manifest : dict, of JSON: id, identity, source, target, choices, begun, status, tables
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        """Moment and hash: ``20261123-014812-3f9a1c02``."""
        return str(self.manifest["id"])

    def save(self) -> None:
        """Write the manifest, sealed."""
        self.manifest["updated"] = _now().isoformat(timespec="seconds")
        write_atomic(self.folder / _MANIFEST, sealed(dumps({**self.manifest, "format": _FORMAT}, indent=1)))

    def write(self, name: str, content: str) -> Path:
        """Write a file for people into the folder."""
        write_atomic(self.folder / name, content.encode())
        return self.folder / name

    def add_undo(self, key: SeriesKey, rows: pl.DataFrame) -> None:
        """Keep what is about to be written, and what was there; on disk for good when this returns."""
        folder = self._undo(key)
        make_folder(folder, self.folder)
        remove_leftovers(folder)
        content = io.BytesIO()
        rows.write_parquet(content, statistics=False)
        name = f"{len(self._batches(key)):06d}-{_digest(content.getvalue())}.parquet"
        write_atomic(folder / name, content.getvalue())

    def undo(self, key: SeriesKey) -> pl.DataFrame | None:
        """All batches of a series, in the order in which they were written; None where there is none.

        Raises
        ------
        StoreDamagedError
            A file that is missing, was changed or cannot be read.
        """
        frames = []
        for number, path in enumerate(self._batches(key)):
            try:
                content = path.read_bytes()
                count, _, digest = path.stem.partition("-")
                if int(count) != number:
                    raise StoreDamagedError(
                        f"batch {number:06d} of {path.parent} is missing; restore it from a backup."
                    )
                if digest and digest != _digest(content):  # earlier versions wrote none
                    raise StoreDamagedError(f"{path} was changed after it was written; restore it from a backup.")
                frames.append(pl.read_parquet(io.BytesIO(content)))
            except (pl.exceptions.PolarsError, OSError, ValueError) as error:
                raise StoreDamagedError(f"{path} cannot be read ({str(error).splitlines()[0]}).") from None
        return pl.concat(frames, how="diagonal") if frames else None

    def undo_keys(self) -> list[SeriesKey]:
        """Series of which something was written."""
        folder = self.folder / "undo"
        found = [SeriesKey.from_path(tuple(one.name.split("~"))) for one in sorted(folder.glob("*"))]
        return [key for key in found if key is not None]

    def _undo(self, key: SeriesKey) -> Path:
        return self.folder / "undo" / "~".join(key.path)

    def _batches(self, key: SeriesKey) -> list[Path]:
        return sorted(self._undo(key).glob("*.parquet"))


@contextmanager
def begin(root: Path, identity: dict[str, Any], *, again: bool = False) -> Iterator[tuple[Migration, bool]]:
    """Go on with the unfinished migration of the same identity, or begin one; nobody else can meanwhile.

    Parameters
    ----------
    root : Path
        Where migrations are kept.
    identity : dict, of JSON
        What makes it the same: source, target, choices.
    again : bool
        Begin a new one in any case.

    Yields
    ------
    Migration, and whether it goes on with an unfinished one
    """
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]
    make_folder(root, root.parent)
    with locked(root / f".lock-{digest}", _refuse("this migration")):
        same = [one for one in migrations(root) if one.manifest["identity"] == digest]
        unfinished = [one for one in same if one.manifest["status"] == "unfinished"]
        if unfinished and not again:
            yield unfinished[-1], True
            return
        now = _now()
        name = f"{now:%Y%m%d-%H%M%S}-{digest}"
        while (root / name).exists():
            name += "b"
        make_folder(root / name, root)
        started = now.isoformat(timespec="seconds")
        migration = Migration(
            root / name,
            {"id": name, "identity": digest, **identity, "begun": started, "status": "unfinished", "tables": {}},
        )
        migration.save()
        yield migration, False


@contextmanager
def reopen(root: Path, name: str) -> Iterator[Migration]:
    """Open a migration by its id; nobody else can meanwhile.

    Raises
    ------
    SettingsError
        There is none of that id.
    StoreLockedError
        It is running.
    """
    known = {one.id: one for one in migrations(root)}
    if name not in known:
        raise SettingsError(
            f"there is no migration {name!r} in {root}; there are: {', '.join(known) or 'none'}.{nearest(name, known)}"
        )
    digest = known[name].manifest["identity"]
    with locked(root / f".lock-{digest}", _refuse(f"migration {name}")):
        yield Migration(root / name, _manifest(root / name))


def migrations(root: Path) -> list[Migration]:
    """All migrations, the oldest first."""
    folders = [path.parent for path in sorted(root.glob(f"*/{_MANIFEST}"))]
    return [Migration(folder, _manifest(folder)) for folder in folders]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = read_sealed((folder / _MANIFEST).read_bytes(), since=_FORMAT)
        if not {"id", "identity", "status", "tables", "target"} <= found.keys():
            raise ValueError("it lacks fields")
        if found["id"] != folder.name:
            raise ValueError(f"it is that of migration {found['id']}")
        return found
    except (OSError, ValueError, AttributeError) as error:
        raise StoreDamagedError(f"{folder / _MANIFEST} cannot be read ({error}); restore it from a backup.") from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _refuse(what: str) -> Callable[[str], StoreLockedError]:
    return lambda holder: StoreLockedError(f"{what} is being written by {holder}; wait until that has ended.")


def _now() -> datetime:
    return datetime.now(UTC)
