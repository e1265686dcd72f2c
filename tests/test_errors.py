"""Every error has one root, and says what came, what is allowed and what to do."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro import errors
from maestro.errors import MaestroError, MissingExtraError, nearest

CLASSES = [thing for thing in vars(errors).values() if inspect.isclass(thing) and issubclass(thing, Exception)]
INPUT = (
    "BarsError",
    "ParameterError",
    "StrategyError",
    "MissingSeriesError",
    "SettingsError",
    "SplitError",
    "WarmupError",
)


@pytest.mark.parametrize("error", CLASSES)
def test_one_root(error: type[Exception]) -> None:
    assert issubclass(error, MaestroError)
    assert inspect.getdoc(error)
    assert issubclass(error, ValueError) == (error.__name__ in INPUT), "bad input is a ValueError, failure is not"


def test_nearest() -> None:
    known = ["EmaCrossStrategy", "MaCrossStrategy", "RSIStrategy"]
    assert nearest("emacrossstrategy", known) == " Did you mean 'EmaCrossStrategy'?"
    assert nearest("RSI", known) == " Did you mean 'RSIStrategy'?"
    assert nearest("xyz", known) == nearest("", known) == nearest("a", []) == ""


def test_the_error_of_a_missing_extra_names_its_installation() -> None:
    error = MissingExtraError("questdb", "questdb")
    assert isinstance(error, ImportError)
    assert 'pip install "maestro-research[questdb]"' in str(error)


@pytest.mark.parametrize(
    ("library", "call"),
    [
        ("vectorbt", lambda bars, path: ms.backtest(bars, "EmaCrossStrategy").to_vectorbt()),
        (
            "quantstats",
            lambda bars, path: ms.walk_forward(bars, "EmaCrossStrategy", trials=2, workers=1).report(
                path / "r.html", tearsheet=True
            ),
        ),
    ],
)
def test_what_an_extra_brings_is_missed_by_name(
    library: str, call: Callable[[ms.Bars, Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [one for one in sys.modules if one.startswith(f"maestro.engine.{library}")]:
        monkeypatch.delitem(sys.modules, name)  # loaded with its library by another test
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"{library} is not installed.*maestro-research\["):
        call(ms.load("sample:AAPL", start="2006"), tmp_path)


class Wrong(ms.Strategy):
    """Gives something else than signals."""

    kind = ms.Choice("none", ("none", "short", "raises"), search=False)
    n = ms.Int(5, 1, 10)

    def signals(self, bars: ms.Bars) -> Any:
        if self.kind == "short":
            return ms.Signals(long_entry=bars.close[1:] > 0)
        return None if self.kind == "none" else [][1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda bars: ms.strategy("EmaCros"), r"EmaCros.*[Dd]id you mean 'EmaCrossStrategy'"),
        (lambda bars: ms.backtest(bars, "Emacross"), r"Emacross.*'EmaCrossStrategy'"),
        (lambda bars: ms.backtest(bars, 5), r"5 is not a strategy; give a name"),
        (
            lambda bars: ms.backtest(bars, "EmaCrossStrategy", params={"fst": 5}),
            r"no parameter 'fst'; it has: fast, slow",
        ),
        (lambda bars: ms.backtest(bars, "EmaCrossStrategy", params={"fast": "x"}), r"fast='x' is not a whole number"),
        (lambda bars: ms.backtest(bars, "EmaCrossStrategy", params={"fast": True}), r"fast=True is not a whole number"),
        (
            lambda bars: ms.backtest(bars, "EmaCrossStrategy", params={"fast": 0}),
            r"fast=0 is out of bounds; allowed: .*1",
        ),
        (lambda bars: ms.backtest(bars, "EmaCrossStrategy", params={"fast": 120}), r"needs fast < slow; got fast=120"),
        (
            lambda bars: ms.backtest(bars[:90], "EmaCrossStrategy"),
            r"slow=100.* needs 100 bars.*more than half of the 90",
        ),
        (lambda bars: ms.backtest(bars, Wrong), r"Wrong.signals returned NoneType; return ms.Signals"),
        (lambda bars: ms.backtest(bars, Wrong(kind="short")), r"returned 299 values for 300 bars; return one per bar"),
        (
            lambda bars: ms.backtest(bars, "FundingRateArbitrage"),
            r"needs funding_rate, which .* does not carry.*proxy=True",
        ),
        (lambda bars: ms.backtest(bars, "EmaCrossStrategy", cash=-1), r"cash"),
        (lambda bars: ms.backtest(bars, "EmaCrossStrategy", fill="open"), r"fill"),  # type: ignore[arg-type]
        (lambda bars: ms.backtest(bars, "EmaCrossStrategy", engine="fats"), r"engine='fats' is unknown.*'fast'"),
        (lambda bars: ms.backtest(bars.to_frame(), "EmaCrossStrategy"), r"bars is a DataFrame; give ms.Bars"),
        (lambda bars: ms.Costs(fee=0.6), r"fee=0.6 is not a fraction from .* 0.1 % is 0.001"),
        (lambda bars: ms.Costs(slippage=-0.1), r"slippage=-0.1 is not a fraction"),
        (lambda bars: ms.Costs.of("BINANC"), r"no costs are known for 'BINANC'; known: .*Did you mean 'BINANCE'"),
        (lambda bars: ms.Sizing.percent(2.0), r"percent\(2\) is above max_exposure=1"),
        (lambda bars: ms.Sizing.units(0), r"units: value=0 is not a number above 0"),
        (lambda bars: ms.walk_forward(bars, "EmaCrossStrategy", trials=0), r"trials=0 leaves nothing to search"),
        (
            lambda bars: ms.walk_forward(bars, "EmaCrossStrategy", search="bayes"),
            r"search='bayes' is unknown; allowed: ",
        ),
        (lambda bars: ms.walk_forward(bars, "EmaCrossStrategy", splitter=ms.Rolling(400)), r"Rolling\(400.*no split"),
        (lambda bars: ms.walk_forward(bars, "EmaCrossStrategy", splitter=ms.Expanding(n_splits=0)), r"n_splits=0"),
        (
            lambda bars: ms.walk_forward(bars, "EmaCrossStrategy", splitter=ms.Calendar("6 months")),
            r"train='6 months' is not",
        ),
        (lambda bars: ms.walk_forward(bars, "EmaCrossStrategy", seed=-1), r"seed"),
        (lambda bars: ms.walk_forward(bars, "EmaCrossStrategy", workers=0), r"workers=0 is not a whole number"),
        (
            lambda bars: ms.walk_forward(bars, "EmaCrossStrategy", select="sharp"),
            r"no metric is called 'sharp'; there are",
        ),
        (lambda bars: ms.sweep(bars, "EmaCrossStrategy", n=0), r"n=0 leaves nothing to evaluate"),
        (lambda bars: ms.sweep(bars, "EmaCrossStrategy", sampler="sobol2"), r"sampler='sobol2' is unknown.*'sobol'"),
        (lambda bars: ms.load_run("feed"), r"no run 'feed' in runs"),
        (lambda bars: ms.Int(5, 10, 1), r"needs minimum <= low <= high"),
        (lambda bars: ms.Float(0.5, 0.0, 1.0, log=True), r"a log scale needs low and high of one sign"),
        (lambda bars: ms.Signals(), r"Signals without any array"),
        (lambda bars: ms.Signals(long_entry=[0, 1]), r"long_entry has dtype int64; give booleans"),
        (lambda bars: ms.Signals([True], stop=-1.0), r"stop is -1.0 at bar 0; give values above 0"),
        (lambda bars: ms.Signals([True], stop=1.0, stop_unit="percent"), r"stop_unit is 'percent'; allowed: fraction"),  # type: ignore[arg-type]
    ],
)
def test_bad_input(call: Callable[[ms.Bars], Any], message: str) -> None:
    with pytest.raises(MaestroError, match=message) as caught:
        call(ms.synthetic_bars(300, seed=1))
    assert isinstance(caught.value, ValueError) or "run" in message
    assert "\n" not in str(caught.value)


def test_a_strategy_that_raises_raises_its_own_error() -> None:
    with pytest.raises(IndexError):
        ms.backtest(ms.synthetic_bars(300), Wrong(kind="raises"))


def walk(folder: Path) -> ms.WalkForward:
    return ms.walk_forward(ms.synthetic_bars(900, seed=1), "EmaCrossStrategy", params={"slow": 60}, trials=3,
                           splitter=ms.Expanding(n_splits=3), workers=1, runs_dir=folder)  # fmt: skip


def test_a_runs_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MaestroError, match=r"file/runs"):
        walk(tmp_path / "file" / "runs")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *(
            (name, how)
            for name in ("trials.parquet", "folds.parquet", "equity.parquet")
            for how in ("torn", "changed", "gone")
        ),
        ("manifest.json", "torn"),
    ],
)
def test_a_damaged_run_is_named_and_never_loaded(tmp_path: Path, name: str, damage: str) -> None:
    wf = walk(tmp_path)
    path = tmp_path / wf.id / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "torn":
        path.write_bytes(content[: len(content) // 2])
    else:
        table = pl.read_parquet(path)
        table[::-1].write_parquet(path)
    with pytest.raises(MaestroError, match=name):
        ms.load_run(tmp_path / wf.id)


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_disk_that_fills(tmp_path: Path) -> None:
    import resource

    line = (
        "walk-forward",
        "EmaCrossStrategy",
        "-d",
        "sample:AAPL",
        "--trials",
        "30",
        "--workers",
        "1",
        "--no-progress",
    )

    def start(limit: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "maestro", *line], cwd=tmp_path, text=True, capture_output=True, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )  # fmt: skip

    full = start(20_000)
    assert full.returncode == 1, full.stderr
    assert "Traceback" not in full.stderr
    assert full.stderr.startswith("maestro: ")
    assert not list(tmp_path.rglob("*.parquet"))
    freed = start(resource.RLIM_INFINITY)
    assert freed.returncode == 0, freed.stderr


def test_only_an_interrupt_is_not_an_exception_under_the_root() -> None:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, BaseException)]
    assert {c for c in classes if not issubclass(c, MaestroError)} == {errors.RunInterrupted}
    assert issubclass(errors.RunInterrupted, KeyboardInterrupt)
    assert not issubclass(errors.RunInterrupted, Exception)


def test_a_notebook_shows_the_message_and_the_lines_outside_of_maestro() -> None:
    with pytest.raises(errors.StrategyError) as caught:
        ms.backtest(ms.synthetic_bars(300), "Nothing")
    first, *lines = caught.value._render_traceback_()
    assert str(caught.value) in first
    assert [line.rsplit(": ", 1)[1] for line in lines] == ['ms.backtest(ms.synthetic_bars(300), "Nothing")']


def test_the_line_of_the_strategy_that_raised_is_shown() -> None:
    def breaks() -> None:
        raise ValueError("inner")

    def wrap() -> None:
        try:
            breaks()
        except ValueError as error:
            raise errors.StrategyError("outer") from error

    with pytest.raises(errors.StrategyError) as caught:
        wrap()
    shown = "\n".join(caught.value._render_traceback_())
    assert 'raise ValueError("inner")' in shown
