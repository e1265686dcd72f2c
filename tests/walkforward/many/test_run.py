"""Many walk-forwards: each is that of `walk_forward`, whatever runs it, and none is lost when the process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro.bars.universe import Universe
from maestro.errors import RunCancelled, SettingsError
from maestro.ledger import Ledger, ledgers
from maestro.ledger.series import series_of
from maestro.walkforward.many import Cell, Progress
from tests.support.patience import GIVE_UP

SETTINGS: dict[str, Any] = {"splitter": "rolling:3,1,1", "trials": 4}
RULES = ["EmaCrossStrategy", "RSIStrategy"]


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger that no other test writes, as counts are compared."""
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "ledger"))
    return tmp_path / "ledger"


def three() -> Universe:
    return ms.universe({name: ms.synthetic_bars(800, k, "1d") for k, name in enumerate("ABC")})


class Picky(ms.Strategy):
    """Fails on one series, as a rule that needs another column does."""

    fast = ms.Int(5, 2, 9)

    def signals(self, bars: Any) -> Any:
        if bars.symbol == "WALK-1":
            raise ValueError("no such column")
        return ms.Signals.flip(bars.close > bars.open, bars.close < bars.open)


@pytest.mark.parametrize("executor", ["serial", "threads", "processes"])
def test_each_result_is_that_of_walk_forward(executor: str, tmp_path: Path) -> None:
    u = three()
    many = ms.walk_forward_many(u, RULES, executor=executor, workers=2, **SETTINGS)
    assert list(many) == [Cell(s, "1d", r) for s in "ABC" for r in RULES]
    for cell, found in many.items():
        own = ms.walk_forward(u[cell.symbol], cell.strategy, executor="serial", **SETTINGS)
        assert found.id == own.id
        assert found.metrics == pytest.approx(own.metrics, rel=0, abs=0, nan_ok=True)
        for name in ("folds", "trials", "equity", "trades"):
            assert getattr(found, name).equals(getattr(own, name)), (cell, name)
        assert found.spec == own.spec
        assert found.notes == own.notes
        assert found.bars is u[cell.symbol]


def test_order_of_symbols_and_strategies_does_not_matter() -> None:
    u = three()
    one = ms.walk_forward_many(u, RULES, executor="serial", **SETTINGS)
    turned = ms.universe({name: u[name] for name in reversed(u.symbols)})
    two = ms.walk_forward_many(turned, RULES[::-1], executor="serial", **SETTINGS)
    assert one.id == two.id
    assert one.table.equals(two.table)


def test_a_series_or_a_rule_that_fails_is_an_error_in_its_row() -> None:
    u = ms.universe({**three(), "short": ms.synthetic_bars(5, timeframe="1d"), "bad": pl.DataFrame({"close": [1.0]})})
    many = ms.walk_forward_many(u, [Picky, "RSIStrategy"], executor="serial", **SETTINGS)
    errors = {cell[::2]: why for cell, why in many.errors.items()}
    assert "no such column" in errors["B", "Picky"]
    assert {name for name, _ in errors} == {"B", "bad", "short"}
    assert many.table["error"].is_not_null().sum() == len(many.errors) == 5
    assert many.table.filter(symbol="A", strategy="Picky")["error"].to_list() == [None]


def test_settings_that_suit_no_series_are_refused() -> None:
    with pytest.raises(SettingsError, match="none of 3 can run; the first, RSIStrategy on A 1d: trials=0"):
        ms.walk_forward_many(three(), "RSIStrategy", trials=0)
    with pytest.raises(SettingsError, match="RSIStrategy is named twice"):
        ms.walk_forward_many(three(), ["RSIStrategy", "RSIStrategy"])
    with pytest.raises(SettingsError, match="no strategy to run"):
        ms.walk_forward_many(three(), [])
    with pytest.raises(SettingsError, match="executor='process' is unknown"):
        ms.walk_forward_many(three(), RULES, executor="process")
    with pytest.raises(SettingsError, match="progress=7"):
        ms.walk_forward_many(three(), RULES, progress=7, executor="serial", **SETTINGS)


def test_several_timeframes_of_each_series() -> None:
    u = ms.universe({"A": ms.synthetic_bars(2_400, timeframe="1h")})
    many = ms.walk_forward_many(u, "RSIStrategy", timeframes=["1h", "4h"], executor="serial", **SETTINGS)
    assert [cell.timeframe for cell in many] == ["1h", "4h"]
    assert many.run("A", timeframe="4h").spec.bars.n == 600


def test_what_is_stored_is_loaded_and_the_rest_is_computed(tmp_path: Path) -> None:
    u, seen = three(), []
    first = ms.walk_forward_many(u.select(["A"]), RULES, runs_dir=tmp_path, executor="serial", **SETTINGS)
    whole = ms.walk_forward_many(u, RULES, runs_dir=tmp_path, executor="serial", progress=seen.append, **SETTINGS)
    assert [one.done for one in seen] == [2, 3, 4, 5, 6]
    assert seen[-1].remaining == 0.0
    assert isinstance(seen[-1], Progress)
    assert (
        whole.table.filter(symbol="A").drop("p_value", "p_adjusted").equals(first.table.drop("p_value", "p_adjusted"))
    )
    assert ms.load_run(whole.run("B", "RSIStrategy").id, tmp_path).equity.equals(whole.run("B", "RSIStrategy").equity)
    assert ms.verify(whole.run("C", "RSIStrategy"), bars=u["C"]).equal


