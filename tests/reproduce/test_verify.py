"""A recorded run repeats bit for bit, and what differs is named: files, manifest, ledger, bars, code, result."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro.bars.source_line import evaluate, named
from maestro.errors import RunError, SettingsError, StrategyError
from maestro.reproduce.verify import Verification
from maestro.runs.store import TABLES, _manifest
from tests.support.rewriting import rewritten

FEW: dict[str, Any] = {"splitter": "rolling:4,2,1", "trials": 8, "workers": 1}


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.synthetic_bars(900, seed=3)


@pytest.fixture
def run(bars: ms.Bars, tmp_path: Path) -> ms.WalkForward:
    return ms.walk_forward(bars, "EmaCrossStrategy", runs_dir=tmp_path / "runs", **FEW)


def again(wf: ms.WalkForward, **more: Any) -> Verification:
    assert wf.folder is not None
    return ms.verify(wf.folder, **{"folds": "all", "workers": 1, **more})


def kinds(outcome: Verification) -> set[str]:
    return {what for what, _ in outcome.differences}


# -- equal ---------------------------------------------------------------------------------------


def test_a_run_repeats_bit_for_bit(run: ms.WalkForward, tmp_path: Path) -> None:
    before = ms.Ledger("SYNTHETIC:WALK-3:1h").trials
    outcome = again(run)
    assert outcome.equal
    assert outcome.folds == [0, 1, 2]
    assert outcome.conclusion == f"Run {run.id}: all 3 folds repeat bit for bit."
    one = ms.verify(run.id[:6], runs_dir=tmp_path / "runs")
    assert one.equal
    assert len(one.folds) == 1
    assert f"fold {one.folds[0]} of 3 repeats bit for bit" in one._repr_html_()
    assert again(run, folds=[2, 1]).folds == [1, 2]
    assert ms.Ledger("SYNTHETIC:WALK-3:1h").trials == before  # nothing counts
    assert not outcome.notes


@pytest.mark.parametrize(
    "settings",
    [
        {"search": "sobol", "splitter": "expanding:3", "select": {"sharpe_ratio": 1.0, "vwr": 0.1}},
        {"search": "random", "splitter": ms.Calendar(train="2w", test="1w"), "warm_start": True},
        {"search": "grid", "params": {"fast": 12}, "splitter": "adaptive:3,2", "sizing": "volatility:0.3"},
        {"space": {"fast": (5, 9), "slow": [30, 40]}, "costs": ms.Costs(fee=0.002, slippage=0.0), "fill": "close"},
    ],
)
def test_every_kind_of_run_repeats_bit_for_bit(bars: ms.Bars, tmp_path: Path, settings: dict[str, Any]) -> None:
    if "slow" in settings.get("space", {}):
        settings = {**settings, "space": {"fast": (5, 9), "slow": (30, 40, 5)}}
    wf = ms.walk_forward(bars, "EmaCrossStrategy", runs_dir=tmp_path, **{**FEW, **settings})
    outcome = again(wf)
    assert outcome.equal, repr(outcome)
    assert again(wf, folds=1).equal


def test_a_result_that_is_not_on_disk_can_be_repeated(bars: ms.Bars) -> None:
    wf = ms.walk_forward(bars, ms.strategy("RSIStrategy", period=9), **FEW)
    assert ms.verify(wf, folds="all").equal


class Chop:
    """A splitter of one's own."""

    def split(self, bars: ms.Bars) -> list[tuple[int, int, int, int]]:
        return [(0, 300, 300, 400), (100, 400, 410, 500)]


def test_user_defined_splitters_samplers_and_classes_repeat_bit_for_bit(bars: ms.Bars, tmp_path: Path) -> None:
    import optuna

    class Mine(ms.Strategy):
        n = ms.Int(20, 2, 90)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            long = bars.close > ms.indicators.sma(bars.close, self.n)
            return ms.Signals(long, ~long)

    sampler = optuna.samplers.RandomSampler()
    wf = ms.walk_forward(bars, Mine, splitter=Chop(), search=sampler, trials=6, workers=1, runs_dir=tmp_path)
    with pytest.raises(StrategyError, match=r"user-defined strategy Mine, .*give its class"):
        again(wf)
    with pytest.raises(SettingsError, match=r"the run's search was the object .*RandomSampler; give an equal one"):
        again(wf, strategy=Mine)
    with pytest.raises(StrategyError, match="was made with Mine, given is "):
        again(wf, strategy=type(ms.strategy("RSIStrategy")))
    assert again(wf, strategy=Mine, search=optuna.samplers.RandomSampler()).equal
    outcome = again(wf, strategy=Mine, search=optuna.samplers.TPESampler(n_startup_trials=2))
    assert "the setting search cannot be reproduced as recorded" in repr(outcome)


