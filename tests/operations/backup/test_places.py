"""What a backup copies: the folder of every spelling of the store, and the settings of a restored system."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from maestro.config import load_settings
from maestro.errors import SettingsError
from maestro.operations.backup.places import places_of, restored_settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STORE", "RUNS_DIR", "LEDGER_DIR", "SERVICE_FOLDER"):
        monkeypatch.delenv(f"MAESTRO_{name}", raising=False)
    monkeypatch.setenv("MAESTRO_QUESTDB_HOME", str(tmp_path / "questdb-home"))


@pytest.mark.parametrize("store", ["bars", "parquet:bars", "{here}/bars", "parquet:{here}/bars"])
def test_every_spelling_of_a_folder_is_its_folder(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_STORE", store.format(here=tmp_path))
    found = places_of(load_settings())
    assert found.store == tmp_path / "bars"
    assert found.questdb is None


def test_a_folder_whose_name_begins_like_a_server_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_STORE", "questdb-files")
    assert places_of(load_settings()).store == tmp_path / "questdb-files"


def test_a_server_is_copied_where_its_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_STORE", "questdb://me:secret@elsewhere:9000")
    with pytest.raises(SettingsError, match=r"kept in elsewhere:9000, whose files are not in .*questdb-home") as error:
        places_of(load_settings())
    assert "secret" not in str(error.value)
    (tmp_path / "questdb-home" / "root").mkdir(parents=True)
    found = places_of(load_settings())
    assert (found.store, found.questdb) == (None, tmp_path / "questdb-home" / "root")


def test_a_store_that_cannot_be_copied_is_refused_and_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_STORE", "rethinkdb://me:secret@host/bars")
    with pytest.raises(SettingsError, match=r"host/bars, which a backup cannot copy; .*MAESTRO_STORE") as error:
        places_of(load_settings())
    assert "secret" not in str(error.value)


def test_runs_of_the_service_are_below_it_by_default(tmp_path: Path) -> None:
    (tmp_path / "maestro.yaml").write_text("service:\n  folder: jobs\nruns_dir: own\n")
    found = places_of(load_settings())
    assert (found.service, found.service_runs) == (tmp_path / "jobs", tmp_path / "jobs" / "runs")
    assert found.runs == tmp_path / "own"
    assert found.settings == tmp_path / "maestro.yaml"
    assert places_of(load_settings(), tmp_path / "x").service_runs == tmp_path / "x"


def test_restored_settings_are_the_original_ones_with_the_restored_folders(tmp_path: Path) -> None:
    original = tmp_path / "maestro.yaml"
    original.write_text("store: parquet:/old/bars\nsearch:\n  trials: 123\nservice:\n  quota: 3\n")
    target = tmp_path / "new"
    for part in ("store", "service"):
        (target / part).mkdir(parents=True)
    values = yaml.safe_load(restored_settings(original, target))
    assert values == {"store": "store", "search": {"trials": 123}, "service": {"quota": 3, "folder": "service"}}


def test_restored_settings_keep_a_server_and_need_no_original(tmp_path: Path) -> None:
    original = tmp_path / "maestro.yaml"
    original.write_text("store: questdb\n")
    (tmp_path / "new" / "questdb").mkdir(parents=True)
    values = yaml.safe_load(restored_settings(original, tmp_path / "new"))
    assert values == {"store": "questdb", "servers": {"questdb": {"home": "questdb"}}}
    assert yaml.safe_load(restored_settings(None, tmp_path / "new")) == {"servers": {"questdb": {"home": "questdb"}}}
