"""What small changes do: unchanged, every map gives the run's own figures; changed, what can be worked out by hand."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import RunCancelled, SettingsError
from maestro.search.dimensions import dimension
from maestro.strategies.signals import Bracket
from maestro.validation import cost_map, geometry_map, neighbourhood, perturbations
from maestro.validation.robustness.choices import choices_of
from maestro.validation.robustness.cost_map import SETTLED, break_even, with_funding
from maestro.validation.robustness.neighbourhood import _displacements, _moved, _step
from maestro.validation.robustness.perturbation import delayed
from maestro.walkforward.fold import evaluator

N = 1_100


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.synthetic_bars(N, seed=11)


@pytest.fixture(scope="module")
def wf(bars: ms.Bars) -> ms.WalkForward:
    return ms.walk_forward(bars, "EmaCrossStrategy", trials=12, workers=1, space={"fast": (5, 20), "slow": (21, 60)})


class Foresight(ms.Strategy):
    """Knows the next bar, as far as `n` is from 50: a plateau, a slope or a needle by `width`."""

    n = ms.Int(50, 1, 100)
    width = ms.Float(50.0, 0.5, 100.0, search=False)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        up = np.append(bars.open[2:] > bars.open[1:-1], [False, False])  # what an order of this close will meet
        good = np.random.default_rng(len(bars)).random(len(bars)) < math.exp(-(((self.n - 50) / self.width) ** 2))
        return ms.Signals(up & good, ~up & good)


class Hold(ms.Strategy):
    """Buys at the first bar."""

    n = ms.Int(1, 1, 5)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(np.ones(len(bars), np.bool_), np.zeros(len(bars), np.bool_))


# -- unchanged -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"splitter": "rolling:8,3,1,purge=12,embargo=7"},
        {"splitter": ms.Calendar(train="2w", test="1w", step="4d")},  # test windows overlap
        {"splitter": "expanding:5", "fill": "close", "sizing": "volatility:0.5"},
        {"splitter": "adaptive:6,2", "strategy": "RSIStrategy"},
        {"strategy": "ScalpRSIStrategy", "costs": ms.Costs(fee=0.0, slippage=0.0)},
    ],
)
def test_unchanged_choices_give_the_runs_own_figures_to_the_bit(bars: ms.Bars, settings: dict[str, Any]) -> None:
    run = ms.walk_forward(bars, **{"strategy": "EmaCrossStrategy", "trials": 6, "workers": 1, **settings})
    found = choices_of(run).stitched()
    for name in ("sharpe_ratio", "total_return", "annual_return", "volatility", "max_drawdown"):
        assert found.metrics[name] == run.metrics[name] or math.isnan(run.metrics[name]), name
    assert found.returns.tolist() == run.equity["return"].to_list()
    assert found.stamps.tolist() == run.equity["timestamp"].to_physical().to_list()


def test_a_loaded_run_is_as_good_as_a_live_one(bars: ms.Bars, tmp_path: Path) -> None:
    live = ms.walk_forward(bars, "EmaCrossStrategy", trials=6, workers=1, runs_dir=tmp_path)
    loaded = ms.load_run(live.id, tmp_path)
    assert neighbourhood(loaded).table.equals(neighbourhood(live).table)
    assert perturbations(loaded, repetitions=2).table.equals(perturbations(live, repetitions=2).table)


def test_a_run_without_a_result_has_nothing_to_change(bars: ms.Bars) -> None:
    class Broken(ms.Strategy):
        n = ms.Int(5, 2, 40)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            raise ValueError("on purpose")

    run = ms.walk_forward(bars, Broken, trials=2, workers=1)
    for call in (neighbourhood, geometry_map, cost_map, perturbations):
        with pytest.raises(SettingsError, match=r"no fold of run .* has a result"):
            call(run)


def test_nothing_counts_in_the_ledger(wf: ms.WalkForward, bars: ms.Bars) -> None:
    before = ms.Ledger(bars).trials
    neighbourhood(wf)
    geometry_map(wf, trains=(1,), tests=(1,), offsets=(0,), trials=3, workers=1)
    cost_map(wf)
    perturbations(wf, repetitions=1)
    assert ms.Ledger(bars).trials == before


@pytest.mark.parametrize("call", [neighbourhood, geometry_map, cost_map, perturbations])
def test_all_can_be_cancelled_and_tell_what_is_done(wf: ms.WalkForward, call: Any) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def tell(done: int) -> None:
        seen.append(done)
        stop.set()

    one = {"workers": 1} if call is geometry_map else {}
    with pytest.raises(RunCancelled, match="was cancelled; nothing is kept"):
        call(wf, progress=tell, cancel=stop, **one)
    assert len(seen) == 1


# -- neighbours ----------------------------------------------------------------------------------


def test_the_choice_itself_is_the_runs(wf: ms.WalkForward) -> None:
    found = neighbourhood(wf)
    assert found.names == ("fast", "slow")
    choice = found.table.row(0, named=True)
    assert (choice["fast"], choice["slow"], choice["kept"]) == (0, 0, 1.0)
    assert choice["in_sample"] == pytest.approx(wf.folds["is_sharpe_ratio"].mean(), rel=1e-12)
    assert choice["out_of_sample"] == pytest.approx(wf.folds["oos_sharpe_ratio"].mean(), rel=1e-12)
    assert found.folds["chosen"].to_list() == wf.folds["is_sharpe_ratio"].to_list()
    assert len(found.table) == 25
    assert len(found.profile("fast")) == 5
    assert found.profile("slow")["fast"].to_list() == [0] * 5


def test_a_neighbour_is_what_its_backtest_gives(wf: ms.WalkForward, bars: ms.Bars) -> None:
    found = neighbourhood(wf, steps=1)
    choices = choices_of(wf)
    row = found.table.filter((pl.col("fast") == 1) & (pl.col("slow") == 0)).row(0, named=True)
    assert found.sizes == {"fast": 1.0, "slow": 2.0}
    values = []
    for window, params in zip(choices.windows, choices.params, strict=True):
        moved = {**params, "fast": params["fast"] + 1}
        if moved["fast"] <= 20 and moved["fast"] < moved["slow"]:
            measure = evaluator(choices.plan, bars[window.train_start : window.train_stop])
            values.append(float(measure(moved)[0]))
    values = [one for one in values if not math.isnan(one)]  # nothing was traded
    assert row["folds"] == len(values)
    assert row["in_sample"] == pytest.approx(np.mean(values), rel=1e-12)


@pytest.mark.parametrize(("width", "shape"), [(60.0, "plateau"), (13.5, "slope"), (2.0, "needle")])
def test_a_planted_plateau_and_a_planted_needle_are_told_apart(bars: ms.Bars, width: float, shape: str) -> None:
    run = ms.walk_forward(
        bars, Foresight(width=width), trials=40, workers=1, params={"width": width}, splitter="rolling:5,2,1"
    )
    found = neighbourhood(run)
    assert found.shape == shape, found.kept
    assert shape in repr(found)


def test_neighbours_stay_inside_the_ranges_and_rules(bars: ms.Bars) -> None:
    run = ms.walk_forward(bars, "EmaCrossStrategy", trials=4, workers=1, space={"fast": (18, 20), "slow": (20, 22)})
    found = neighbourhood(run, steps=3)
    assert found.table["folds"].max() == 9
    assert found.table.filter(pl.col("fast") == 3)["folds"].sum() == 0  # 18 to 20 has no value 3 steps up
    assert found.table.filter(pl.col("folds") == 0)["in_sample"].null_count() == (found.table["folds"] == 0).sum()


def test_steps_keep_to_grids_scales_and_bounds() -> None:
    whole = dimension("n", ms.Int(10, 1, 101))
    assert _step(whole, 0.05) == 5.0
    assert [_moved(whole, 10, k, 0.05) for k in (-2, -1, 0, 1, 2)] == [None, 5, 10, 15, 20]
    grid = dimension("x", ms.Float(0.5, 0.0, 1.0, step=0.1))
    assert _moved(grid, 0.5, 1, 0.01) == pytest.approx(0.6)
    scaled = dimension("y", ms.Float(0.1, 0.001, 10.0, log=True))
    assert _moved(scaled, 0.1, 1, 0.05) == pytest.approx(0.1 * 10_000**0.05)
    assert _moved(scaled, 0.1, -1, 0.05) == pytest.approx(0.1 / 10_000**0.05)
    small = dimension("k", ms.Int(2, 1, 1000, log=True))
    assert [_moved(small, 2, k, 0.01) for k in (-1, 1, 2)] == [1, 3, 4]
    switch = dimension("b", ms.Bool(False))
    assert [_moved(switch, False, k, 0.05) for k in (-1, 0, 1, 2)] == [None, False, True, None]


def test_of_too_many_displacements_a_seeded_draw_keeps_the_axes() -> None:
    moves, left = _displacements(6, 2, 200, seed=4)
    again, _ = _displacements(6, 2, 200, seed=4)
    assert (moves == again).all()
    assert (len(moves), left) == (200, 5**6 - 200)
    assert len({tuple(row) for row in moves.tolist()}) == 200
    axes = [row for row in moves.tolist() if sum(k != 0 for k in row) <= 1]
    assert len(axes) == 25
    assert (moves[0] == 0).all()
    assert not (moves == _displacements(6, 2, 200, seed=5)[0]).all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 0}, "steps=0"), ({"size": 0.0}, "size=0.0"), ({"metric": "sharp"}, "no metric is called"),
        ({"most": 3}, "no room"),
    ],
)  # fmt: skip
def test_impossible_neighbourhoods_are_refused(wf: ms.WalkForward, given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        neighbourhood(wf, **given)


def test_options_have_no_neighbours(bars: ms.Bars) -> None:
    class Optional(ms.Strategy):
        kind = ms.Choice("a", ("a", "b", "c"))

        def signals(self, bars: ms.Bars) -> ms.Signals:
            up = bars.close > bars.open
            return ms.Signals(up, ~up)

    with pytest.raises(SettingsError, match="nothing that Optional was searched over has neighbours"):
        neighbourhood(ms.walk_forward(bars, Optional, trials=3, workers=1))


# -- windows -------------------------------------------------------------------------------------


def test_the_runs_own_geometry_is_the_run(wf: ms.WalkForward) -> None:
    found = geometry_map(wf, workers=1)
    own = found.table.filter(train=found.train, test=found.test, offset=0).row(0, named=True)
    assert (found.train, found.test) == (200, 100)
    assert own["folds"] == 9
    for name in ("sharpe_ratio", "total_return", "max_drawdown"):
        assert own[name] == wf.metrics[name]
    rows = found.table
    assert set(rows["train"]) == {100, 150, 200, 300, 400}
    assert set(rows["test"]) == {50, 100, 200}
    assert (rows["folds"] == (N - rows["offset"] - rows["train"]) // rows["test"]).all()
    # What all have in common begins after the longest training and offset, and ends with the first to end.
    first, last = found.common
    hour = 3_600_000_000
    start = 400 + rows.filter(train=400)["offset"].max()  # type: ignore[operator]
    ends = rows["offset"] + rows["train"] + rows["folds"] * rows["test"]
    assert (first - int(wf.bars.time[0])) // hour == start  # type: ignore[union-attr]
    assert (last - int(wf.bars.time[0])) // hour == ends.min() - 1  # type: ignore[operator, union-attr]
    grid = found.grid()
    assert len(grid) == 15
    assert (grid["low"] <= grid["median"]).all()
    assert found.spread[0] <= found.spread[1] <= found.spread[2]


def test_processes_give_the_same_map(wf: ms.WalkForward) -> None:
    few = {"trains": (0.5, 1.0), "tests": (1.0,), "offsets": (0.0, 0.5), "trials": 4}
    assert geometry_map(wf, workers=2, **few).table.equals(geometry_map(wf, workers=1, **few).table)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trains": ()}, "trains"), ({"tests": (0.0,)}, "tests"), ({"trains": (50,)}, "no geometry"),
        ({"trials": 0}, "trials=0"), ({"workers": 0}, "workers=0"),
    ],
)  # fmt: skip
def test_impossible_geometries_are_refused(wf: ms.WalkForward, given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        geometry_map(wf, **given)


# -- costs ---------------------------------------------------------------------------------------


def test_the_runs_own_costs_are_the_run_and_the_break_even_breaks_even(wf: ms.WalkForward) -> None:
    found = cost_map(wf)
    own = found.table.filter(fee=wf.spec.costs.fee, slippage=wf.spec.costs.slippage).row(0, named=True)
    assert own["total_return"] == wf.metrics["total_return"]
    for _, part in found.table.group_by("slippage"):
        returns = part.sort("fee")["total_return"]
        assert (returns.diff().drop_nulls() < 0).all()
    choices = choices_of(wf)
    if not math.isnan(found.break_even_fee):
        at = choices.stitched(costs=ms.Costs(fee=found.break_even_fee, slippage=found.slippage))
        assert at.metrics["total_return"] == pytest.approx(0.0, abs=1e-5)


def test_break_even_by_halving() -> None:
    assert break_even(lambda cost: 0.02 - cost, 0.05) == pytest.approx(0.02, abs=1e-8)
    assert math.isnan(break_even(lambda cost: -0.1 - cost, 0.05))
    assert break_even(lambda cost: 1.0 - cost, 0.05) == math.inf


def test_break_even_of_a_rule_that_knows_the_future(bars: ms.Bars) -> None:
    run = ms.walk_forward(bars, Foresight(width=60.0), trials=3, workers=1, params={"width": 60.0})
    found = cost_map(run)
    assert 0.001 < found.break_even_fee < 0.05
    assert found.margin > 1
    at = choices_of(run).stitched(costs=ms.Costs(fee=found.break_even_fee, slippage=found.slippage))
    assert at.metrics["total_return"] == pytest.approx(0.0, abs=1e-4)
    assert "breaks even at" in repr(found)


def test_funding_is_settled_every_eight_hours_and_paid_by_longs(bars: ms.Bars) -> None:
    made = with_funding(bars, 0.001)
    assert made.funding_rate is not None
    settled = ~np.isnan(made.funding_rate)
    assert (made.time[settled] % SETTLED == 0).all()
    assert settled.sum() == (bars.time % SETTLED == 0).sum()
    assert bars.funding_rate is None
    days = with_funding(bars[: N // 12 * 12].resample("12h"), 0.001).funding_rate
    assert days is not None
    assert days.tolist() == [pytest.approx(0.0015)] * len(days)
    run = ms.walk_forward(
        bars, Hold, trials=1, workers=1, costs=ms.Costs(fee=0.0, slippage=0.0), splitter="rolling:4,1,1"
    )
    found = cost_map(run, funding=(0.0, 0.001)).funding.sort("funding")["total_return"].to_list()
    tested = choices_of(run).stitched().stamps
    held = sum(1 for one in tested if one % SETTLED == 0)
    assert found[0] == pytest.approx(run.metrics["total_return"], rel=1e-12)
    growth = (1 + found[1]) / (1 + found[0])
    assert -0.001 * (held + 8) * 1.5 < growth - 1 < -0.001 * (held - 8) * 0.5


@pytest.mark.parametrize("given", [{"fees": ()}, {"slippages": (1.0,)}, {"funding": ("a",)}])
def test_costs_that_are_none_are_refused(wf: ms.WalkForward, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="are not fractions"):
        cost_map(wf, **given)


# -- single bars ---------------------------------------------------------------------------------


def test_undisturbed_is_the_run_and_draws_are_seeded(wf: ms.WalkForward) -> None:
    found = perturbations(wf, repetitions=3, seed=5)
    assert found.base["sharpe_ratio"] == wf.metrics["sharpe_ratio"]
    assert found.base["num_trades"] == len(wf.trades)
    assert found.table.equals(perturbations(wf, repetitions=3, seed=5).table)
    other = perturbations(wf, repetitions=3, seed=6).table
    drawn = pl.col("kind").is_in(["missing", "noise"])
    assert not found.table.filter(drawn).equals(other.filter(drawn))
    assert found.table.filter(~drawn).equals(other.filter(~drawn))
    assert found.summary["repetitions"].to_list() == [1, 1, 1, 1, 3, 3, 3, 3, 3, 3]


def test_next_to_no_noise_and_no_missing_bar_change_nothing(wf: ms.WalkForward) -> None:
    found = perturbations(wf, delays=(), missing=(1e-9,), noise=(1e-9,), repetitions=2).table
    assert found["sharpe_ratio"].to_list() == [pytest.approx(wf.metrics["sharpe_ratio"], abs=1e-4)] * 5
    assert found.filter(kind="missing")["sharpe_ratio"].to_list() == [wf.metrics["sharpe_ratio"]] * 2


def test_a_rule_that_knows_the_next_bar_is_undone_by_a_bars_delay(bars: ms.Bars) -> None:
    free = ms.Costs(fee=0.0, slippage=0.0)
    run = ms.walk_forward(bars, Foresight(width=60.0), trials=3, workers=1, params={"width": 60.0}, costs=free)
    rows = perturbations(run, repetitions=5, missing=(0.05,), noise=(0.05,)).summary
    by_kind = {(row["kind"], row["level"]): row["sharpe_50"] for row in rows.to_dicts()}
    assert by_kind["as it was", None] > 20
    assert by_kind["delay", 1.0] < 0.3 * by_kind["as it was", None]
    assert by_kind["missing", 0.05] > 0.6 * by_kind["as it was", None]


def test_delayed_signals_come_later_and_not_from_before_the_window() -> None:
    n = 8
    at = np.zeros(n, np.bool_)
    at[[1, 4, 6]] = True
    stop = np.arange(1.0, n + 1)
    given = ms.Signals(at, ~at, stop=stop, stop_unit="price")
    late = delayed(given, 2, 3)
    assert np.flatnonzero(late.long_entry).tolist() == [6]
    assert late.long_exit.tolist() == [False] * 5 + [True, False, True]
    assert late.stop is not None
    assert late.stop.tolist()[5:] == [4.0, 5.0, 6.0]
    assert np.isnan(late.stop[:5]).all()
    assert late.stop_unit == "price"
    levels = np.arange(10.0, 10.0 + n)
    bracket = Bracket(0.1, 0.2, levels, levels + 1, np.zeros((0, 3)))
    moved = delayed(ms.Signals(at, bracket=bracket), 1, 0).bracket
    assert moved is not None
    assert moved.long_level.tolist()[1:] == levels[:-1].tolist()
    assert moved.short_level[3] == levels[2] + 1


def test_a_rule_with_orders_of_its_own_cannot_be_delayed(bars: ms.Bars) -> None:
    name = next(one for one in ms.strategies() if "Grid" in one)
    run = ms.walk_forward(bars, name, trials=2, workers=1)
    found = perturbations(run, repetitions=1)
    assert "orders of its own" in found.notes[0]
    assert "delay" not in set(found.table["kind"])
    assert found.base["sharpe_ratio"] == run.metrics["sharpe_ratio"] or math.isnan(run.metrics["sharpe_ratio"])


def test_folds_that_raise_are_counted(bars: ms.Bars) -> None:
    class Strict(ms.Strategy):
        n = ms.Int(5, 2, 9)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            if len(bars) % 100:
                raise ms.errors.StrategyError("wants whole hundreds of bars")
            up = bars.close > bars.open
            return ms.Signals(up, ~up)

    run = ms.walk_forward(bars, Strict, trials=2, workers=1)
    found = perturbations(run, delays=(), noise=(), missing=(0.1,), repetitions=2)
    assert found.table["failed"].sum() > 0
    assert "raised under a disturbance" in found.notes[0]


@pytest.mark.parametrize(
    "given", [{"delays": (0,)}, {"missing": (0.95,)}, {"noise": (0.0,)}, {"repetitions": 0}, {"seed": -1}]
)
def test_impossible_disturbances_are_refused(wf: ms.WalkForward, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        perturbations(wf, **given)
