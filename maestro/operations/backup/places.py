"""Paths of the parts of a running system that a backup copies, and their paths after a restore."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro.config import Settings
from maestro.data.stores import ParquetStore, QuestDBStore, open_store, questdb_server
from maestro.errors import SettingsError

SETTINGS = "maestro.yaml"
LAYOUT = {
    "store": "store",
    "runs_dir": "runs",
    "ledger_dir": "ledger",
    "service.folder": "service",
    "servers.questdb.home": "questdb",
}
"""Folder of each part in a backup and after a restore, by the setting that names it."""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files of a running system; None where a part does not exist."""

    service: Path
    service_runs: Path
    runs: Path
    ledger: Path
    store: Path | None
    questdb: Path | None
    """Root folder of the QuestDB server, if bars are kept in one."""
    settings: Path | None


def places_of(settings: Settings, service_runs: Path | None = None) -> Places:
    """Return the places that the settings name.

    Raises
    ------
    SettingsError
        The store is a server whose files are not on this machine, or neither QuestDB nor a folder of Parquet files, so
        that no consistent copy can be made here.
    """
    root = settings.servers.questdb.home / "root"
    folder = parquet_folder(settings)
    if folder is None and not root.is_dir():
        raise SettingsError(
            f"bars are kept in {_shown(settings)}, whose files are not in {root}; run the backup on the "
            "machine of the server, with servers.questdb.home set to the parent of its root folder."
        )
    running = questdb_server.status(settings.servers.questdb.home) is not None
    return Places(
        service=settings.service.folder,
        service_runs=service_runs or settings.service.folder / "runs",
        runs=settings.runs_dir,
        ledger=settings.ledger_dir,
        store=folder,
        questdb=root if folder is None or running else None,
        settings=settings.file,
    )


def parquet_folder(settings: Settings) -> Path | None:
    """Return the folder of the configured store; None if bars are kept in QuestDB.

    Raises
    ------
    SettingsError
        It is a store of another kind, which Maestro cannot copy.
    """
    with contextlib.closing(open_store(None, settings, cached=False)) as store:
        if isinstance(store, ParquetStore):
            return store.root
        if isinstance(store, QuestDBStore):
            return None
    raise SettingsError(
        f"bars are kept in {_shown(settings)}, which a backup cannot copy; back it up by its own means, and run this "
        "with MAESTRO_STORE set to an empty folder for everything else."
    )


def _shown(settings: Settings) -> str:
    return settings.store.rsplit("@", 1)[-1]


def restored_settings(original: Path | None, folder: Path) -> str:
    """Return the text of ``maestro.yaml`` for a restored system: the original settings with the restored places."""
    import yaml

    from maestro.config.file import read_file

    values: dict[str, Any] = {name: raw for name, raw, _ in read_file(original)} if original else {}
    values |= {name: part for name, part in LAYOUT.items() if (folder / part).is_dir()}
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *sections, last = name.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return "# Settings of a restored backup; paths are relative to this folder.\n" + yaml.safe_dump(nested)
