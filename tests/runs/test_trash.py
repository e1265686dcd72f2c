"""Removing a run: into the trash and back, and nothing that is not provably a run of its directory."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.data.stores import ParquetStore, SeriesKey
from maestro.errors import RunError
from maestro.runs import (
    RunStore,
    empty_trash,
    find_stored,
    list_backtests,
    list_runs,
    remove,
    restore,
    trashed,
)
from maestro.runs.backtests import BacktestStore
from tests.support.backtests import stored
from tests.support.rules import RISING, THREE, Cross, same


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    return ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path_factory.mktemp("runs"))


@pytest.fixture
def runs(made: ms.WalkForward, tmp_path: Path) -> Path:
    """A runs directory with one run, inside a project of something else."""
    assert made.folder is not None
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "manifest.json").write_text('{"name": "another program"}')
    (tmp_path / "project" / "thesis.txt").write_text("mine")
    shutil.copytree(made.folder, tmp_path / "project" / "runs" / made.id)
    return tmp_path / "project" / "runs"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, except locks."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


def test_a_removed_run_is_in_the_trash_and_comes_back(made: ms.WalkForward, runs: Path) -> None:
    before = contents(runs)
    place = remove(made.id[:6], runs)
    assert place.parent == runs / ".trash"
    assert list_runs(runs).is_empty()
    (row,) = trashed(runs).to_dicts()
    assert (row["name"], row["id"], row["strategy"], row["bars"]) == (place.name, made.id, "Cross", RISING.name)
    assert restore(made.id, runs) == runs / made.id
    assert contents(runs) == before
    assert same(ms.load_run(made.id, runs), made)
    assert trashed(runs).is_empty()


def test_a_run_removed_twice_is_there_twice_and_never_overwrites(made: ms.WalkForward, runs: Path) -> None:
    first = remove(made.id, runs)
    shutil.copytree(first, runs / made.id)
    second = remove(made.id, runs)
    assert set(trashed(runs)["name"]) == {first.name, second.name}
    restore(first.name, runs)
    with pytest.raises(RunError, match=r"exists, so .* stays in the trash"):
        restore(second.name, runs)
    with pytest.raises(RunError, match="see: maestro runs trash list"):
        restore("nothing", runs)
    assert empty_trash(runs) == [second.name]
    assert list_runs(runs)["id"].to_list() == [made.id]


@pytest.mark.parametrize("name", ["..", ".", "../project", "elsewhere", "copy"])
def test_what_is_not_a_run_of_the_directory_is_not_removed(
    name: str, made: ms.WalkForward, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = runs.parent
    shutil.copytree(runs / made.id, runs / "copy")  # a run by its manifest, but not of that name
    shutil.copytree(runs / made.id, project / "elsewhere" / made.id)
    (runs / "elsewhere").symlink_to(project / "elsewhere" / made.id)
    monkeypatch.chdir(runs)
    before = contents(project)
    with pytest.raises(RunError, match=r"nothing was removed|no run"):
        remove(name, runs)
    assert contents(project) == before


def test_a_link_by_the_name_of_a_run_is_not_followed(made: ms.WalkForward, runs: Path, tmp_path: Path) -> None:
    shutil.move(runs / made.id, tmp_path / made.id)
    (runs / made.id).symlink_to(tmp_path / made.id)
    with pytest.raises(RunError, match="nothing was removed"):
        remove(made.id, runs)
    assert (tmp_path / made.id / "trials.parquet").exists()


def test_a_run_elsewhere_needs_its_own_directory(made: ms.WalkForward, runs: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run directly below"):
        remove(runs / made.id, tmp_path / "runs")
    remove(runs / made.id, runs)
    assert list_runs(runs).is_empty()


def test_a_stored_series_is_not_removed(tmp_path: Path) -> None:
    key = SeriesKey("TEST", "0123456789abcdef", "1h")
    store = ParquetStore(tmp_path)
    store.append(key, RISING.to_frame().select("timestamp", "open", "high", "low", "close", "volume"))
    folder = tmp_path.joinpath(*key.path)
    named = folder.rename(folder.with_name("0123456789abcdef"))
    with pytest.raises(RunError, match=r"it holds|it is a series of Maestro"):
        remove(named.name, named.parent)
    assert len(list(named.glob("*.parquet"))) > 0


@pytest.mark.parametrize("content", ["{broken", "[]", "{}", '{"maestro": "series"}'])
def test_a_damaged_run_is_removed_only_if_it_holds_files_of_a_run_alone(
    content: str, made: ms.WalkForward, runs: Path
) -> None:
    (runs / made.id / "manifest.json").write_text(content)
    (runs / made.id / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="not provably a run"):
        remove(made.id, runs)
    (runs / made.id / "notes.txt").unlink()
    if "series" in content:
        with pytest.raises(RunError, match="it is a series of Maestro"):
            remove(made.id, runs)
        return
    remove(made.id, runs)
    assert trashed(runs)["strategy"].to_list() == [None]


def test_a_damaged_folder_of_another_name_is_not_removed(runs: Path) -> None:
    (runs / "notes").mkdir()
    (runs / "notes" / "manifest.json").write_text("{broken")
    with pytest.raises(RunError, match="its name is not the id of a run"):
        remove("notes", runs)


def test_emptying_the_trash_leaves_what_is_not_a_removed_run(made: ms.WalkForward, runs: Path, tmp_path: Path) -> None:
    place = remove(made.id, runs)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").write_text("mine")
    (runs / ".trash" / "0123456789abcdef-20240101-000000").symlink_to(mine)
    (runs / ".trash" / "other").mkdir()
    assert empty_trash(runs) == [place.name]
    assert (mine / "file").exists()
    assert (runs / ".trash" / "other").is_dir()


def test_a_trash_that_is_a_link_is_refused(made: ms.WalkForward, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (runs / ".trash").symlink_to(tmp_path / "mine")
    with pytest.raises(RunError, match="is a symbolic link"):
        remove(made.id, runs)
    assert empty_trash(runs) == []
    assert trashed(runs).is_empty()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not move a folder with an open file")
def test_a_process_that_waited_for_a_removed_run_does_not_work_on_it(made: ms.WalkForward, runs: Path) -> None:
    store = RunStore(runs / made.id)
    with store.locked():
        pass
    moved = runs / "moved"
    (runs / made.id / ".lock").write_text("")

    def move(handle: int) -> None:
        (runs / made.id).rename(moved)
        (runs / made.id).mkdir()
        (runs / made.id / ".lock").write_text("\nprocess 1 on another since now\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("maestro._core.locks._sign", move)
        with pytest.raises(RunError, match="it was removed at this moment"), store.locked():
            pass


def test_the_shell_removes_lists_restores_and_empties(
    made: ms.WalkForward, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from maestro.cli import _run

    where = ["--runs-dir", str(runs)]
    assert _run(["runs", "remove", made.id, "--yes", *where, "--json"]) == 0
    place = Path(json.loads(capsys.readouterr().out)["trash"])
    assert _run(["runs", "trash", "list", *where]) == 0
    assert place.name in capsys.readouterr().out
    assert _run(["runs", "trash", "restore", made.id, *where]) == 0
    assert "restored" in capsys.readouterr().out
    assert _run(["runs", "remove", "..", "--yes", *where]) == 2
    assert (runs / made.id).exists()
    assert _run(["runs", "remove", made.id, "--yes", *where]) == 0
    assert _run(["runs", "trash", "empty", "--yes", *where]) == 0
    assert not place.exists()
    assert _run(["runs", "trash", "list", *where]) == 0
    assert "No run is in the trash" in capsys.readouterr().out


def test_a_table_of_nothing_has_its_columns(tmp_path: Path) -> None:
    assert trashed(tmp_path / "none").schema == {
        "name": pl.String, "id": pl.String, "removed": pl.Datetime("us", "UTC"), "strategy": pl.String,
        "bars": pl.String, "kind": pl.String,
    }  # fmt: skip


def test_computing_again_replaces_no_folder_that_is_not_a_run(runs: Path, made: ms.WalkForward) -> None:
    folder = runs / made.id
    (folder / "manifest.json").write_text('{"name": "another program"}')
    (folder / "thesis.txt").write_text("mine")
    before = contents(folder)
    with pytest.raises(RunError, match=r"not provably a run \(it holds thesis\.txt\), so it is not computed again"):
        ms.walk_forward(RISING, Cross, **THREE, runs_dir=runs, force=True)
    assert contents(folder) == before
    (folder / "thesis.txt").unlink()
    assert same(ms.walk_forward(RISING, Cross, **THREE, runs_dir=runs, force=True), made)


def stored_backtest(runs: Path, fast: int = 20) -> BacktestStore:
    return stored(ms.backtest(RISING, "EmaCrossStrategy", params={"fast": fast}), runs)


def test_a_removed_backtest_is_in_the_trash_and_can_be_restored(made: ms.WalkForward, runs: Path) -> None:
    store, other = stored_backtest(runs), stored_backtest(runs, fast=21)
    before = contents(runs)
    place = remove(store.id[:9], runs)
    assert place.parent == runs / "backtests" / ".trash"
    assert list_backtests(runs)["id"].to_list() == [other.id]
    with pytest.raises(RunError, match="no run"):
        find_stored(store.id, runs)
    (row,) = trashed(runs).to_dicts()
    assert (row["id"], row["strategy"], row["bars"], row["kind"]) == (
        store.id, "EmaCrossStrategy", RISING.name, "backtest",
    )  # fmt: skip
    assert restore(store.id, runs) == store.folder
    assert contents(runs) == before
    remove(made.id, runs)
    remove(store.folder, runs)
    assert len(empty_trash(runs)) == 2
    assert list_backtests(runs)["id"].to_list() == [other.id]
    assert list_runs(runs).is_empty()


def test_only_what_is_provably_a_backtest_is_removed(runs: Path) -> None:
    store = stored_backtest(runs)
    (store.folder / "manifest.json").write_text("{")
    (store.folder / "thesis.txt").write_text("mine")
    before = contents(runs)
    with pytest.raises(RunError, match=r"not provably a backtest \(it holds thesis.txt\), so nothing was removed"):
        remove(store.id, runs)
    assert contents(runs) == before
    (store.folder / "thesis.txt").unlink()
    remove(store.id, runs)  # damaged, and nothing else in it
    assert trashed(runs)["strategy"].to_list() == [None]
    (runs / "backtests" / "0123456789abcdef").symlink_to(runs.parent)
    with pytest.raises(RunError, match="symbolic link, so nothing was removed"):
        remove("0123456789abcdef", runs)
    assert (runs.parent / "thesis.txt").read_text() == "mine"


def test_an_id_that_runs_and_backtests_begin_with_is_ambiguous(made: ms.WalkForward, runs: Path) -> None:
    store = stored_backtest(runs)
    shutil.copytree(store.folder, runs / "backtests" / f"{made.id[:4]}{store.id[4:]}")
    assert find_stored(made.id, runs).folder == runs / made.id
    for text in (made.id[:4], made.id[:1]):
        with pytest.raises(RunError, match=f"begin with '{text}'.*give more of the id"):
            remove(text, runs)
