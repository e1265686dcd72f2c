"""The command line: what it prints, what it writes, how it fails; its own lines repeat a run."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.cli import COMMANDS
from tests.cli.commands import FAST, OWN, SLOW, Done, fits
from tests.support.patience import GIVE_UP

# -- help and listing -----------------------------------------------------------------------


def test_help_lists_every_command(run: Callable[..., Done]) -> None:
    done = run("--help")
    assert done.code == 0
    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name} +{line.split()[0]}", done.out, re.M)
    assert run("--version").out == f"maestro {ms.__version__}\n"
    assert run() == done
    assert run("runs").out == run("runs", "--help").out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_as_the_list_does(run: Callable[..., Done], name: str) -> None:
    done = run(name, "--help")
    assert done.code == 0
    assert " ".join(done.out.split()).find(COMMANDS[name]) > 0
    assert fits(done.out)


# -- walk-forward, runs, report -------------------------------------------------------------


def test_walk_forward_from_the_first_line_to_the_report(run: Callable[..., Done], tmp_path: Path) -> None:
    arguments = ("walk-forward", "EmaCrossStrategy", "-d", "sample:AAPL", "--start", "2006", *FAST)
    done = run(*arguments, "--report", "out/report.html")
    assert done.code == 0, done.err
    assert fits(done.out)
    assert done.out.splitlines()[-1] == str(tmp_path / "out/report.html")
    assert "</html>" in (tmp_path / "out/report.html").read_text()
    (wf,) = [ms.load_run(folder) for folder in (tmp_path / "runs").iterdir()]
    direct = ms.walk_forward(
        ms.load("sample:AAPL", start="2006"), "EmaCrossStrategy", params={"slow": 60}, space={"fast": (5, 30)},
        trials=8, workers=1,
    )  # fmt: skip
    assert wf.id == direct.id
    assert wf.metrics == pytest.approx(direct.metrics, nan_ok=True, abs=0)

    again = run(*arguments, "--json")
    document = json.loads(again.out)
    assert "was there already" in again.err
    assert document["id"] == wf.id
    assert len(document["folds"]) == 9
    assert document["metrics"]["sharpe_ratio"] == wf.metrics["sharpe_ratio"]


def test_the_recorded_lines_give_the_same_run(run: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "my rule.py").write_text(OWN)
    data = ms.synthetic_bars(900, seed=4)
    data.to_frame().write_csv("prices.csv")
    first = run(
        "walk-forward", "--strategy", "my rule.py:Above", "--data", "prices.csv", "--trials", "5",
        "--splitter", "calendar:2w,1w,purge=3",
        "--search", "random", "--select", "total_return,-volatility", "--seed", "7", "--fee", "0.0004",
        "--sizing", "cash:5000", "--cash", "50000", "--fill", "close", "--warm-start", "-p", "kind=ema",
        "--space", "n=5:40:5", "--runs-dir", "kept", "--no-progress",
    )  # fmt: skip
    assert first.code == 0, first.err
    (folder,) = (tmp_path / "kept").iterdir()
    command = ms.load_run(folder).manifest["command"]
    assert "--runs-dir" not in command
    assert "--no-progress" not in command
    document = json.loads(run(*shlex.split(command)[1:], "--runs-dir", "elsewhere", "--json", "--no-progress").out)
    assert document["id"] == folder.name
    assert document["command"] == command


def test_the_recorded_python_gives_the_same_run(run: Callable[..., Done], tmp_path: Path) -> None:
    run("walk-forward", "EmaCrossStrategy", "-d", "sample:AAPL", "--start", "2006", *FAST, "--splitter", "expanding:4")
    (folder,) = (tmp_path / "runs").iterdir()
    names: dict[str, Any] = {}
    exec(ms.load_run(folder).manifest["python"], names)
    assert names["wf"].id == folder.name


def test_runs(run: Callable[..., Done], tmp_path: Path) -> None:
    assert "No run in runs" in run("runs", "list").out
    assert json.loads(run("runs", "list", "--json").out) == []
    run("walk-forward", "EmaCrossStrategy", "-d", "sample:AAPL", "--start", "2006", *FAST)
    (folder,) = (tmp_path / "runs").iterdir()
    listed = run("runs", "list")
    assert folder.name in listed.out
    assert fits(listed.out)
    (row,) = json.loads(run("runs", "list", "--json").out)
    assert (row["id"], row["status"], row["strategy"]) == (folder.name, "done", "EmaCrossStrategy")
    shown = run("runs", "show", folder.name[:6])
    assert "maestro walk-forward" in shown.out
    assert json.loads(run("runs", "show", str(folder), "--json").out)["id"] == folder.name
    written = run("report", folder.name[:8])
    assert written.out == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").exists()
    refused = run("runs", "remove", folder.name)
    assert (refused.code, folder.exists()) == (2, True)
    assert "--yes" in refused.err
    assert run("runs", "remove", folder.name, "--yes").code == 0
    assert not folder.exists()
    missing = run("runs", "show", folder.name)
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    assert f"no run '{folder.name}'" in missing.err


def test_a_fold_that_fails_is_shown_as_such(run: Callable[..., Done], tmp_path: Path) -> None:
    broken = OWN.replace(
        "        long =", "        if bars.start.year == 2007: raise ValueError('no such year')\n        long ="
    )
    (tmp_path / "own.py").write_text(broken)
    done = run("walk-forward", "own.py", "-d", "sample:AAPL", "--start", "2006", "--trials", "3", "--no-progress")
    assert done.code == 0
    assert re.search(r"! fold \d failed: .*no such year", " ".join(done.out.split()))


# -- bad input ------------------------------------------------------------------------------


def words(*arguments: str) -> tuple[str, ...]:
    return arguments


GOOD = words("backtest", "EmaCrossStrategy", "-d", "sample:AAPL")
WALK = words("walk-forward", "EmaCrossStrategy", "-d", "sample:AAPL", "--no-progress")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (words("backtes"), "there is no command 'backtes'.*Did you mean 'backtest'"),
        (words("backtest", "EmaCrossStrategy"), "Missing option '--data'"),
        (words(*GOOD, "--fees", "0.1"), "No such option: --fees.*backtest --help"),
        (words(*GOOD, "--fee", "much"), r"Invalid value for '--fee': .*valid (number|float)"),
        (words(*GOOD, "--fee", "10%"), r"valid number, not '10%'; give it as a fraction, 0\.1\."),
        (words("backtest", "-d", "sample:AAPL"), "the strategy is missing; give one name of 'maestro strategies'"),
        (words(*GOOD, "--strategy", "RSIStrategy"), "the strategy was given twice, EmaCrossStrategy and RSIStrategy"),
        (
            words("backtest", "EmaCros", "-d", "sample:AAPL"),
            "there is no strategy 'EmaCros'.*Did you mean 'EmaCrossStr",
        ),
        (words("backtest", "no.py:X", "-d", "sample:AAPL"), "there is no file no.py"),
        (words("backtest", "EmaCrossStrategy", "-d", "sample:APL"), "there is no sample 'APL'.*Did you mean 'AAPL'"),
        (words("backtest", "EmaCrossStrategy", "-d", "no.csv"), "there is no file no.csv"),
        (words(*GOOD, "-p", "fst=20"), "has no parameter 'fst'; it has: fast, slow. Did you mean 'fast'"),
        (words(*GOOD, "-p", "fast"), "--param 'fast' is not understood; write -p fast=20"),
        (words(*GOOD, "-p", "fast=x"), "fast='x' is not a whole number"),
        (words(*GOOD, "-p", "fast=2.5"), "fast=2.5 is not a whole number"),
        (words(*GOOD, "-p", "fast=0"), "fast=0 is out of bounds"),
        (words(*GOOD, "-p", "fast=1", "-p", "fast=2"), "--param fast was given twice"),
        (words(*GOOD, "-p", "fast=150"), "EmaCrossStrategy needs fast < slow"),
        (words(*GOOD, "--cash", "-5"), "cash"),
        (words(*GOOD, "--fee", "0.7"), "fee=0.7 is not a fraction"),
        (words(*GOOD, "--venue", "BINANC"), "no costs are known for 'BINANC'.*Did you mean 'BINANCE'"),
        (words(*GOOD, "--sizing", "half"), "sizing='half' is unknown; give percent:1.0"),
        (words(*GOOD, "--sizing", "percent:x"), "sizing='percent:x' is not understood"),
        (words(*GOOD, "--sizing", "percent:2"), "above max_exposure"),
        (words(*GOOD, "--fill", "open"), "fill"),
        (words(*GOOD, "--start", "2030"), "no bar from 2030 on"),
        (words(*GOOD, "--resample", "1h"), "cannot make 1h bars of 1d bars"),
        (words(*GOOD, "--symbol", "X"), "sample:AAPL has no use for symbol"),
        (words("backtest", "FundingRateArbitrage", "-d", "sample:AAPL"), "needs funding_rate"),
        (words(*WALK, "--trials", "0"), "trials=0"),
        (words(*WALK, "--search", "tpx"), "search='tpx' is unknown.*Did you mean 'tpe'"),
        (words(*WALK, "--select", "sharpe"), "no metric is called 'sharpe'.*Did you mean 'sharpe_ratio'"),
        (words(*WALK, "--splitter", "rollin:10"), "splitter='rollin:10' is unknown.*Did you mean 'rolling'"),
        (words(*WALK, "--splitter", "rolling:10,2,1,4"), "'4' is not understood; rolling has n_splits"),
        (words(*WALK, "--splitter", "rolling:x"), "n_splits='x' is not a whole number"),
        (words(*WALK, "--splitter", "rolling:5000"), "no fold|no split"),
        (words(*WALK, "--splitter", "calendar:6months,1mo"), "train='6months' is not understood"),
        (words(*WALK, "--space", "fast=5"), "5"),
        (words(*WALK, "--space", "fast=5:x"), "--space fast=5:x is not a range; write fast=5:50"),
        (words(*WALK, "--space", "fast=50:5"), "fast"),
        (words(*WALK, "--space", "fst=5:50"), "has no parameter 'fst'.*Did you mean 'fast'"),
        (words(*WALK, "-p", "fast=20", "-p", "slow=60"), "nothing to search"),
        (words(*WALK, "--workers", "0"), "workers=0"),
        (words(*WALK, "--seed", "-1"), "seed"),
        (words(*WALK, "--tearsheet"), "--tearsheet is written beside the report"),
        (words("sweep", "EmaCrossStrategy", "-d", "sample:AAPL", "-n", "0"), "n=0"),
        (words("sweep", "EmaCrossStrategy", "-d", "sample:AAPL", "--sampler", "sobl"), "Did you mean 'sobol'"),
        (words("sweep", "EmaCrossStrategy", "-d", "sample:AAPL", "--out", "x.txt"), "another ending"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(
    run: Callable[..., Done], arguments: tuple[str, ...], message: str
) -> None:
    done = run(*arguments)
    assert done.code == 2, done
    assert done.out == ""
    line = [one for one in done.err.splitlines() if "|" not in one]
    assert len(line) == 1, done.err
    assert line[0].startswith("maestro: ")
    assert re.search(message, line[0]), line[0]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nothing_of_this_name", "cannot be imported: ModuleNotFoundError"),
        ("x = (", "cannot be imported: SyntaxError"),
        ("x = 1", "has 0 strategies"),
        (OWN + OWN.replace("Above", "Other"), r"has 2 strategies \(Above, Other\); name one"),
    ],
)
def test_broken_strategy_files(run: Callable[..., Done], tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "own.py").write_text(source)
    done = run("backtest", "own.py", "-d", "sample:AAPL")
    assert done.code == 2
    assert re.search(message, done.err)
    named = run("backtest", "own.py:Abov", "-d", "sample:AAPL")
    assert named.code == 2
    if "Above" in source:
        assert "Did you mean 'Above'" in named.err


def test_failures_are_exit_code_1(run: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(*WALK, "--trials", "2", "--runs-dir", "file/runs")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("maestro: ")
    done = run(*GOOD, "--equity", "file/equity.csv")
    assert done.code == 1, done
    assert "Traceback" not in done.err


def test_a_corrupt_run_is_named(run: Callable[..., Done], tmp_path: Path) -> None:
    run("walk-forward", "EmaCrossStrategy", "-d", "sample:AAPL", "--start", "2006", *FAST)
    (folder,) = (tmp_path / "runs").iterdir()
    (folder / "trials.parquet").write_bytes(b"PAR1 torn")
    done = run("runs", "show", folder.name)
    assert done.code == 1
    assert "trials.parquet" in done.err
    (folder / "manifest.json").write_text("{")
    assert "damaged" in run("runs", "list").out


# -- as a process ---------------------------------------------------------------------------


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "maestro", *arguments], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path: Path, workers: str) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    line = shlex.split("walk-forward slow.py -d sample:IBM --trials 20 --search random --splitter expanding:6")
    begun = start(tmp_path, *line, "--workers", workers)
    until = time.monotonic() + GIVE_UP
    while not list(tmp_path.glob("runs/*/partial/*.zip")) and time.monotonic() < until and begun.poll() is None:
        time.sleep(0.05)
    os.killpg(begun.pid, signal.SIGINT)  # as a terminal does: to the whole group
    out, err = begun.communicate(timeout=GIVE_UP)
    assert begun.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert re.search(r"cancelled after [1-5] of 6 folds; they are kept in runs/\w+", err)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/partial/*.zip")}
    assert kept
    ended = start(tmp_path, *line, "--workers", "1", "--json")
    out, err = ended.communicate(timeout=GIVE_UP)
    assert ended.returncode == 0, err
    whole = ms.load_run(next((tmp_path / "runs").iterdir()))
    assert json.loads(out)["id"] == whole.id
    assert whole.folds["fold"].to_list() == list(range(6))
    assert re.search(r"\d+%\|", err), "progress on stderr, also where it is no terminal"


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    line = f"{shlex.quote(sys.executable)} -m maestro strategies | head -1"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "Traceback" not in done.stderr
