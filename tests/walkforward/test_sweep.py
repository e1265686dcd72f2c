"""Sweeps: the table does not depend on how it is computed, equal sets once, failures in their rows."""

from __future__ import annotations

import re
import threading
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro._core.formatting import percent
from maestro.bars import Bars
from maestro.errors import MaestroError, ParameterError, RunCancelled, SettingsError, StrategyError, WarmupError
from maestro.metrics import NAMES
from tests.support.rules import RISING, Cross

COSTS = ms.Costs(fee=0.002, slippage=0.001)


class Picky(Cross):
    """Raises for some sets."""

    def signals(self, bars: Bars) -> ms.Signals:
        if self.fast == 7:
            raise ValueError("seven is not for me")
        if self.fast == 8:
            raise StrategyError("nor is eight")
        return super().signals(bars)


class Counts(Cross):
    """Keeps account of the sets that it was asked for."""

    def signals(self, bars: Bars) -> ms.Signals:
        ASKED.append((self.fast, self.slow))
        return super().signals(bars)


ASKED: list[tuple[int, int]] = []


@pytest.mark.parametrize("sampler", ["sobol", "random", "grid"])
def test_the_table_is_the_same_however_it_is_computed(sampler: str) -> None:
    settings: dict[str, Any] = {"n": 60, "sampler": sampler, "seed": 3}
    one = ms.sweep(RISING, Picky, **settings, executor="serial")
    for executor, workers in (("threads", 2), ("threads", 3), ("processes", 2)):
        other = ms.sweep(RISING, Picky, **settings, executor=executor, workers=workers)
        assert other.table.equals(one.table, null_equal=True), executor
        assert other.distinct == one.distinct
    assert ms.sweep(RISING, Picky, **settings).table.equals(one.table)


def test_a_row_equals_the_backtest_of_its_set() -> None:
    sw = ms.sweep(RISING, Cross, n=25, seed=1, costs=COSTS, sizing=ms.Sizing.cash(5_000), cash=50_000)
    assert sw.table.columns == ["fast", "slow", *NAMES, "error"]
    for row in sw.table.head(8).iter_rows(named=True):
        bt = ms.backtest(
            RISING, Cross, params={"fast": row["fast"], "slow": row["slow"]}, costs=COSTS,
            sizing=ms.Sizing.cash(5_000), cash=50_000,
        )  # fmt: skip
        for name in NAMES:
            assert row[name] == pytest.approx(bt.metrics[name], abs=0, rel=0, nan_ok=True), name


def test_sobol_and_random_give_exactly_as_many_and_a_grid_at_most() -> None:
    for n in (1, 7, 100):
        assert len(ms.sweep(RISING, Cross, n=n)) == n
        assert len(ms.sweep(RISING, Cross, n=n, sampler="random")) == n
    grid = ms.sweep(RISING, Cross, n=30, sampler="grid")
    assert 20 <= len(grid) <= 30
    whole = ms.sweep(RISING, Cross, n=10_000, sampler="grid")
    assert len(whole) == whole.distinct == sum(fast < slow for fast in range(2, 21) for slow in range(5, 61))
    assert (whole.table["fast"] < whole.table["slow"]).all()


def test_equal_sets_are_evaluated_once() -> None:
    ASKED.clear()
    sw = ms.sweep(RISING, Counts, n=300, space={"fast": (2, 9), "slow": (10, 20)}, executor="serial")
    assert len(sw) == 300
    assert len(ASKED) == len(set(ASKED)) == sw.distinct
    assert set(ASKED) == set(sw.table.select("fast", "slow").rows())
    for _, rows in sw.table.group_by("fast", "slow"):
        assert rows["sharpe_ratio"].n_unique() == 1


def test_a_set_that_fails_has_its_error_and_nulls() -> None:
    sw = ms.sweep(RISING, Picky, n=200)
    bad = sw.table.filter(pl.col("error").is_not_null())
    assert set(bad["fast"]) == {7, 8}
    assert set(bad["error"]) == {"ValueError: seven is not for me", "nor is eight"}
    for name in NAMES:
        assert bad[name].is_null().all(), name
    good = sw.table.filter(pl.col("error").is_null())
    assert set(good["fast"]).isdisjoint({7, 8})
    assert good["total_return"].is_not_null().all()


def test_the_best_are_distinct_sorted_and_defined() -> None:
    sw = ms.sweep(RISING, Picky, n=300, space={"fast": (2, 9), "slow": (10, 20)})
    best = sw.best(n=5)
    assert len(best) == 5
    assert best.select("fast", "slow").is_unique().all()
    known = sw.table.filter(pl.col("error").is_null())
    assert best["sharpe_ratio"][0] == known["sharpe_ratio"].max()
    assert best["sharpe_ratio"].is_sorted(descending=True)
    calm = sw.best("-volatility", n=3)
    assert calm["volatility"][0] == known["volatility"].min()
    with pytest.raises(SettingsError, match="sorts by metrics in order; got a selection by weighted"):
        sw.best({"vwr": 1.0})
    assert "300 sets" in repr(sw)
    assert "<table" in sw._repr_html_()


