"""`walk_forward` and `plan` on real samples: the result is reproduced from its manifest; bad input is refused."""

from __future__ import annotations

import math
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.bars import Bars, catalog
from maestro.errors import BarsError, MaestroError, ParameterError, RunError, SettingsError, SplitError, StrategyError
from maestro.walkforward import Selection

ROOT = Path(__file__).parents[2]


QUICK: dict[str, Any] = {"trials": 8, "seed": 5}


@pytest.fixture(scope="module")
def apple() -> Bars:
    return ms.load_sample("AAPL")


@pytest.fixture(scope="module")
def wf(apple: Bars) -> ms.WalkForward:
    return ms.walk_forward(apple, "EmaCrossStrategy", **QUICK)


def test_a_walk_forward_on_real_bars_has_everything_that_is_pinned(wf: ms.WalkForward, apple: Bars) -> None:
    assert len(wf.folds) == 9
    assert wf.folds.columns[:7] == ["fold", "train_start", "train_end", "test_start", "test_end", "fast", "slow"]
    assert wf.folds.columns[-1] == "error"
    assert {"is_sharpe_ratio", "oos_sharpe_ratio", "oos_vwr"} <= set(wf.folds.columns)
    assert wf.trials.columns[:7] == ["fold", "trial", "state", "chosen", "error", "fast", "slow"]
    assert wf.equity.columns == [
        "timestamp", "fold", "equity", "return", "drawdown", "position", "close", "benchmark",
    ]  # fmt: skip
    assert wf.trades.columns[:2] == ["fold", "side"]
    assert len(wf.trials) == 9 * 8
    assert wf.spec.periods_per_year == 252
    assert "AAPL" in wf.spec.bars.name
    assert wf.spec.bars.n == len(apple)
    assert math.isfinite(wf.metrics["sharpe_ratio"])
    assert wf.id in repr(wf)


def test_synthetic_bars_are_noted() -> None:
    wf = ms.walk_forward(
        ms.synthetic_bars(1_500, seed=1), "EmaCrossStrategy", trials=3, splitter=ms.Rolling(n_splits=4)
    )
    assert any("synthetic" in note for note in wf.notes)
    assert wf.spec.bars.synthetic is True


CASES: dict[str, dict[str, Any]] = {
    "as it stands": {},
    "everything given": {
        "splitter": ms.Expanding(n_splits=3, purge=5), "search": "random", "params": {"fast": 11},
        "space": {"slow": (20, 80, 5)}, "costs": ms.Costs(fee=0.0005, slippage=0.0),
        "sizing": ms.Sizing.volatility(0.2, max_exposure=2.0), "cash": 5_000, "fill": "close",
        "select": {"sharpe_ratio": 1.0, "-volatility": 0.5}, "warm_start": True,
    },
    "a selection": {
        "select": Selection(("vwr", "calmar_ratio"), "pareto"), "splitter": ms.Calendar(train="2y", test="1y"),
    },
    "an instance": {"strategy": ms.strategy("EmaCrossStrategy", fast=9, slow=33), "splitter": ms.Adaptive(n_splits=3)},
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
def test_the_lines_of_python_give_the_same_run(case: str, apple: Bars) -> None:
    settings = {**QUICK, **CASES[case]}
    strategy = settings.pop("strategy", "EmaCrossStrategy")
    wf = ms.walk_forward(apple, strategy, **settings)
    space: dict[str, Any] = {}
    exec(wf.manifest["python"], space)
    assert space["wf"].id == wf.id
    assert space["wf"].trials.equals(wf.trials)


def test_the_lines_of_python_run_by_themselves(wf: ms.WalkForward) -> None:
    code = wf.manifest["python"] + "print(wf.id)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120, check=True
    )
    assert done.stdout.strip() == wf.id


def test_the_line_of_the_shell_is_kept(apple: Bars, tmp_path: Path) -> None:
    line = "maestro walk-forward EmaCrossStrategy --data sample:AAPL"
    live = ms.walk_forward(apple, "EmaCrossStrategy", **QUICK, runs_dir=tmp_path, command=line)
    assert ms.load_run(live.id, tmp_path).manifest["command"] == line
    assert live.id == ms.walk_forward(apple, "EmaCrossStrategy", **QUICK).id


MAIN = "import sys; from maestro.cli import main; sys.argv[0] = 'maestro'; main()"


def test_the_line_of_the_shell_gives_the_same_run(wf: ms.WalkForward, tmp_path: Path) -> None:
    words = ["walk-forward", "EmaCrossStrategy", "--data", "sample:AAPL", "--trials", "8", "--seed", "5"]
    words += ["--runs-dir", str(tmp_path), "--no-progress"]
    subprocess.run([sys.executable, "-c", MAIN, *words], capture_output=True, cwd=ROOT, timeout=120, check=True)
    found = ms.load_run(wf.id, tmp_path)
    assert found.trials.equals(wf.trials)
    again = shlex.split(found.manifest["command"])
    assert again[:2] == ["maestro", "walk-forward"]
    assert {"sample:AAPL", "EmaCrossStrategy", "--trials", "--seed"} <= set(again)


