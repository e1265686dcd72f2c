"""Joint orders: the same bars move together on all series, so that their correlation is kept."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.validation.multiple.joint import joint_order, joint_orders, jointly_permuted


def moves(bars: ms.Bars) -> np.ndarray:
    return np.diff(np.log(bars.close))


@pytest.fixture(scope="module")
def series() -> dict[str, ms.Bars]:
    """Three series that move together: A whole, B listed later, C without weekends."""
    rng = np.random.default_rng(0)
    common = rng.normal(0, 0.02, 900)
    start = pl.datetime_range(
        pl.datetime(2020, 1, 1), pl.datetime(2020, 1, 1) + pl.duration(days=899), "1d", eager=True
    )
    found = {}
    for k, name in enumerate("ABC"):
        close = 100 * np.exp(np.cumsum(common + rng.normal(0, 0.005, 900)))
        frame = pl.DataFrame({"timestamp": start, **dict.fromkeys(("open", "high", "low", "close"), close),
                              "volume": np.ones(900)})  # fmt: skip
        if k == 1:
            frame = frame[300:]
        if k == 2:
            frame = frame.filter(pl.col("timestamp").dt.weekday() < 6)
        found[name] = ms.Bars.from_frame(frame, symbol=name, timeframe="1d")
    return found


@pytest.mark.parametrize("block", [1, 5])
def test_bars_of_one_stamp_stay_together(series: dict[str, ms.Bars], block: int) -> None:
    order = joint_order(series)
    source = order.source(np.random.default_rng(1), block)
    assert sorted(source) == list(range(order.stamps))
    stamps = np.unique(np.concatenate([bars.time for bars in series.values()]))
    for name, bars in series.items():
        own = order.of(name, source)
        assert sorted(own) == list(range(1, len(bars)))
        # The bar now at a stamp comes from the same stamp on every series that has it.
        wanted = stamps[source[np.searchsorted(stamps, bars.time[1:])]]
        np.testing.assert_array_equal(bars.time[own], wanted)
    assert order.fixed < 0.01
    assert (source != np.arange(len(source))).mean() > 0.9


def test_correlation_is_kept_and_order_is_lost(series: dict[str, ms.Bars]) -> None:
    names = dict.fromkeys(series, "1d")
    made = dict(jointly_permuted(series, joint_orders(series, names), names, 3))

    def correlation(a: ms.Bars, b: ms.Bars) -> float:
        both = pl.DataFrame({"t": a.time[1:], "a": moves(a)}).join(
            pl.DataFrame({"t": b.time[1:], "b": moves(b)}), on="t"
        )
        return float(np.corrcoef(both["a"], both["b"])[0, 1])

    assert correlation(series["A"], series["B"]) > 0.9
    for one, other in ("AB", "BC"):
        assert correlation(made[one], made[other]) == pytest.approx(correlation(series[one], series[other]), abs=0.02)
    for name, bars in series.items():
        np.testing.assert_allclose(np.sort(moves(made[name])), np.sort(moves(bars)), atol=1e-9)
        assert abs(np.corrcoef(moves(made[name]), moves(bars))[0, 1]) < 0.2
        assert made[name].synthetic


def test_a_series_comes_out_the_same_alone_with_its_order(series: dict[str, ms.Bars]) -> None:
    names = dict.fromkeys(series, "1d")
    orders = joint_orders(series, names)
    whole = dict(jointly_permuted(series, orders, names, 4))
    [(_, alone)] = jointly_permuted({"B": series["B"]}, orders, names, 4)
    assert alone.fingerprint == whole["B"].fingerprint


def test_series_that_share_hardly_a_stamp_are_refused() -> None:
    rng = np.random.default_rng(0)
    whole = ms.synthetic_bars(60, 1, "1d").to_frame()
    many = {k: ms.Bars.from_frame(whole.filter(pl.Series(rng.random(60) < 0.5)), timeframe="1d") for k in range(9)}
    with pytest.raises(SettingsError, match=r"of the stamps of the series of 1d would stay"):
        joint_orders(many, dict.fromkeys(many, "1d"))