# -- files ---------------------------------------------------------------------------------------


def test_a_flipped_bit_in_any_file_is_found(run: ms.WalkForward) -> None:
    assert run.folder is not None
    for name in [f"{table}.parquet" for table in TABLES] + ["manifest.json"]:
        path = run.folder / name
        content = path.read_bytes()
        for at in [*range(0, len(content), max(len(content) // 60, 1)), len(content) - 1]:
            path.write_bytes(content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :])
            outcome = again(run, folds=0)
            assert not outcome.equal, f"bit {at % 8} of byte {at} of {name}"
            assert kinds(outcome) == {"manifest" if name == "manifest.json" else "file"}
            assert name in repr(outcome)
        path.write_bytes(content)
    (run.folder / "trades.parquet").unlink()
    assert "trades.parquet is missing" in repr(again(run))


@pytest.mark.parametrize(
    ("table", "column", "fold"),
    [("trials", "sharpe_ratio", 1), ("equity", "position", 2), ("trades", "pnl", 0), ("folds", "oos_vwr", 1)],
)  # fmt: skip
def test_a_forged_value_is_named(run: ms.WalkForward, table: str, column: str, fold: int) -> None:
    def forge(frame: pl.DataFrame) -> pl.DataFrame:
        first = (pl.col("fold") == fold) & (pl.col("fold").cum_count() == pl.col("fold").search_sorted(fold) + 1)
        return frame.with_columns(pl.when(first).then(pl.col(column) + 1e-9).otherwise(pl.col(column)).alias(column))

    rewritten(run.folder, table, forge)
    outcome = again(run, folds=fold)
    assert "result" in kinds(outcome)
    assert f"fold {fold}" in repr(outcome)
    assert f"{column} in row 0 was " in repr(outcome)
    assert "does not repeat the recorded result" in outcome.conclusion
    assert "result" not in kinds(again(run, folds=(fold + 1) % 3))


def test_figures_that_are_not_those_of_the_tables_are_found(run: ms.WalkForward) -> None:
    assert run.folder is not None
    path = run.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest.pop("seal")
    manifest["metrics"]["sharpe_ratio"] = 3.0
    path.write_bytes(_manifest(manifest))
    outcome = again(run, folds=0)
    assert outcome.differences == [("manifest", "its sharpe_ratio are not those of its tables")]
    assert "bit for bit, but its manifest was changed" in outcome.conclusion


def test_a_ledger_that_was_rewritten_is_found(bars: ms.Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "books"))
    wf = ms.walk_forward(bars, "EmaCrossStrategy", runs_dir=tmp_path / "runs", **FEW)
    assert again(wf, folds=0).equal
    path = ms.Ledger(bars).path
    content = path.read_bytes()
    for at in range(0, len(content), 97):
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :])
        assert kinds(again(wf, folds=0)) == {"ledger"}, f"bit {at % 8} of byte {at}"
    path.write_bytes(content)
    for path in ms.ledger.folder().iterdir():
        path.unlink()
    outcome = again(wf, folds=0)
    assert outcome.equal
    assert "no ledger of SYNTHETIC:WALK-3:1h" in outcome.notes[0]
    ms.Ledger(bars).record("slider", trials=1)  # a new one, chained and anchored
    assert not ms.ledger.verify()
    assert kinds(again(wf, folds=0)) == {"ledger"}
    assert wf.folder is not None
    ms.runs.RunStore(wf.folder).note_fetched("http://127.0.0.1:8400")  # as the client does
    outcome = again(wf, folds=0)
    assert outcome.equal
    assert "The run was made on http://127.0.0.1:8400, whose ledger of SYNTHETIC:WALK-3:1h is not" in outcome.notes[0]
    ms.walk_forward(bars, "EmaCrossStrategy", runs_dir=tmp_path / "runs", force=True, **FEW)
    assert ms.runs.RunStore(wf.folder).fetched_from() == "", "it was computed here"


# -- what went in --------------------------------------------------------------------------------


def test_bars_that_are_others_are_named(run: ms.WalkForward, bars: ms.Bars) -> None:
    frame = bars.to_frame()
    changed = ms.Bars.from_frame(frame.with_columns(pl.col("volume") + (pl.int_range(pl.len()) == 500)))
    for other, words in (
        (changed, "number and range are the same, prices, volumes"),
        (bars[:850], "their number differs"),
        (ms.synthetic_bars(100, seed=1), "their number differs"),
    ):
        outcome = again(run, bars=other)
        assert kinds(outcome) == {"bars"}
        assert words in repr(outcome)
        assert "not repeated" in outcome.conclusion


