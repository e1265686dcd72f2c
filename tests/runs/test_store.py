"""Runs on disk: whole or not there, resumed, verified, found, removed, and what happens when the disk refuses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro._core.atomic import temporary_path
from maestro.errors import RunError
from maestro.execution.events import Event, FoldDone, RunDone, RunStarted
from maestro.runs import RunStore, find, list_runs, remove
from tests.support.processes import ended_process
from tests.support.rules import RISING, TABLES, THREE, Cross, FailsAbove, Slow, same

ROOT = Path(__file__).parents[2]


class Stop(Exception):
    """Raised by a listener to break a run off."""


def stop_after(folds: int) -> Any:
    seen: list[Event] = []

    def listen(event: Event) -> None:
        if isinstance(event, FoldDone):
            seen.append(event)
            if len(seen) == folds:
                raise Stop

    return listen


def interrupted(runs: Path, folds: int = 2, **settings: Any) -> RunStore:
    with pytest.raises(Stop):
        ms.walk_forward(
            RISING, Cross, **{**THREE, **settings}, runs_dir=runs, executor="serial", progress=stop_after(folds)
        )
    return RunStore(next(runs.iterdir()))


@pytest.fixture
def stored(tmp_path: Path) -> ms.WalkForward:
    return ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path)


# -- what is there ----------------------------------------------------------------------------


def test_a_reloaded_run_is_the_live_one(stored: ms.WalkForward, tmp_path: Path, reference: ms.WalkForward) -> None:
    for found in (
        ms.load_run(stored.id, tmp_path), ms.load_run(stored.id[:6], tmp_path), ms.load_run(tmp_path / stored.id),
        ms.load_run(str(tmp_path / stored.id)), ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path),
    ):  # fmt: skip
        assert same(found, stored)
        assert (found.notes, repr(found), repr(found.efficiency)) == (
            stored.notes,
            repr(stored),
            repr(stored.efficiency),
        )
        assert found.manifest == stored.manifest
        assert found.folder is not None
        assert found.folder.resolve() == tmp_path / stored.id
    assert same(stored, reference)
    assert reference.folder is None


def test_a_run_with_failed_folds_reloads_alike(tmp_path: Path) -> None:
    live = ms.walk_forward(RISING, FailsAbove, **THREE, runs_dir=tmp_path)
    found = ms.load_run(live.id, tmp_path)
    assert same(found, live)
    assert found.notes == live.notes
    assert repr(found) == repr(live)


def test_a_run_that_exists_is_loaded_and_not_computed(stored: ms.WalkForward, tmp_path: Path) -> None:
    heard: list[Event] = []
    again = ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, progress=heard.append)
    assert [type(event) for event in heard] == [RunDone]  # nothing is computed
    assert again.manifest["started"] == stored.manifest["started"]
    ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, progress=heard.append, force=True)
    assert isinstance(heard[1], RunStarted)
    assert heard[1].done == 0


def test_the_files_are_those_of_the_design_and_nothing_else(stored: ms.WalkForward, tmp_path: Path) -> None:
    assert sorted(p.name for p in (tmp_path / stored.id).iterdir()) == [
        ".lock", "equity.parquet", "folds.parquet", "manifest.json", "trades.parquet", "trials.parquet",
    ]  # fmt: skip
    manifest = json.loads((tmp_path / stored.id / "manifest.json").read_text())
    assert manifest["status"] == "done"
    assert manifest["spec"]["bars"]["fingerprint"] == RISING.fingerprint
    assert manifest["spec"]["seed"] == 0
    assert {"python", "numpy", "maestro", "machine"} <= set(manifest["versions"])
    assert manifest["seconds"] > 0
    for name in TABLES:
        assert pl.read_parquet(tmp_path / stored.id / f"{name}.parquet").equals(getattr(stored, name), null_equal=True)


def test_what_determines_the_result_makes_another_id(reference: ms.WalkForward) -> None:
    ids = {reference.id}
    for change in (
        {"seed": 1}, {"trials": 7}, {"search": "random"}, {"cash": 5.0}, {"fill": "close"}, {"select": "vwr"},
        {"costs": ms.Costs(fee=0.0)}, {"sizing": ms.Sizing.units(1)}, {"params": {"fast": 3}}, {"warm_start": True},
        {"space": {"fast": (2, 10)}}, {"splitter": ms.Rolling(n_splits=4, purge=1)},
    ):  # fmt: skip
        ids.add(ms.walk_forward(RISING, Cross, **{**THREE, **change}).id)
    ids.add(ms.walk_forward(RISING[:-1], Cross, **THREE).id)
    assert len(ids) == 14
    assert ms.walk_forward(RISING, Cross, **THREE, workers=2, executor="threads").id == reference.id


# -- interruptions ----------------------------------------------------------------------------


def test_an_interrupted_run_goes_on_at_the_missing_fold(tmp_path: Path, reference: ms.WalkForward) -> None:
    store = interrupted(tmp_path)
    assert store.finished_folds() == [0, 1]
    with pytest.raises(RunError, match=r"is not finished \(2 of 3 folds\); the same walk-forward continues it"):
        ms.load_run(store.id, tmp_path)
    heard: list[Event] = []
    wf = ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, progress=heard.append)
    assert [e.fold for e in heard if isinstance(e, FoldDone)] == [2]
    assert same(wf, reference)
    assert not (store.folder / "partial").exists()


def test_a_warm_started_run_goes_on_alike(tmp_path: Path) -> None:
    interrupted(tmp_path, warm_start=True)
    wf = ms.walk_forward(RISING, Cross, **THREE, warm_start=True, runs_dir=tmp_path)
    assert same(wf, ms.walk_forward(RISING, Cross, **THREE, warm_start=True))


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 torn", None])
def test_a_torn_fold_is_computed_again_and_noted(
    tmp_path: Path, reference: ms.WalkForward, damage: bytes | None
) -> None:
    store = interrupted(tmp_path)
    path = store.folder / "partial" / "0001.zip"
    whole = path.read_bytes()
    if damage is None:  # a byte of the content flipped: the archive's checksums see it
        at = len(whole) // 2
        damage = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
    path.write_bytes(damage)
    heard: list[Event] = []
    wf = ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, progress=heard.append)
    assert sorted(e.fold for e in heard if isinstance(e, FoldDone)) == [1, 2]
    assert same(wf, reference)
    assert any("The file of fold 1 is damaged; the fold was computed again." in note for note in wf.notes)


def test_a_fold_of_another_run_is_computed_again_and_noted(tmp_path: Path, reference: ms.WalkForward) -> None:
    store, other = interrupted(tmp_path), interrupted(tmp_path, seed=1)
    shutil.copy(other.folder / "partial" / "0001.zip", store.folder / "partial")
    wf = ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path)
    assert same(wf, reference)
    assert any("The file of fold 1 is of another run; the fold was computed again." in note for note in wf.notes)


def test_another_fold_of_the_run_is_computed_again_and_noted(tmp_path: Path, reference: ms.WalkForward) -> None:
    store = interrupted(tmp_path)
    shutil.copy(store.folder / "partial" / "0000.zip", store.folder / "partial" / "0002.zip")
    wf = ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path)
    assert same(wf, reference)
    assert any("The file of fold 2 is of another fold; the fold was computed again." in note for note in wf.notes)


def test_a_fold_that_other_code_made_is_computed_again_and_noted(
    tmp_path: Path, reference: ms.WalkForward, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("maestro.runs.folds.own_code", lambda: "0123456789abcdef")
        interrupted(tmp_path)
    wf = ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path)
    assert same(wf, reference)
    assert sum("made by another state of Maestro's code; the fold" in note for note in wf.notes) == 2


def test_a_file_by_the_name_of_a_fold_that_the_run_lacks_is_not_taken(
    tmp_path: Path, reference: ms.WalkForward
) -> None:
    store = interrupted(tmp_path)
    with zipfile.ZipFile(store.folder / "partial" / "0099.zip", "w") as archive:
        archive.writestr("fold.json", "{}")
    assert same(ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path), reference)


def test_computing_afresh_takes_nothing_of_what_is_there(tmp_path: Path, reference: ms.WalkForward) -> None:
    interrupted(tmp_path)
    heard: list[Event] = []
    wf = ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, progress=heard.append, force=True)
    assert sorted(e.fold for e in heard if isinstance(e, FoldDone)) == [0, 1, 2]
    assert same(wf, reference)


KILLS = int(os.environ.get("MAESTRO_TEST_RUN_KILLS", "4"))
"""Kills of a run at random moments; 16 in CI."""
KILLED = """
import sys
sys.path.insert(0, {root!r})
import maestro as ms
from tests.support.processes import ended_process
from tests.support.rules import RISING, Slow
print("go", flush=True)
ms.walk_forward(
    RISING, Slow, splitter=ms.Rolling(n_splits=9), trials=25, runs_dir=sys.argv[1], executor=sys.argv[2], workers=2
)
print("end", flush=True)
"""
MANY: dict[str, Any] = {"splitter": ms.Rolling(n_splits=9), "trials": 25}


def kill_until_done(runs: Path, executor: str, kills: int, seed: int) -> int:
    """Start the same run again and again, killing it at random moments; then once more to its end."""
    code = KILLED.format(root=str(ROOT))
    rng, killed = np.random.default_rng(seed), 0
    for attempt in range(kills + 1):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(runs), executor], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "go\n"
        if attempt < kills:
            time.sleep(float(rng.uniform(0.0, 0.5 if executor == "serial" else 1.5)))
            child.send_signal(signal.SIGKILL)
            killed += child.wait() == -signal.SIGKILL
        else:
            assert child.stdout.read() == "end\n"
            assert child.wait() == 0
        child.stdout.close()
    return killed


@pytest.mark.slow
@pytest.mark.parametrize(("executor", "kills"), [("serial", KILLS), ("processes", max(2, KILLS // 4))])
def test_a_run_killed_at_random_moments_ends_like_one_that_was_not(tmp_path: Path, executor: str, kills: int) -> None:
    killed = kill_until_done(tmp_path, executor, kills, seed=7)
    assert killed >= kills // 2  # the others had finished before
    wf = ms.walk_forward(RISING, Slow, **MANY, runs_dir=tmp_path)
    assert same(wf, ms.walk_forward(RISING, Slow, **MANY))
    assert list(tmp_path.rglob("*.part")) == []
    assert not any("The file of fold" in note for note in wf.notes)  # what is there is whole


def test_what_a_killed_process_was_writing_is_cleared_away(tmp_path: Path) -> None:
    store, ended = interrupted(tmp_path), ended_process()
    parts = [store.folder / "folds.parquet", store.folder / "partial" / "0002.zip"]
    left = [Path(str(temporary_path(path)).replace(f"-{os.getpid()}-", f"-{ended}-")) for path in parts]
    others = [
        temporary_path(store.folder / "report.html"),  # of this process, which may be writing it at the moment
        store.folder / f".manifest.json.{ended}.part",  # without host and token: it may be another program's
    ]
    for path in (*left, *others):
        path.write_bytes(b"half")
    ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path)
    assert sorted(store.folder.rglob(".*.part")) == sorted(others)


# -- damage -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_a_flipped_byte_in_a_table_is_named_with_a_remedy(stored: ms.WalkForward, tmp_path: Path, name: str) -> None:
    path = tmp_path / stored.id / f"{name}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    message = rf"{name}\.parquet is damaged \(its content is not what was written\); put the file back .*force=True"
    message += rf".*maestro runs remove {stored.id}"
    for call in (
        lambda: ms.load_run(stored.id, tmp_path), lambda: ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path)
    ):  # fmt: skip
        with pytest.raises(RunError, match=message):
            call()
    assert same(ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, force=True), stored)
    assert same(ms.load_run(stored.id, tmp_path), stored)


def test_a_missing_table_is_named(stored: ms.WalkForward, tmp_path: Path) -> None:
    (tmp_path / stored.id / "equity.parquet").unlink()
    with pytest.raises(RunError, match=r"equity\.parquet is damaged \(No such file"):
        ms.load_run(stored.id, tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"spec": {}}', '{"status": "done", "spec": 3}', "\udcff"])
def test_a_broken_manifest_is_named_with_a_remedy(stored: ms.WalkForward, tmp_path: Path, content: str) -> None:
    path = tmp_path / stored.id / "manifest.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    for call in (
        lambda: ms.load_run(stored.id, tmp_path), lambda: ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path)
    ):  # fmt: skip
        with pytest.raises(RunError, match=rf"manifest\.json is damaged .*maestro runs remove {stored.id}"):
            call()
    assert list_runs(tmp_path)["status"].to_list() == ["damaged"]
    assert same(ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, force=True), stored)


def test_a_changed_spec_is_not_taken_for_the_runs_own(stored: ms.WalkForward, tmp_path: Path) -> None:
    path = tmp_path / stored.id / "manifest.json"
    path.write_text(path.read_text().replace('"fee": 0.001', '"fee": 0.002'))
    with pytest.raises(RunError, match=r"manifest\.json is damaged \(its spec is not that of its id\)"):
        ms.load_run(stored.id, tmp_path)


def test_a_damaged_run_can_be_removed_as_its_message_proposes(stored: ms.WalkForward, tmp_path: Path) -> None:
    (tmp_path / stored.id / "manifest.json").write_text("{")
    assert remove(stored.id, tmp_path).parent == tmp_path / ".trash"
    assert [path.name for path in tmp_path.iterdir()] == [".trash"]


# -- two at once ------------------------------------------------------------------------------

HOLDER = """
import sys, time
from pathlib import Path
from maestro.runs import RunStore
with RunStore(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_a_killed_one_does_not_block(tmp_path: Path, reference: ms.WalkForward) -> None:
    folder = tmp_path / reference.id
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(RunError, match=rf"another process works on run {reference.id} in .*; wait for it, or give"):
            ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert same(ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path), reference)


