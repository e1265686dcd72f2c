"""``maestro backup`` creates, lists, verifies and restores backups; its exit codes say whether one is good."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro.runs import list_runs
from tests.cli.commands import Done, fits
from tests.operations.backup.conftest import System, system

__all__ = ["system"]  # the fixture


@pytest.fixture
def here(run: Callable[..., Done], system: System, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Commands run in the folder of the system."""
    monkeypatch.chdir(system.folder)
    return run


def test_a_backup_from_its_creation_to_a_restored_folder(
    here: Callable[..., Done], system: System, tmp_path: Path
) -> None:
    made = here("backup", "create")
    assert (made.code, made.err) == (0, "")
    name, count = re.fullmatch(r"(maestro-\d{8}-\d{6}): (\d+) files, [\d.]+ MB, in \S+\n", made.out).groups()  # type: ignore[union-attr]
    listed = here("backup", "list")
    assert listed.code == 0
    assert fits(listed.out)
    assert re.search(rf"^{name} .* {count} ", listed.out, re.M)
    [row] = json.loads(here("backup", "list", "--json").out)["backups"]
    assert (row["name"], row["files"]) == (name, int(count))
    found = here("backup", "verify", name[:12], "--json")
    document = json.loads(found.out)
    assert (found.code, document["good"], document["repeated"]) == (0, True, list_runs("service/runs")["id"][0])
    assert (document["rows"], document["jobs"], document["ledgers"]) == (500, 2, 2)
    place = tmp_path / "restored"
    restored = here("backup", "restore", "--to", str(place))
    assert restored.code == 0
    assert restored.out.startswith(f"{name} is in {place}: {count} files, ")
    assert restored.out.endswith(f"to use them: cd {place}\n")
    assert (place / "service" / "service.db").is_file()
    again = json.loads(here("backup", "create", "--keep", "1", "--json").out)
    assert again["removed"] == [name]


def test_a_damaged_backup_is_listed_as_such_and_is_not_good(here: Callable[..., Done], system: System) -> None:
    path = next((system.folder / "store").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-9])
    assert here("backup", "create").code == 0
    bad = here("backup", "verify")
    assert bad.code == 1
    assert "is not good: " in bad.out
    assert f"! {path.name}"[:6] in bad.out or path.name in " ".join(bad.out.split())
    [archive] = (system.folder / "backups").glob("maestro-*")
    archive.write_bytes(b"")
    listed = here("backup", "list")
    assert listed.code == 1
    assert "damaged" in listed.out
    assert here("backup", "list", "--json").code == 1


def test_nothing_is_overwritten(here: Callable[..., Done], system: System) -> None:
    system.back_up()
    before = sorted(system.folder.rglob("*"))
    full = here("backup", "restore", "--to", str(system.folder))
    assert (full.code, full.out) == (1, "")
    assert "is not empty, and a restore never overwrites" in full.err
    missing = here("backup", "restore")
    assert (missing.code, missing.out) == (2, "")
    assert "--to is missing; give an empty or new folder to restore to" in missing.err
    assert sorted(system.folder.rglob("*")) == before


def test_without_anything_to_back_up_or_any_backup(
    run: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("store", "ledger_dir", "service_folder", "backup_folder", "questdb_home"):
        monkeypatch.setenv(f"MAESTRO_{name.upper()}", str(tmp_path / name))
    nothing = run("backup", "create")
    assert (nothing.code, "there is nothing to back up" in nothing.err) == (1, True)
    none = run("backup", "list")
    assert (none.code, "No backup in" in none.out) == (0, True)
    assert json.loads(run("backup", "list", "--json").out)["backups"] == []
    assert "there is no backup in" in run("backup", "verify").err
    wrong = run("backup", "create", "--keep", "0")
    assert (wrong.code, "greater than or equal to 1, not '0'" in wrong.err) == (2, True)
    (tmp_path / "file").write_text("")
    wrong = run("backup", "list", "--at", "file")
    assert (wrong.code, wrong.out, wrong.err.count("\n")) == (2, "", 1)
    assert "--at file is not a folder" in wrong.err
