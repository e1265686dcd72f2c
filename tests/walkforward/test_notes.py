"""Notes state what a search left out, and how much of it failed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro._core.formatting import percent
from maestro.search.space import Space
from maestro.strategies import strategy_class
from maestro.walkforward.notes import failures_note, left_out_note, undefined_note

BARS = ms.synthetic_bars(900, seed=70_411)


@pytest.mark.parametrize(
    ("bars", "share"),
    [(1_000, None), (390, None), (340, "About [12][0-9]\\s%"), (218, "About 6[0-4]\\s%"), (10, "All")],
)
def test_sets_that_do_not_fit_are_noted_above_a_tenth(bars: int, share: str | None) -> None:
    notes = left_out_note(Space(strategy_class("EmaCrossStrategy")[0]), bars, "bars of x")
    if share is None:
        assert notes == []
    else:
        assert len(notes) == 1
        assert pl.Series(notes).str.contains(rf"^{share} of the sets .* half of the {bars:,} bars of x\.").all()


def test_a_strategy_without_a_warm_up_leaves_out_nothing() -> None:
    class Plain(ms.Strategy):
        n = ms.Int(5, 1, 900)

    assert left_out_note(Space(Plain), 10, "bars") == []


@pytest.mark.parametrize(("failed", "noted"), [(0, False), (10, False), (11, True), (100, True)])
def test_failures_are_noted_above_a_tenth(failed: int, noted: bool) -> None:
    errors = pl.Series([None] * (100 - failed) + [f"e{k}" for k in range(failed)], dtype=pl.String)
    wanted = [
        f"{failed} of 100 sets ({failed}\N{NARROW NO-BREAK SPACE}%) failed and are in no figure; the first error: e0"
    ]
    assert failures_note(errors, 100, "sets") == (wanted if noted else [])


class Raises(ms.Strategy):
    n = ms.Int(20, 1, 100)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        if self.n > 60:
            raise ValueError("too long")
        return ms.Signals.flip(bars.close > bars.open[self.n], bars.close < bars.open[self.n])


def test_failed_trials_are_a_note_of_the_run_its_report_and_no_trials_of_the_ledger(tmp_path: object) -> None:
    before = ms.Ledger(BARS).n_trials
    wf = ms.walk_forward(BARS, Raises, search="random", trials=40, workers=1, runs_dir=str(tmp_path))
    failed = int((wf.trials["state"] == "failed").sum())
    counts = wf.trials.group_by("fold").agg((pl.col("state") != "failed").sum().alias("left"))["left"]
    (note,) = [note for note in wf.notes if "failed" in note]
    assert note == (
        f"{failed} of 360 trials ({percent(failed / 360, 0)}) failed and are in no figure; the first error: "
        f"ValueError: too long (fewest trials left: {counts.min()} in fold {note.rstrip(')').split()[-1]})"
    )
    assert note in ms.load_run(wf.id, str(tmp_path)).notes
    assert "failed and are in no figure" in wf.report().read_text("utf-8")
    assert ms.Ledger(BARS).n_trials == before + 360 - failed


def test_the_search_that_starved_finds_sets_to_evaluate() -> None:
    """The default search on 1,200 bars of Apple: 46 of 900 trials were complete when failures were not reported."""
    wf = ms.walk_forward(ms.load_sample("AAPL")[:1_200], "EmaCrossStrategy", workers=1)
    states = dict(wf.trials["state"].value_counts().rows())
    assert "failed" not in states
    assert states["complete"] > 600
    assert len(wf.trials) == 900
    assert wf.notes[0].startswith(
        "About 62\N{NARROW NO-BREAK SPACE}% of the sets in the searched ranges were left out: they need a warm-up"
    )


@pytest.mark.parametrize(("undefined", "noted"), [(0, False), (9, False), (10, True)])
def test_trials_without_a_score_are_noted_above_a_tenth(undefined: int, noted: bool) -> None:
    states = pl.Series(["complete"] * (90 - undefined + 5) + ["undefined"] * undefined + ["failed"] * 5)
    found = undefined_note(states, "sharpe_ratio")
    wanted = f"10 of 95 distinct trials ({percent(10 / 95, 0)}) have no sharpe_ratio and could not be chosen: most "
    wanted += "made no trade."
    assert found == [wanted] * noted


def test_a_profit_factor_without_a_loss_is_noted() -> None:
    rising = ms.synthetic_bars(60, seed=1)
    entry, out = np.zeros(60, bool), np.zeros(60, bool)
    entry[10], out[20] = True, True
    won = rising.open[21] > rising.open[11]
    signals = ms.Signals(entry, out) if won else ms.Signals(short_entry=entry, short_exit=out)
    bt = ms.backtest(rising, signals, costs=ms.Costs(0, 0))
    assert np.isnan(bt.metrics["profit_factor"])
    assert "No closed trade lost, so the profit factor is not defined (NaN)." in bt.notes