def test_a_run_in_use_is_not_removed(stored: ms.WalkForward, tmp_path: Path) -> None:
    with RunStore(tmp_path / stored.id).locked(), pytest.raises(RunError, match="another process works on run"):
        remove(stored.id, tmp_path)
    assert (tmp_path / stored.id).exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not remove an open file")
def test_a_run_that_is_removed_while_another_process_begins_is_not_worked_on(
    stored: ms.WalkForward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def removed_after(path: Any, *more: Any, **options: Any) -> int:
        handle = opened(path, *more, **options)
        if str(path).endswith(f"{stored.id}/.lock") and (tmp_path / stored.id).exists():
            shutil.rmtree(tmp_path / stored.id)
        return handle

    monkeypatch.setattr(os, "open", removed_after)
    with pytest.raises(RunError, match="it was removed at this moment, start again"):
        ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, force=True)
    monkeypatch.undo()
    assert same(ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path), stored)


def test_a_run_that_another_process_finishes_at_this_moment_is_loaded(
    stored: ms.WalkForward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = iter(["running", "done"])
    monkeypatch.setattr(RunStore, "status", lambda store: next(seen))
    heard: list[Event] = []
    assert same(ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, progress=heard.append), stored)
    assert [type(event) for event in heard] == [RunDone]  # nothing is computed


