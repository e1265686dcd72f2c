"""Where everything lies that a backup holds, and where it lies after a restore."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro.config import Settings
from maestro.data.stores import questdb_server
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
        The store is a server whose files are not on this machine, so that no consistent copy can be made here.
    """
    target, root = settings.store, settings.servers.questdb.home / "root"
    uses_questdb = target.startswith("questdb")
    if uses_questdb and not root.is_dir():
        raise SettingsError(
            f"bars are kept in {target.rsplit('@', 1)[-1]}, whose files are not in {root}; run the backup on the "
            "machine of the server, with servers.questdb.home set to the parent of its root folder."
        )
    running = questdb_server.status(settings.servers.questdb.home) is not None
    return Places(
        service=settings.service.folder,
        service_runs=service_runs or settings.service.folder / "runs",
        runs=settings.runs_dir,
        ledger=settings.ledger_dir,
        store=None if uses_questdb else Path(target),
        questdb=root if uses_questdb or running else None,
        settings=settings.file,
    )


def restored_settings(original: Path | None, folder: Path) -> str:
    """Return the text of ``maestro.yaml`` for a restored system: the original settings with the restored places."""
    import yaml

    from maestro.config.file import read_file

    values: dict[str, Any] = {name: raw for name, raw, _ in read_file(original)} if original else {}
    for name, part in LAYOUT.items():
        keeps_server = name == "store" and str(values.get("store", "")).startswith("questdb")
        if (folder / part).is_dir() and not keeps_server:
            values[name] = part
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *sections, last = name.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return "# Settings of a restored backup; paths are relative to this folder.\n" + yaml.safe_dump(nested)
