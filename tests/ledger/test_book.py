"""The ledger counts every trial, survives kills and two writers, and gives every change away."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import LedgerError, RunCancelled, SettingsError, StrategyError
from maestro.ledger import Ledger, verify
from maestro.runs import remove
from tests.ledger.bars import errors, evaluated, run
from tests.support.patience import GIVE_UP

ROOT = Path(__file__).parents[2]


def test_a_walk_forward_enters_every_trial_of_every_fold(bars: ms.Bars) -> None:
    wf = run(bars)
    book = Ledger(bars)
    assert book.n_trials == book.trials.evaluated == evaluated(wf)
    folds = book.entries().filter(kind="walk_forward")
    assert folds["fold"].to_list() == [0, 1, 2]
    assert set(folds["run"]) == {wf.id}
    assert set(folds["source"]) == {wf.spec.source}
    values = wf.trials["sharpe_ratio"].drop_nulls().drop_nans().to_numpy() / math.sqrt(bars.periods_per_year)
    assert book.trials.variance == pytest.approx(np.var(values, ddof=1), rel=1e-12)
    assert wf.manifest["ledger"] == {
        "series": book.series, "user": book.folder.name, "entries": 4, "hash": book.head().hash
    }  # fmt: skip
    assert not verify()


def test_a_loaded_run_counts_nothing_and_a_removed_one_stays(bars: ms.Bars, tmp_path: Path) -> None:
    wf = run(bars, runs_dir=tmp_path)
    before = Ledger(bars).trials
    run(bars, runs_dir=tmp_path)
    assert Ledger(bars).trials == before
    remove(wf.id, tmp_path)
    assert Ledger(bars).trials == before


def test_an_exact_repetition_counts_among_the_evaluated_only(bars: ms.Bars) -> None:
    first = run(bars)
    run(bars)
    trials = Ledger(bars).trials
    assert trials.evaluated == 2 * trials.distinct == 2 * evaluated(first)
    other = run(bars, seed=1)
    assert Ledger(bars).n_trials == evaluated(first) + evaluated(other)


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_an_interrupted_run_counts_what_was_done_and_a_resumed_one_what_is_new(
    bars: ms.Bars, tmp_path: Path, executor: str
) -> None:
    stop = threading.Event()
    seen = []

    def listen(event: Any) -> None:
        seen.append(event)
        if sum(type(one).__name__ == "TrialDone" for one in seen) == 9:
            stop.set()

    with pytest.raises(RunCancelled):
        run(bars, runs_dir=tmp_path, progress=listen, cancel=stop, executor=executor)
    printed = [one for one in seen if type(one).__name__ == "TrialDone" and one.state != "infeasible"]
    book = Ledger(bars)
    assert book.trials.evaluated == len(printed)
    assert "interrupted" in set(book.entries()["state"])
    wf = run(bars, runs_dir=tmp_path)
    assert book.n_trials == evaluated(wf)
    assert book.trials.evaluated >= evaluated(wf)
    assert not errors(verify())


def test_what_a_notebooks_stop_ends_counts_too(bars: ms.Bars) -> None:
    class Stopped(ms.Strategy):
        n = ms.Int(5, 2, 40)
        calls = [0]

        def signals(self, bars: ms.Bars) -> ms.Signals:
            self.calls[0] += 1
            if self.calls[0] == 5:
                raise KeyboardInterrupt
            long = bars.close > ms.indicators.sma(bars.close, self.n)
            return ms.Signals(long, ~long)

    with pytest.raises(KeyboardInterrupt):
        ms.walk_forward(bars, Stopped, splitter="rolling:4,2,1", trials=9, workers=1, search="random")
    assert Ledger(bars).trials.evaluated == 4
    Stopped.calls[0] = 1
    with pytest.raises(KeyboardInterrupt):
        ms.sweep(bars, Stopped, n=9, executor="serial")
    assert Ledger(bars).trials.evaluated == 7


def test_trials_that_fail_do_not_count_but_their_fold_is_entered(bars: ms.Bars) -> None:
    class Broken(ms.Strategy):
        n = ms.Int(5, 2, 40)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            raise StrategyError("broken on purpose")

    wf = ms.walk_forward(bars, Broken, splitter="rolling:4,2,1", trials=5, workers=1)
    assert len(wf.failed_folds) == 3
    trials = Ledger(bars).trials
    assert trials.distinct == trials.evaluated == 0
    assert math.isnan(trials.variance)
    assert set(Ledger(bars).entries()["state"].drop_nulls()) == {"failed"}


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_sweep_counts_every_set_and_an_interrupted_one_the_finished(bars: ms.Bars, executor: str) -> None:
    sw = ms.sweep(bars, "EmaCrossStrategy", n=50, executor=executor, workers=2)
    assert Ledger(bars).n_trials == 50
    values = sw.table["sharpe_ratio"].drop_nulls().drop_nans().to_numpy() / math.sqrt(bars.periods_per_year)
    assert Ledger(bars).trials.variance == pytest.approx(np.var(values, ddof=1), rel=1e-12)
    ms.sweep(bars, "EmaCrossStrategy", n=50, executor=executor, workers=2)
    assert Ledger(bars).trials.distinct == 50
    stop = threading.Event()
    with pytest.raises(RunCancelled):
        ms.sweep(bars, "RSIStrategy", n=4_000, executor=executor, workers=2, cancel=stop, progress=lambda k: stop.set())
    last = Ledger(bars).entries().row(-1, named=True)
    assert last["state"] == "interrupted"
    assert 100 <= last["trials"] < 4_000


def test_processes_tell_what_they_had_done(bars: ms.Bars) -> None:
    stop = threading.Event()

    def listen(event: Any) -> None:
        if type(event).__name__ == "FoldDone":
            stop.set()

    with pytest.raises(RunCancelled):
        run(bars, splitter="rolling:12,2,1", trials=400, executor="processes", workers=2, cancel=stop, progress=listen)
    book = Ledger(bars)
    assert book.trials.evaluated > 400 * 0.5
    assert {"done", "interrupted"} & set(book.entries()["state"])


def test_what_is_entered_by_hand(bars: ms.Bars) -> None:
    bt = ms.backtest(bars, "EmaCrossStrategy")
    book = Ledger(bars)
    assert book.n_trials == 0
    book.record("slider", backtest=bt)
    book.record("by hand", sharpes=[0.1, 0.2], trials=7)
    assert book.n_trials == 8
    first, second = book.entries().tail(2).to_dicts()
    assert first["strategy"] == "EmaCrossStrategy"
    assert first["sharpe_mean"] == pytest.approx(np.mean(bt.returns) / np.std(bt.returns, ddof=1))
    assert (second["trials"], second["sharpes"]) == (7, 2)
    with pytest.raises(SettingsError, match="nothing to enter"):
        book.record("slider")


def test_a_disk_that_fills_up_leaves_the_ledger_whole(
    bars: ms.Bars, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Ledger(bars)
    book.record("slider", trials=1)
    before = book.path.read_bytes()
    whole = os.write

    def full(handle: int, text: bytes) -> int:
        if os.lseek(handle, 0, os.SEEK_CUR) > len(before):
            raise OSError(28, "No space left on device")
        return whole(handle, text[:60])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(LedgerError, match="No space left on device; free some space"):
        book.record("slider", trials=1)
    monkeypatch.undo()
    assert book.path.read_bytes() == before
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(home.parent))
    book.record("slider", trials=1)
    assert book.n_trials == 2
    assert not verify()


WRITER = """
import sys
from maestro.ledger import Ledger, Tally
book = Ledger("A:B:1h")
for k in range(100):
    book.append(sys.argv[1], Tally.of([0.1 * k]), sync=k % 10 == 0)