def test_bars_of_a_file_are_found_again_or_asked_for(
    bars: ms.Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bars.to_frame().write_parquet("prices.parquet")
    loaded = ms.load("prices.parquet", start="2020-01-03", periods_per_year=5_000)
    wf = ms.walk_forward(loaded, "EmaCrossStrategy", runs_dir="runs", **FEW)
    assert again(wf).equal
    (tmp_path / "prices.parquet").rename("other.parquet")
    outcome = again(wf)
    assert kinds(outcome) == {"bars"}
    assert "prices.parquet" in repr(outcome)
    assert again(wf, bars="other.parquet").equal
    nameless = ms.walk_forward(ms.Bars.from_frame(bars.to_frame()), "EmaCrossStrategy", runs_dir="runs", **FEW)
    assert "does not say where its bars" in repr(again(nameless))


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('true')", "ms.load_sample(open('x').read())", "ms.runs.remove('a')", "1 +", "ms",
     "ms.load", "ms.load_sample('AAPL').to_frame()", "ms.load_sample('AAPL')[0]", "bars"],
)  # fmt: skip
def test_nothing_but_the_known_calls_is_carried_out(text: str) -> None:
    assert evaluate(text) is None


def test_the_known_calls_are_carried_out() -> None:
    message = "ms.synthetic_bars(900, seed=2, timeframe='1h')[24:800].between('2020-01-05', None).resample('2h')"
    expected = ms.synthetic_bars(900, seed=2, timeframe="1h")[24:800].between("2020-01-05", None).resample("2h")
    found = evaluate(message)
    assert found is not None
    assert found.fingerprint == expected.fingerprint


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("ms.load('a.csv')", {"data": "a.csv", "start": None, "end": None}),
        ("ms.load('B:X:1h', start='2020', end='2021')", {"data": "B:X:1h", "start": "2020", "end": "2021"}),
        ("ms.load_sample('IBM')", {"data": "sample:IBM", "start": None, "end": None}),
        ("ms.load_sample('IBM', adjusted=False)", {}),
        ("ms.load('a.csv')[:9]", {}),
        ("ms.load('a.csv', join=())", {}),
        ("ms.synthetic_bars(900)", {}),
        ("ms.load(name)", {}),
        ("", {}),
    ],
)
def test_settings_that_name_bars(text: str, settings: dict[str, Any]) -> None:
    assert named(text) == settings


def test_an_edited_strategy_is_named(bars: ms.Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(rule: str) -> Any:
        path = tmp_path / "rules.py"
        path.write_text(
            textwrap.dedent(f"""
            import maestro as ms

            class Mine(ms.Strategy):
                n = ms.Int(20, 2, 90)

                def signals(self, bars):
                    long = {rule}
                    return ms.Signals(long, ~long)
        """)
        )
        from maestro.cli.parsing import read_strategy

        return read_strategy(f"{path}:Mine", None)

    wf = ms.walk_forward(
        bars, write("bars.close > ms.indicators.sma(bars.close, self.n)"), runs_dir=tmp_path / "r", **FEW
    )
    outcome = again(wf, strategy=write("bars.close >= ms.indicators.ema(bars.close, self.n)"))
    assert kinds(outcome) == {"code", "result"}
    assert "its strategy is not what it was" in outcome.conclusion
    outcome = again(wf, strategy=write("bars.close > ms.indicators.sma(bars.close, 1 * self.n)"))
    assert kinds(outcome) == {"code"}


def test_other_versions_are_a_note(run: ms.WalkForward, monkeypatch: pytest.MonkeyPatch) -> None:
    from maestro.reproduce import verify as repeat

    real = repeat.versions()
    monkeypatch.setattr(repeat, "versions", lambda: {**real, "numpy": "9.9", "cpu": "another", "code": "x"})
    outcome = again(run, folds=0)
    assert outcome.equal
    assert [note.split(" was ")[0] for note in outcome.notes] == ["Maestro's own code", "the kind of CPU", "numpy"]


# -- what cannot be done -------------------------------------------------------------------------


def test_what_is_not_there_is_named(run: ms.WalkForward, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run 'zzz'"):
        ms.verify("zzz", runs_dir=tmp_path / "runs")
    for fold in (3, -1, True, "first"):
        with pytest.raises(SettingsError, match=r"there is no fold .*; the run has 0 to 2"):
            again(run, folds=[fold] if isinstance(fold, str) else fold)
