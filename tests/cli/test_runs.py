"""``maestro runs`` annotates runs as the Runs app shows them, and lists, shows and removes backtests of a service."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

import maestro as ms
from maestro.cli import main
from tests.support.backtests import stored


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["runs", *words])
    return int(ended.value.code or 0)


def test_tags_note_and_pin_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"trials": 3, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": tmp_path}
    wf = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", **settings)
    where = ("--runs-dir", str(tmp_path))
    capsys.readouterr()
    assert run("tag", wf.id[:6], "to check", "momentum", *where) == 0
    assert capsys.readouterr().out == f"{wf.id}\ntags: momentum, to check\nnote: none\n"
    assert run("tag", wf.id, "momentum", "--remove", *where) == 0
    assert run("note", wf.id, "Fees are high", *where) == 0
    capsys.readouterr()
    assert run("pin", wf.id, *where, "--json") == 0
    output = json.loads(capsys.readouterr().out)
    assert output == {"run": wf.id, "tags": ["to check"], "note": "Fees are high", "pinned": True}
    assert run("pin", wf.id, "--off", *where) == 0
    assert not ms.runs.annotations_of(wf.id, tmp_path).pinned
    assert run("tag", wf.id, "a,b", *where) != 0
    assert "'a,b' is not a tag" in " ".join(capsys.readouterr().err.split())
    assert run("note", "ffff", "x", *where) != 0


def test_a_pinned_run_is_listed_first_with_its_tags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"trials": 3, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": tmp_path}
    old, new = (ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", seed=seed, **settings) for seed in (1, 2))
    damaged = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", seed=3, **settings)
    where = ("--runs-dir", str(tmp_path))
    run("pin", old.id, *where)
    run("tag", new.id, "plateau", *where)
    (tmp_path / damaged.id / "annotations.json").write_text("{")
    capsys.readouterr()
    monkeypatch.setenv("COLUMNS", "140")
    assert run("list", *where) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith(f"{old.id} *")
    assert "plateau" in next(line for line in lines if new.id in line)
    assert lines[-1] == "* pinned"
    assert run("list", *where, "--json") == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert [rows[wf.id]["pinned"] for wf in (old, new, damaged)] == [True, False, None]
    assert rows[new.id]["tags"] == ["plateau"]


def test_backtests_are_listed_shown_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = ms.backtest(ms.load_sample("AAPL"), "EmaCrossStrategy", params={"fast": 12})
    store = stored(result, tmp_path)
    where = ("--runs-dir", str(tmp_path))
    assert run("list", *where) == 0
    assert store.id in capsys.readouterr().out
    assert run("list", *where, "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["kind"], row["id"], row["total_return"]) == ("backtest", store.id, result.metrics["total_return"])
    assert run("show", store.id[:8], *where, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["id"], shown["params"]["fast"], shown["metrics"]["num_trades"]) == (
        store.id, 12, result.metrics["num_trades"],
    )  # fmt: skip
    assert run("show", store.id, *where) == 0
    assert "EmaCrossStrategy(fast=12, slow=100)" in capsys.readouterr().out
    assert run("remove", store.id, "--yes", *where) == 0
    assert run("trash", "restore", store.id, *where) == 0
    assert store.load().metrics == result.metrics


@pytest.mark.parametrize("words", ["show", "export --to tables.xlsx", "remove --yes", "tag a", "note a", "pin"])
def test_a_run_that_does_not_exist_is_bad_input(words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, *others = words.split()
    assert run(command, "zzz", *others, "--runs-dir", str(tmp_path)) == 2
    assert "no run 'zzz'" in " ".join(capsys.readouterr().err.split())


def test_a_run_that_is_not_in_the_trash_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("trash", "restore", "zzz", "--runs-dir", str(tmp_path)) == 2
    assert "there is no 'zzz' in" in " ".join(capsys.readouterr().err.split())


def test_printed_commands_find_the_run_in_whatever_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAESTRO_RUNS_DIR", "configured ones")
    line = ["walk-forward", "EmaCrossStrategy", "--data", "sample:AAPL", "--splitter", "rolling:3", "--trials", "2"]
    for folder, option in (("runs", "--runs-dir runs"), ("my runs", "--runs-dir 'my runs'"), ("configured ones", "")):
        with pytest.raises(SystemExit) as ended:
            main([*line, "--runs-dir", folder])
        assert ended.value.code == 0
        printed = capsys.readouterr().out
        [report] = [one.partition("maestro ")[2] for one in printed.splitlines() if one.startswith("Report:")]
        assert report.endswith(option)
        for command in (report, f"runs remove --yes {report.removeprefix('report ')}"):
            with pytest.raises(SystemExit) as ended:
                main(shlex.split(command))
            assert ended.value.code == 0, capsys.readouterr().err
        restore = capsys.readouterr().out.strip().splitlines()[-1].partition("maestro ")[2]
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(restore))
        assert ended.value.code == 0, capsys.readouterr().err
