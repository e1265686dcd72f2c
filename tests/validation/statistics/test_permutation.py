"""The permutation test: bars that keep their returns and lose their order; a null that depends on the seed alone."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

import maestro as ms
from maestro.errors import RunCancelled, SettingsError
from maestro.validation import Permutation, permutation_test, permuted_bars


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.load("sample:AAPL")[:1_000]


@pytest.fixture(scope="module")
def wf(bars: ms.Bars) -> ms.WalkForward:
    return ms.walk_forward(bars, "EmaCrossStrategy", splitter="rolling:6,2,1", trials=8, workers=1)


def test_returns_and_shapes_are_kept_and_their_order_is_not(bars: ms.Bars) -> None:
    made = permuted_bars(bars, 1)
    assert len(made) == len(bars)
    assert made.close[0] == bars.close[0]
    assert made.close[-1] == pytest.approx(bars.close[-1], rel=1e-9)

    def steps(b: ms.Bars) -> np.ndarray:
        gap, body = np.log(b.open[1:] / b.close[:-1]), np.log(b.close[1:] / b.open[1:])
        up, down = np.log(b.high[1:] / b.open[1:]), np.log(b.low[1:] / b.open[1:])
        return np.round(np.column_stack((gap, body, up, down, b.volume[1:])), 9)

    before, after = steps(bars), steps(made)
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(before[np.lexsort(before.T)], after[np.lexsort(after.T)], atol=2e-9)
    np.testing.assert_array_equal(made.time, bars.time)


def test_permuted_bars_are_valid_and_marked_as_permuted(bars: ms.Bars) -> None:
    made = permuted_bars(bars, 2)
    again = ms.Bars.from_frame(made.to_frame(), timeframe=made.timeframe)  # refuses what is broken
    assert again.fingerprint == made.fingerprint != bars.fingerprint
    assert made.synthetic
    assert "permuted" in made.notes[-1]
    assert made.periods_per_year == bars.periods_per_year
    with pytest.raises(ValueError, match="read-only"):
        made.close[0] = 1.0


@pytest.mark.parametrize("seed", range(5))
def test_highs_and_lows_enclose_the_close_on_every_bar(seed: int) -> None:
    made = permuted_bars(ms.synthetic_bars(2_000, seed=seed), seed)
    assert (made.high >= made.close).all()
    assert (made.low <= made.close).all()
    assert (made.low <= made.high).all()


def test_optional_columns_stay_in_time(bars: ms.Bars) -> None:
    frame = bars.to_frame().with_columns(
        open_interest=np.arange(len(bars), dtype=float), basis=np.linspace(-1, 1, len(bars)),
        funding_rate=np.where(np.arange(len(bars)) % 8 == 0, 1e-4, np.nan),
    )  # fmt: skip
    real = ms.Bars.from_frame(frame, timeframe="1d")
    made = permuted_bars(real, 0)
    for name in ("open_interest", "basis", "funding_rate"):
        np.testing.assert_array_equal(getattr(made, name), getattr(real, name))


def test_what_was_predictable_is_gone_and_a_block_keeps_part_of_it() -> None:
    frame = ms.synthetic_bars(3_000, seed=1).to_frame()
    closes = 100 * np.exp(np.cumsum(np.tile(np.repeat([0.01, -0.01], 10), 150)))
    opens = np.concatenate(([100.0], closes[:-1]))
    waves = ms.Bars.from_frame(
        frame.with_columns(open=opens, close=closes, high=np.maximum(opens, closes), low=np.minimum(opens, closes)),
        timeframe="1h",
    )

    def memory(b: ms.Bars) -> float:
        r = np.diff(np.log(b.close))
        return float(np.corrcoef(r[1:], r[:-1])[0, 1])

    assert memory(waves) > 0.75
    assert abs(memory(permuted_bars(waves, 0))) < 0.06
    assert memory(permuted_bars(waves, 0, block=50)) > 0.6


def test_the_null_depends_on_the_seed_alone(wf: ms.WalkForward) -> None:
    one = permutation_test(wf, repetitions=4, workers=1)
    two = permutation_test(wf, repetitions=4, workers=2)
    np.testing.assert_array_equal(one.null, two.null)
    np.testing.assert_array_equal(permutation_test(wf, repetitions=2, workers=1).null, one.null[:2])
    assert not np.array_equal(permutation_test(wf, repetitions=2, workers=1, seed=1).null, one.null[:2])
    assert one.observed == wf.metrics["sharpe_ratio"]
    assert one.metric == "sharpe_ratio"


def test_the_null_is_that_of_whole_walk_forwards(wf: ms.WalkForward, bars: ms.Bars) -> None:
    made = permuted_bars(bars, np.random.SeedSequence([0, 1]))
    by_hand = ms.walk_forward(made, "EmaCrossStrategy", splitter="rolling:6,2,1", trials=8, workers=1)
    assert permutation_test(wf, repetitions=2, workers=1).null[1] == by_hand.metrics["sharpe_ratio"]


def test_nothing_is_written_and_nothing_counted(
    wf: ms.WalkForward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "ledger"))
    permutation_test(wf, repetitions=2, workers=1)
    assert not list(tmp_path.rglob("*"))


def test_the_pvalue_counts_the_real_series_too() -> None:
    found = Permutation("sharpe_ratio", 1.0, np.array([0.5, 1.0, 2.0, -1.0]), 0, 4, 0)
    assert found.pvalue == 3 / 5
    assert Permutation("sharpe_ratio", 3.0, np.zeros(19), 0, 19, 0).pvalue == 0.05
    assert Permutation("sharpe_ratio", 1.0, np.zeros(15), 4, 19, 0).pvalue == 0.05  # nothing traded is not as well
    assert np.isnan(Permutation("sharpe_ratio", 3.0, np.empty(0), 0, 0, 0).pvalue)
    assert np.isnan(Permutation("sharpe_ratio", float("nan"), np.zeros(3), 0, 3, 0).pvalue)
    again = Permutation.from_dict(found.to_dict())
    assert again.pvalue == found.pvalue
    assert "p = 0.6000" in repr(found)


def test_smaller_is_better_for_a_metric_with_a_minus_sign(wf: ms.WalkForward) -> None:
    found = permutation_test(wf, repetitions=3, workers=1, metric="-volatility")
    assert found.observed == -wf.metrics["volatility"]
    assert (found.null < 0).all()


def test_progress_and_cancelling(wf: ms.WalkForward) -> None:
    seen: list[int] = []
    permutation_test(wf, repetitions=3, workers=1, progress=seen.append)
    assert seen == [1, 1, 1]
    stop = threading.Event()

    def cancel(done: int) -> None:
        stop.set()

    for workers in (1, 2):
        stop.clear()
        with pytest.raises(RunCancelled, match="no result is kept"):
            permutation_test(wf, repetitions=200, workers=workers, cancel=stop, progress=cancel)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"repetitions": 0}, "200 is usual"),
        ({"metric": "sharpe"}, "Did you mean 'sharpe_ratio'"),
        ({"workers": 0}, "leave it out for all cores"),
        ({"block": 10_000}, "half of the bars"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_is_refused(wf: ms.WalkForward, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        permutation_test(wf, **arguments)  # type: ignore[arg-type]


def test_a_search_that_is_not_on_disk_cannot_be_repeated(bars: ms.Bars, tmp_path: Path) -> None:
    import optuna

    made = ms.walk_forward(bars, "EmaCrossStrategy", splitter="rolling:6,2,1", trials=3, runs_dir=tmp_path, workers=1,
                           search=optuna.samplers.RandomSampler())  # fmt: skip
    loaded = ms.load_run(made.folder)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="the search was a Python object"):
        permutation_test(loaded, repetitions=1)
    assert len(permutation_test(made, repetitions=1, workers=1).null) <= 1