def test_the_searches_open_in_optuna(wf: ms.WalkForward, tmp_path: Path) -> None:
    import optuna

    names = wf.to_optuna(tmp_path / "studies.log")
    assert len(names) == 9
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(tmp_path / "studies.log")))
    study = optuna.load_study(study_name=names[2], storage=storage)
    rows = wf.trials.filter(fold=2)
    assert [t.params for t in study.trials] == rows.select("fast", "slow").to_dicts()
    chosen = rows.filter("chosen")
    assert study.best_value == pytest.approx(chosen["sharpe_ratio"].item(), rel=1e-11)


def test_a_result_shows_itself_and_writes_its_report(wf: ms.WalkForward, tmp_path: Path) -> None:
    assert wf.id in wf._repr_html_()
    path = wf.report(tmp_path / "report.html")
    assert path == tmp_path / "report.html"
    assert wf.id in path.read_text()


def test_a_stored_run_keeps_its_report_beside_it(apple: Bars, tmp_path: Path) -> None:
    live = ms.walk_forward(apple, "EmaCrossStrategy", **QUICK, runs_dir=tmp_path)
    assert live.report() == tmp_path / live.id / "report.html"


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"trials": 0}, SettingsError, "trials=0 leaves nothing to search; give a whole number of at least 1"),
        ({"trials": 2.5}, SettingsError, "trials=2.5 leaves nothing"),
        (
            {"search": "tpo"},
            SettingsError,
            r"search='tpo' is unknown; allowed: tpe, grid, random, sobol, or an Optuna.*'tpe'",
        ),
        ({"search": 42}, SettingsError, "search=42 is not a sampler; give a name, an Optuna sampler such as"),
        ({"pruner": object()}, SettingsError, "a pruner does not work with search='tpe'; give an Optuna sampler"),
        ({"seed": -1}, SettingsError, "seed=-1 is not a valid seed; give a whole number from 0 to 4294967295"),
        ({"seed": "x"}, SettingsError, "seed='x' is not a valid seed"),
        ({"cash": 1e300}, SettingsError, r"cash=1e\+300 is not between 1e-100 and 1e100"),
        ({"cash": -5}, SettingsError, "cash=-5 is not an amount above 0; give the starting cash"),
        ({"fill": "open"}, SettingsError, "fill='open' is unknown; allowed: next_open, close"),
        ({"select": "sharp"}, SettingsError, "no metric is called 'sharp'; there are: sharpe_ratio"),
        ({"splitter": ms.Rolling(n_splits=5_000)}, SplitError, "into 5001 folds of 0; that leaves no split"),
        ({"splitter": 10}, SplitError, r"splitter=10 cannot split; give a text like rolling:10,2,1"),
        (
            {"params": {"fsat": 1}},
            ParameterError,
            "EmaCrossStrategy has no parameter 'fsat'; it has: fast, slow.*'fast'",
        ),
        ({"params": {"fast": "x"}}, ParameterError, "fast='x' is not a whole number; allowed: whole numbers from"),
        ({"params": {"fast": 0}}, ParameterError, "fast=0 is out of bounds; allowed: whole numbers from 1"),
        ({"space": {"fast": (30, 20)}}, SettingsError, r"fast: range \[30..20\] is empty; give the lower end first"),
        ({"params": {"fast": 5}, "space": {"fast": (5, 9)}}, SettingsError, "fixed and searched at once"),
        (
            {"space": {"fast": (90, 100), "slow": (20, 30)}, "search": "grid"},
            SettingsError,
            "No set on a grid of at most",
        ),
        ({"space": {"fast": (90, 100), "slow": (20, 30)}, "search": "sobol"}, SettingsError, "satisfy fast < slow"),
    ],
)
def test_impossible_settings_are_refused_with_a_remedy(
    apple: Bars, tmp_path: Path, settings: Any, error: type[MaestroError], message: str
) -> None:
    with pytest.raises(error, match=message):
        ms.walk_forward(apple, "EmaCrossStrategy", **{**QUICK, **settings})


def test_strategies_and_bars_that_are_none_are_refused(apple: Bars) -> None:
    with pytest.raises(StrategyError, match="Did you mean 'EmaCrossStrategy'"):
        ms.walk_forward(apple, "EmaCros")
    with pytest.raises(StrategyError, match="cannot be searched; give a name"):
        ms.walk_forward(apple, 3)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"bars is a DataFrame; give ms\.Bars"):
        ms.walk_forward(apple.to_frame(), "EmaCrossStrategy")  # type: ignore[arg-type]