# -- finding ----------------------------------------------------------------------------------


def test_runs_are_listed_found_by_their_beginning_and_removed(tmp_path: Path) -> None:
    made = [
        ms.walk_forward(RISING, Cross, **{**THREE, "trials": 2}, seed=seed, runs_dir=tmp_path) for seed in range(17)
    ]
    table = list_runs(tmp_path)
    assert set(table["id"]) == {wf.id for wf in made}
    assert set(table["status"]) == {"done"}
    row = table.filter(id=made[3].id).row(0, named=True)
    assert (row["strategy"], row["bars"], row["folds"]) == ("Cross", "SYNTHETIC:WALK-4:1h", 3)
    assert row["sharpe_ratio"] == pytest.approx(made[3].metrics["sharpe_ratio"])
    first = [wf.id[0] for wf in made]
    shared = next(c for c in first if first.count(c) > 1)  # 17 ids begin with 16 digits
    with pytest.raises(
        RunError, match=rf"{first.count(shared)} runs begin with '{shared}' \(.*\); give more of the id"
    ):
        find(shared, tmp_path)
    remove(made[0].id, tmp_path)
    assert len(list_runs(tmp_path)) == 16


def test_a_run_that_is_not_there_is_named_with_those_that_are(stored: ms.WalkForward, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=rf"no run 'zzz' in .*; there are: {stored.id}"):
        ms.load_run("zzz", tmp_path)
    with pytest.raises(RunError, match=r"there are: none\."):
        ms.load_run("zzz", tmp_path / "elsewhere")
    with pytest.raises(RunError, match="no run ''"):
        ms.load_run("", tmp_path)
    assert len(list_runs(tmp_path / "elsewhere")) == 0
    long = "a" * 5_000
    for load in (ms.load_run, remove):
        with pytest.raises(RunError, match="no run 'aaaa"):
            load(long, tmp_path)
    assert len(list_runs(tmp_path / long)) == 0