"""


def test_two_processes_and_threads_write_at_once() -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name], cwd=ROOT) for name in ("one", "two")]
    book = Ledger("A:B:1h")
    threads = [threading.Thread(target=lambda: [book.record("slider", trials=1) for _ in range(50)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [writer.wait(GIVE_UP) for writer in writers] == [0, 0]
    assert book.trials.evaluated == 300
    kinds = book.entries()["kind"].to_list()
    assert (kinds.count("one"), kinds.count("two"), kinds.count("begin")) == (100, 100, 1)
    assert not errors(verify())
    book.sync()
    assert not verify()


KILLED = """
import os, sys
from maestro.ledger import Ledger, Tally
book = Ledger("A:B:1h")
whole = os.pwrite
count = 0
def torn(handle, text, at):
    global count
    count += 1
    if count == int(sys.argv[1]):
        whole(handle, text[: int(sys.argv[2])], at)
        os.kill(os.getpid(), 9)
    return whole(handle, text, at)
os.pwrite = torn
for k in range(3):
    book.record("slider", trials=1)
"""


@pytest.mark.parametrize("call", range(1, 13))
def test_a_kill_at_any_moment_loses_no_whole_entry(call: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(call), "40"], cwd=ROOT, check=False)
    book = Ledger("A:B:1h")
    before = book.n_trials
    assert done.returncode == -9 or before == 3
    book.record("slider", trials=1)
    assert book.n_trials == before + 1
    assert not errors(verify())


RUN = """
import os, sys
import maestro as ms
def listen(event):
    if type(event).__name__ == "FoldDone" and event.fold == 2:
        os.kill(os.getpid(), 9)
bars = ms.synthetic_bars(900, seed=3)
ms.walk_forward(bars, "EmaCrossStrategy", splitter="rolling:8,2,1", trials=6, workers=1, runs_dir=sys.argv[1],
                progress=listen)
"""


def test_a_run_that_was_killed_is_counted_once_when_it_goes_on(bars: ms.Bars, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", RUN, str(tmp_path / "runs")], cwd=ROOT, check=False)
    assert done.returncode == -9
    book = Ledger(bars)
    killed = book.trials.evaluated
    assert 0 < killed < 7 * 6
    wf = run(bars, splitter="rolling:8,2,1", runs_dir=tmp_path / "runs")
    assert book.n_trials == book.trials.evaluated == evaluated(wf)
    assert not errors(verify())