def test_options_and_real_numbers_are_swept() -> None:
    class Many(ms.Strategy):
        n = ms.Int(10, 5, 20)
        width = ms.Float(2.0, 1.0, 3.0)
        side = ms.Choice("both", ("long", "both"))
        late = ms.Bool(False)

        def signals(self, bars: Bars) -> ms.Signals:
            line = ms.indicators.sma(bars.close, self.n)
            up = bars.close > line * (1 + self.width / 1_000)
            return ms.Signals(up, ~up, (~up) & (self.side == "both"), up)

    sw = ms.sweep(RISING, Many, n=40)
    assert sw.table.schema["width"] == pl.Float64
    assert set(sw.table["side"]) == {"long", "both"}
    assert sw.table["late"].dtype == pl.Boolean
    assert sw.table["error"].null_count() == 40


@pytest.mark.parametrize("executor", ["serial", "threads", "processes"])
def test_a_sweep_can_be_cancelled(executor: str) -> None:
    cancel = threading.Event()
    seen: list[int] = []

    def progress(done: int) -> None:
        seen.append(done)
        cancel.set()

    with pytest.raises(RunCancelled):
        ms.sweep(
            RISING, "EmaCrossStrategy", n=20_000, executor=executor, workers=2, cancel=cancel, progress=progress
        )  # many pieces: the last cannot be done before the first is heard of
    assert 0 < sum(seen) < 12_735  # distinct sets of the 20,000


@pytest.mark.parametrize(("executor", "n"), [("serial", 250), ("threads", 250), ("processes", 1_200)])
def test_progress_counts_every_distinct_set(executor: str, n: int) -> None:
    seen: list[int] = []
    sw = ms.sweep(RISING, Cross, n=n, executor=executor, workers=2, progress=seen.append)
    assert sum(seen) == sw.distinct
    assert len(seen) > 1


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n": 0}, SettingsError, "n=0 leaves nothing to evaluate; give a whole number of at least 1"),
        ({"n": True}, SettingsError, "n=True leaves nothing"),
        (
            {"sampler": "sobl"},
            SettingsError,
            "sampler='sobl' is unknown; allowed: grid, random, sobol. Did",
        ),
        (
            {"executor": "thread"},
            SettingsError,
            "executor='thread' is unknown; allowed: serial.* 'threads'",
        ),
        ({"workers": 0}, SettingsError, "workers=0 is not a whole number of at least 1"),
        ({"seed": -1}, SettingsError, "seed=-1 is not a valid seed; give a whole number from 0"),
        ({"cash": 0}, SettingsError, "cash=0 is not an amount above 0"),
        (
            {"params": {"fats": 3}},
            ParameterError,
            "Cross has no parameter 'fats'; it has: fast, slow.*'fast'",
        ),
        ({"space": {"fast": (9, 2)}}, SettingsError, r"fast: range \[9..2\] is empty"),
        ({"params": {"fast": 3, "slow": 9}}, SettingsError, "Cross has nothing to search"),
    ],
)
def test_impossible_settings_are_refused_with_a_remedy(settings: Any, error: type[MaestroError], message: str) -> None:
    with pytest.raises(error, match=message):
        ms.sweep(RISING, Cross, **settings)


def test_bars_and_strategies_that_are_none_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"bars is a DataFrame; give ms\.Bars"):
        ms.sweep(RISING.to_frame(), Cross)  # type: ignore[arg-type]
    with pytest.raises(StrategyError, match="Did you mean 'EmaCrossStrategy'"):
        ms.sweep(RISING, "EmaCrosStrategy")


@pytest.mark.parametrize("sampler", ["sobol", "random", "grid"])
def test_sets_whose_warm_up_takes_more_than_half_of_the_bars_are_left_out_with_a_note(sampler: str) -> None:
    sw = ms.sweep(RISING[:100], "EmaCrossStrategy", n=50, sampler=sampler)
    assert sw.table["error"].null_count() == len(sw)
    assert len(sw) == 50 if sampler != "grid" else 25 < len(sw) <= 50
    assert sw.table["slow"].max() <= 50
    assert len(sw.notes) == 1
    assert re.match(r"About \d\d\s% of the sets .* longer than half of the 100 bars\. Narrow", sw.notes[0])
    assert ms.sweep(RISING, "EmaCrossStrategy", n=50, sampler=sampler).notes == ()


@pytest.mark.parametrize("sampler", ["sobol", "grid"])
def test_a_sweep_without_a_set_that_fits_is_refused(sampler: str) -> None:
    with pytest.raises(WarmupError, match=r"satisf(y|ies) fast < slow and a warm-up of at most half of the 30 bars; "):
        ms.sweep(RISING[:30], "EmaCrossStrategy", n=50, sampler=sampler)


class Raises(ms.Strategy):
    n = ms.Int(20, 1, 100)

    def signals(self, bars: Bars) -> ms.Signals:
        if self.n > 60:
            raise ValueError("too long")
        return ms.Signals(bars.close > self.n)


def test_a_tenth_of_failed_sets_is_a_note_and_they_are_not_counted() -> None:
    before = ms.Ledger(RISING).n_trials
    sw = ms.sweep(RISING, Raises, n=100, sampler="grid")
    assert sw.notes == (
        f"40 of 100 sets ({percent(0.4, 0)}) failed and are in no figure; the first error: ValueError: too long",
    )
    assert ms.Ledger(RISING).n_trials == before + 60
    assert ms.sweep(RISING, Raises, n=66, sampler="grid", space={"n": (1, 66)}).notes == ()
