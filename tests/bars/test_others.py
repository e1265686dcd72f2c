"""Another symbol inside a strategy: alignment by brute force, no look-ahead, and every way a strategy is run."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maestro as ms
from maestro.bars import Bars
from maestro.bars.source_line import evaluate
from maestro.data.timeframes import bar_ends
from maestro.errors import BarsError
from maestro.validation import lookahead, permuted_bars

SETTINGS: dict[str, Any] = {"splitter": "rolling:4,2,1", "trials": 5}


class Spread(ms.Strategy):
    """Long while this symbol has fallen behind the other one."""

    slow = ms.Int(20, 5, 40)

    def signals(self, bars: Any) -> Any:
        other = bars.other("B")
        own = bars.close / ms.indicators.sma(bars.close, self.slow)
        theirs = other.at(other.close / ms.indicators.sma(other.close, self.slow))
        return ms.Signals.flip(own < theirs, own > theirs)


class Leaking(Spread):
    """Takes the other symbol's bar that opens with this one's close, by position."""

    def signals(self, bars: Any) -> Any:
        ahead = bars.others["B"].close
        ahead = np.append(ahead[1:], ahead[-1:])[: len(bars)]
        return ms.Signals.flip(ahead > bars.close, ahead < bars.close)


@pytest.fixture(scope="module")
def pair() -> Bars:
    return ms.synthetic_bars(900, 1).with_other(ms.synthetic_bars(950, 2), name="B")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000), st.sampled_from(["15m", "1h", "4h", "1d"]), st.integers(0, 60), st.integers(30, 200))
def test_alignment_by_brute_force(seed: int, timeframe: str, begin: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    whole = ms.synthetic_bars(600, seed, timeframe)
    keep = np.sort(rng.choice(600, 400, replace=False))
    other = Bars.from_frame(whole.to_frame()[keep.tolist()], symbol="B", timeframe=timeframe)
    bars = ms.synthetic_bars(300, seed + 1).with_other(other)[begin : begin + length]
    ends, own = bar_ends(other.time, timeframe), bar_ends(bars.time, "1h")
    wanted = []
    for close in own:
        known = [v for t, e, v in zip(other.time, ends, other.close, strict=True) if e <= close and t >= bars.time[0]]
        wanted.append(known[-1] if known else np.nan)
    aligned = bars.other()
    np.testing.assert_array_equal(aligned.at(aligned.close), wanted)


def test_a_window_holds_nothing_that_closes_later(pair: Bars) -> None:
    for stop in (1, 300, 900):
        part = pair[:stop]
        other = part.others["B"]
        assert bar_ends(other.time, "1h")[-1] <= bar_ends(part.time, "1h")[-1]
        assert len(other) == stop
    assert pair[100:200].others["B"].time[0] == pair.time[100]
    assert len(pair.resample("4h").others["B"]) == 900
    before = ms.synthetic_bars(50, 3).with_other(pair.between("2020-02-01"), name="B")
    assert np.isnan(before.other().at(before.other().close)).all()


def test_a_rule_that_uses_it_does_not_look_ahead_and_a_leak_is_caught(pair: Bars) -> None:
    assert lookahead(pair, Spread).passed
    assert not lookahead(pair, Leaking).passed


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_it_works_in_searches_on_processes_and_is_verified(executor: str, pair: Bars, tmp_path: Any) -> None:
    wf = ms.walk_forward(pair, Spread, executor=executor, workers=2, runs_dir=tmp_path, **SETTINGS)
    assert wf.failed_folds.is_empty()
    assert wf.metrics["num_trades"] > 10
    assert wf.spec.bars.others == {"B": ("SYNTHETIC:WALK-2:1h", pair.others["B"].fingerprint)}
    assert ms.verify(wf, strategy=Spread).equal  # its bars are made again by the line in the manifest
    many = ms.walk_forward_many({"A": pair}, Spread, executor=executor, workers=2, **SETTINGS)
    assert many.run("A").id == wf.id
    assert many.run("A").equity.equals(wf.equity)


def test_another_other_is_another_run(pair: Bars) -> None:
    plain = ms.synthetic_bars(900, 1)
    changed = plain.with_other(ms.synthetic_bars(950, 3), name="B")
    assert len({plain.fingerprint, pair.fingerprint, changed.fingerprint}) == 3
    assert plain.fingerprint == plain[:].fingerprint
    assert pickle.loads(pickle.dumps(pair)).fingerprint == pair.fingerprint
    again = evaluate(pair.origin)
    assert again is not None
    assert again.fingerprint == pair.fingerprint
    joined = pair.with_series(funding=pair.to_frame().select("timestamp").with_columns(funding_rate=0.0))
    assert list(joined.others) == ["B"]


def test_permuted_bars_keep_the_other_as_it_was(pair: Bars) -> None:
    made = permuted_bars(pair, 0)
    assert made.others["B"].fingerprint == pair.others["B"].fingerprint
    wf = ms.walk_forward(pair, Spread, executor="serial", **SETTINGS)
    assert ms.validation.permutation_test(wf, pair, repetitions=3, workers=1).undefined == 0


def test_what_is_not_there_is_named(pair: Bars) -> None:
    plain = ms.synthetic_bars(50, 1)
    with pytest.raises(BarsError, match=r"have none; there are: none. Join it with bars.with_other"):
        plain.other()
    with pytest.raises(BarsError, match=r"have no other symbol 'C'; there are: B"):
        pair.other("C")
    with pytest.raises(BarsError, match=r"is a int; give ms.Bars"):
        plain.with_other(7)  # type: ignore[arg-type]
    with pytest.raises(BarsError, match="'B' already"):
        pair.with_other(plain, name="B")
    with pytest.raises(BarsError, match="has no name"):
        plain.with_other(Bars.from_frame(plain.to_frame()))
    both = pair.with_other(plain, name="C")
    assert list(both.others) == ["B", "C"]
    with pytest.raises(BarsError, match="several: name one"):
        both.other()
    with pytest.raises(BarsError, match="bar in progress is not known"):
        pair.other().forming
    wf = ms.walk_forward(plain[:], Spread, executor="serial", splitter="rolling:1,1,1", trials=1)
    assert "have no other symbol 'B'" in str(wf.folds["error"][0])


def test_each_call_returns_the_same_object(pair: Bars) -> None:
    assert pair.other("B") is pair.other("B")