def test_an_instance_outside_the_searched_space_is_refused(apple: Bars) -> None:
    with pytest.raises(SettingsError, match="A first trial lies outside the searched space: fast=50; searched are"):
        ms.walk_forward(apple, ms.strategy("EmaCrossStrategy", fast=50, slow=60), space={"fast": (5, 20)})


def test_a_series_that_is_missing_is_named_in_every_fold(apple: Bars) -> None:
    name = next(n for n in ms.strategies() if "funding_rate" in ms.strategy(n).requires)
    wf = ms.walk_forward(apple, name, trials=2)
    assert len(wf.failed_folds) == 9
    assert wf.folds["error"].str.contains("needs funding_rate, which .* does not carry").all()


def test_too_few_bars_for_the_warm_up_are_reported() -> None:
    wf = ms.walk_forward(ms.synthetic_bars(120, seed=1), "EmaCrossStrategy", trials=3)
    assert wf.folds["error"].str.contains(r"All of the sets .* longer than half of the \d\d bars of the training").all()


def test_a_missing_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no run '0123' in .*; there are: none"):
        ms.load_run("0123", tmp_path)


def test_seeds_and_trials_may_be_numpy_numbers(apple: Bars, wf: ms.WalkForward) -> None:
    again = ms.walk_forward(apple, "EmaCrossStrategy", trials=np.int64(8), seed=np.int64(5))  # type: ignore[arg-type]
    assert again.id == wf.id


def test_fatal_defects_are_refused_unless_they_are_accepted(tmp_path: Path) -> None:
    whole = ms.synthetic_bars(4_000, seed=2).to_frame()
    holed = Bars.from_frame(pl.concat([whole[:1_500], whole[3_800:]]), timeframe="1h")  # 96 days are missing
    asked: dict[str, Any] = {"trials": 2, "splitter": "rolling:3,2,1", "runs_dir": tmp_path, "executor": "serial"}
    with pytest.raises(BarsError, match=r"fatal defects \(hole: .*accept_defects=True"):
        ms.walk_forward(holed, "RSIStrategy", **asked)
    assert not list(tmp_path.iterdir()), "nothing was written"
    wf = ms.walk_forward(holed, "RSIStrategy", **asked, accept_defects=True)
    assert any("fatal defects, which were accepted: hole" in note for note in wf.notes)
    assert ms.load_run(wf.id, tmp_path).notes == wf.notes
    assert any(row["severity"] == "fatal" for row in wf.manifest["quality"])


def test_a_gap_of_the_exchange_differs_from_a_missing_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maestro.data.outages import Outages
    from maestro.data.stores import SeriesKey, configured_store

    monkeypatch.setenv("MAESTRO_STORE", f"parquet:{tmp_path / 'bars'}")
    store, key = configured_store(), SeriesKey.parse("BITMEX:XBTUSD:1h")
    frame = ms.synthetic_bars(300, seed=4).to_frame()
    store.append(key, pl.concat([frame[:100], frame[110:200], frame[210:]]))
    unknown = ms.load(str(key)).quality()
    gap = frame["timestamp"].to_physical()
    Outages.of(store).add(key, [(gap[100], gap[110])], now_us=2 * int(gap[-1]))
    catalog._loaded.clear()
    known = ms.load(str(key))
    assert unknown.table.filter(pl.col("check") == "gap")["count"].to_list() == [2]
    assert known[50:].quality().table.filter(pl.col("check") == "gap")["count"].to_list() == [1]
    assert "exchange outage" in known.quality().table["check"].to_list()


def test_the_plan_has_the_id_that_the_run_gets(tmp_path: Path) -> None:
    bars = ms.load_sample("IBM")
    planned = ms.plan(bars, "RSIStrategy", splitter="rolling:4,2,1", trials=5, seed=2)
    wf = ms.walk_forward(bars, "RSIStrategy", splitter="rolling:4,2,1", trials=5, seed=2, runs_dir=tmp_path)
    assert (planned.id, planned.spec) == (wf.id, wf.spec)
    assert (planned.folds, planned.trials) == (len(wf.folds), 5)
    assert str(planned) == f"Planned({wf.id}: {len(wf.folds)} folds, 5 trials each)"


def test_the_estimate_grows_with_the_work() -> None:
    bars = ms.load_sample("IBM")
    few, many = (ms.plan(bars, "RSIStrategy", trials=trials).estimate() for trials in (10, 100_000))
    assert 0 < few < many


def test_a_plan_that_cannot_run_is_refused() -> None:
    bars = ms.load_sample("IBM")
    with pytest.raises(SettingsError, match="trials=0"):
        ms.plan(bars, "RSIStrategy", trials=0)
    with pytest.raises(SplitError):
        ms.plan(bars[:20], "RSIStrategy", splitter="rolling:19,2,1")
