"""Tags, notes and pins of a run: kept beside it, outside of its seal, whole or not at all."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

import maestro as ms
from maestro.errors import RunError, SettingsError
from maestro.runs import annotations as module
from maestro.runs.annotations import FILE, TAGS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    settings = {"trials": 3, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": folder}
    return Path(ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", **settings).folder)


def test_omitted_annotations_stay_and_the_run_is_still_whole(made: Path) -> None:
    runs_dir, run = made.parent, made.name
    sealed = (made / "manifest.json").read_bytes()
    assert ms.runs.annotations_of(run, runs_dir) == ms.runs.Annotations()
    assert ms.runs.annotate(run, runs_dir, add=["to check", " momentum "]).tags == ("momentum", "to check")
    assert ms.runs.annotate(run[:6], runs_dir, note="Fees are high\n").note == "Fees are high"
    found = ms.runs.annotate(made, pinned=True, remove=["to check", "never there"])
    assert found == ms.runs.Annotations(("momentum",), "Fees are high", True)
    assert ms.runs.annotations_of(run, runs_dir) == found
    assert (made / "manifest.json").read_bytes() == sealed
    assert ms.load_run(run, runs_dir).id == run
    assert ms.runs.annotate(run, runs_dir, note="", pinned=False, remove=["momentum"]) == ms.runs.Annotations()


def test_they_go_to_the_trash_and_come_back_with_the_run(made: Path) -> None:
    ms.runs.annotate(made, add=["kept"])
    ms.runs.remove(made.name, made.parent)
    ms.runs.restore(made.name, made.parent)
    assert ms.runs.annotate(made, remove=["kept"], note="back").note == "back"


def test_writers_at_the_same_time_lose_nothing(made: Path) -> None:
    tags = [f"tag {k:02}" for k in range(12)]
    threads = [threading.Thread(target=ms.runs.annotate, args=(made,), kwargs={"add": [tag]}) for tag in tags]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ms.runs.annotations_of(made).tags == tuple(tags)
    ms.runs.annotate(made, remove=tags)


def test_a_write_that_fails_leaves_what_was_there(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ms.runs.annotate(made, note="first")

    def full(path: Path, content: bytes) -> None:
        raise RunError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(module, "write_file", full)
    with pytest.raises(RunError, match="No space left"):
        ms.runs.annotate(made, note="second")
    assert ms.runs.annotations_of(made).note == "first"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"add": ["a,b"]}, "'a,b' is not a tag; give 1 to 40 characters without a comma"),
        ({"add": [" "]}, "is not a tag"),
        ({"add": ["x" * 41]}, "is not a tag"),
        ({"note": "x" * 2_001}, "the note has 2,001 characters; give at most 2,000"),
        ({"add": [str(k) for k in range(TAGS + 1)]}, "a run has at most 20 tags; this one would have 21"),
    ],
)
def test_what_is_too_long_is_refused_and_nothing_is_written(
    made: Path, changes: dict[str, object], message: str
) -> None:
    before = ms.runs.annotations_of(made)
    with pytest.raises(SettingsError, match=message):
        ms.runs.annotate(made, **changes)  # type: ignore[arg-type]
    assert ms.runs.annotations_of(made) == before


@pytest.mark.parametrize(
    "content",
    [
        "{", "[]", '{"tags": []}', '{"tags": "a", "note": "", "pinned": false}',
        '{"tags": [1], "note": "", "pinned": false}', '{"tags": [], "note": "", "pinned": 1}',
    ],
)  # fmt: skip
def test_damaged_annotations_are_reported_and_not_overwritten(made: Path, content: str) -> None:
    path = made / FILE
    before = path.read_text() if path.exists() else json.dumps({"tags": [], "note": "", "pinned": False})
    path.write_text(content)
    with pytest.raises(RunError, match=r"annotations.json is damaged .*; repair it, or remove it"):
        ms.runs.annotate(made, note="new")
    assert path.read_text() == content
    path.write_text(before)
