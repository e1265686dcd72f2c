"""``maestro track`` compares live fills of a CSV file with the model and the run's expectations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.decision import track
from tests.cli.commands import Done, fits

HEAD = "timestamp,side,size,price\n"


def test_the_models_own_fills_return_what_the_model_returns(
    run: Callable[..., Done], recorded: ms.WalkForward, tmp_path: Path
) -> None:
    nothing = pl.DataFrame({"timestamp": [], "side": [], "size": [], "price": []})
    model = track(recorded, nothing, ms.load_sample("AAPL"))
    assert len(model.model_fills)
    assert model.model_return
    model.model_fills.write_csv(tmp_path / "fills.csv")
    words = ("track", str(recorded.folder), "--fills", "fills.csv", "--data", "sample:AAPL")
    done = run(*words)
    assert (done.code, done.err) == (0, "")
    assert fits(done.out)
    count = len(model.model_fills)
    assert re.search(rf"^Fills +{count} +{count}$", done.out, re.M)
    live, same = re.findall(r"^Return +(\S+)\s% +(\S+)\s%", done.out, re.M)[0]
    assert live == same
    found = json.loads(run(*words, "--json", "--seed", "4").out)
    assert found["live_return"] == pytest.approx(model.model_return, abs=1e-12)
    assert (found["fills"], found["expected"]["seed"]) == (count, 4)
    assert " ".join(done.out.split()).startswith(found["summary"][:60])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "fills.csv does not exist; give a CSV file"),
        ("when,what\n1,2\n", "the fills lack timestamp, side, size, price"),
        (HEAD + "2010-01-05,hold,1,2\n", "buy or sell"),
        (HEAD + "soon,buy,1,2\n", "ISO timestamp"),
        ("", "fills.csv cannot be read"),
    ],
)
def test_a_file_that_holds_no_fills(
    run: Callable[..., Done], recorded: ms.WalkForward, tmp_path: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / "fills.csv").write_text(text)
    done = run("track", str(recorded.folder), "--fills", "fills.csv", "-d", "sample:AAPL")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err


def test_a_folder_bars_of_another_series_and_no_newer_bar(
    run: Callable[..., Done], recorded: ms.WalkForward, tmp_path: Path
) -> None:
    (tmp_path / "fills.csv").write_text(HEAD + "2010-01-05,buy,1,30\n")
    folder = str(recorded.folder)
    done = run("track", folder, "--fills", ".", "-d", "sample:AAPL")
    assert (done.code, ". is a folder" in done.err) == (2, True)
    done = run("track", folder, "--fills", "fills.csv", "-d", "sample:IBM")
    assert (done.code, "these bars do not begin with those of run" in done.err) == (2, True)
    assert run("track", folder, "--fills", "fills.csv").err.startswith("maestro: Missing option '--data'")
    ms.load("sample:AAPL", end="2010").to_frame().write_csv(tmp_path / "same.csv")
    done = run("track", folder, "--fills", "fills.csv", "-d", "same.csv")
    assert (done.code, "no bar has closed since" in done.err) == (1, True)