def test_a_cancelled_call_keeps_what_is_done_and_continues(tmp_path: Path) -> None:
    u, cancel, seen = three(), threading.Event(), []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == 2:
            cancel.set()

    with pytest.raises(RunCancelled, match=r"cancelled after 2 of 6 walk-forwards; .* has them"):
        ms.walk_forward_many(u, RULES, runs_dir=tmp_path, executor="serial", progress=stop, cancel=cancel, **SETTINGS)
    again: list[Progress] = []
    many = ms.walk_forward_many(u, RULES, runs_dir=tmp_path, executor="serial", progress=again.append, **SETTINGS)
    assert again[0].done == 2
    assert len(many) == 6


KILLED = """
import sys
import maestro as ms
if __name__ == "__main__":
    u = ms.universe({name: ms.synthetic_bars(800, k, "1d") for k, name in enumerate("ABC")})
    ms.walk_forward_many(u, ["EmaCrossStrategy", "RSIStrategy"], splitter="rolling:3,1,1", trials=4,
                         executor=sys.argv[1], workers=2, runs_dir=sys.argv[2],
                         progress=lambda p: print(p.done, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_a_killed_process_loses_only_what_was_in_progress(executor: str, tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    runs = tmp_path / "runs"
    process = subprocess.Popen([sys.executable, str(script), executor, str(runs)], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 3:
            process.send_signal(signal.SIGKILL)
            break
    process.wait(GIVE_UP)
    process.stdout.close()
    seen: list[Progress] = []
    many = ms.walk_forward_many(three(), RULES, runs_dir=runs, executor="serial", progress=seen.append, **SETTINGS)
    assert seen[0].done >= 3
    assert many.table.equals(ms.walk_forward_many(three(), RULES, executor="serial", **SETTINGS).table)


def test_the_ledger_has_the_same_folds_as_after_walk_forward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    u = three().select(["A"])
    ms.walk_forward_many(u, RULES, executor="serial", **SETTINGS)
    many = Ledger(u["A"]).entries().drop("time", "n")
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "other"))
    for rule in RULES:
        ms.walk_forward(u["A"], rule, executor="serial", **SETTINGS)
    assert many.equals(Ledger(u["A"]).entries().drop("time", "n"))


def test_each_ledger_knows_the_looks_at_the_other_series() -> None:
    u = three()
    many = ms.walk_forward_many(u, RULES, executor="serial", **SETTINGS)
    all_trials = sum(Ledger(bars).entries().filter(kind="walk_forward")["trials"].sum() for bars in u.values())
    assert 0 < all_trials <= many.table["trials"].sum()
    for symbol, bars in u.items():
        entries = Ledger(bars).entries()
        own = entries.filter(kind="walk_forward")["trials"].sum()
        assert entries.filter(kind="universe")["trials"].to_list() == [all_trials - own], symbol
        assert Ledger(bars).n_trials == all_trials
        assert not Ledger(bars).verify()
    ms.walk_forward_many(u, RULES, executor="serial", **SETTINGS)
    assert {ledger.n_trials for ledger in ledgers()} == {all_trials}
    assert {ledger.series for ledger in ledgers()} == {series_of(bars) for bars in u.values()}


def test_a_ledger_that_cannot_be_written_costs_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "file"))
    many = ms.walk_forward_many(three(), "RSIStrategy", executor="serial", **SETTINGS)
    assert len(many) == 3
    assert any("could not be entered in the ledger of" in note for note in many.notes)


def test_a_run_that_another_process_works_on_is_an_error_in_its_row(tmp_path: Path) -> None:
    from maestro.runs import RunStore

    u = three()
    id = ms.walk_forward(u["A"], "RSIStrategy", executor="serial", **SETTINGS).id
    with RunStore(tmp_path / id).locked():
        many = ms.walk_forward_many(u, "RSIStrategy", runs_dir=tmp_path, executor="serial", **SETTINGS)
    assert list(many.errors) == [Cell("A", "1d", "RSIStrategy")]
    assert "another process works on run" in many.errors["A", "1d", "RSIStrategy"]  # type: ignore[index]


def test_it_begins_at_once_where_everything_is_there(tmp_path: Path) -> None:
    u = three()
    ms.walk_forward_many(u, RULES, runs_dir=tmp_path, executor="serial", **SETTINGS)
    began = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/manifest.json")}
    time.sleep(0.01)
    ms.walk_forward_many(u, RULES, runs_dir=tmp_path, executor="serial", **SETTINGS)
    assert began == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/manifest.json")}
