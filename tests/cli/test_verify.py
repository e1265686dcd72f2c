"""``maestro verify`` repeats a recorded run; its exit code tells equal, different and bad input apart."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.runs.store import _manifest
from tests.cli.commands import Done, fits
from tests.support.rewriting import rewritten

QUIET = ("--no-progress", "--workers", "1")


@pytest.fixture
def copy(recorded: ms.WalkForward, tmp_path: Path) -> Path:
    """Folder of a copy of the run, which a test may damage."""
    assert recorded.folder is not None
    return Path(shutil.copytree(recorded.folder, tmp_path / "runs" / recorded.id))


def test_one_fold_named_folds_and_all(run: Callable[..., Done], recorded: ms.WalkForward, copy: Path) -> None:
    done = run("verify", recorded.id[:8], "--workers", "1")
    assert done.code == 0
    assert fits(done.out)
    assert "repeats bit for bit" in done.out
    assert f"To repeat all folds: maestro verify {recorded.id} --all" in done.out
    assert "again EmaCrossStrategy" in done.err, "progress on stderr"
    done = run("verify", recorded.id, "--fold", "0", "--fold", "2", "--json", *QUIET)
    assert (json.loads(done.out)["folds"], done.err) == ([0, 2], "")
    done = run("verify", str(copy), "--all", "--json", *QUIET)
    document = json.loads(done.out)
    assert (done.code, document["equal"], document["folds"], document["differences"]) == (0, True, [0, 1, 2], [])


def test_what_differs_is_named_and_makes_the_exit_code(
    run: Callable[..., Done], recorded: ms.WalkForward, copy: Path
) -> None:
    done = run("verify", recorded.id, "--fold", "1", "-d", "sample:IBM", *QUIET)
    assert (done.code, "! bars: " in done.out) == (1, True)
    rewritten(copy, "folds", lambda frame: frame.with_columns(pl.col("oos_vwr") + 1e-12))
    done = run("verify", recorded.id, "--all", *QUIET)
    assert (done.code, "! result: fold 0" in done.out) == (1, True)
    assert "To repeat all folds" not in done.out
    document = json.loads(run("verify", recorded.id, "--all", "--json", *QUIET).out)
    assert not document["equal"]
    assert {one["what"] for one in document["differences"]} == {"result"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("zzz",), "no run 'zzz' in runs"),
        (("RUN", "--fold", "9"), "there is no fold 9; the run has 0 to 2"),
        (("RUN", "--fold", "x"), "should be a valid integer, not 'x'"),
        (("RUN", "--fold", "1", "--all"), "--fold and --all exclude each other"),
        (("RUN", "--workers", "0"), "workers=0"),
        (("RUN", "--strategy", "Nothing"), "there is no strategy 'Nothing'"),
        (("RUN", "--zone", "UTC"), "--zone is for the bars of --data"),
    ],
)
def test_bad_input_is_one_line(run: Callable[..., Done], copy: Path, words: tuple[str, ...], message: str) -> None:
    done = run("verify", *(copy.name if word == "RUN" else word for word in words), "--no-progress")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err


def test_an_unfinished_run_is_bad_input(run: Callable[..., Done], copy: Path) -> None:
    path = copy / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest.pop("seal")
    path.write_bytes(_manifest({**manifest, "status": "running"}))
    done = run("verify", copy.name)
    assert (done.code, "is not finished" in done.err) == (2, True)
