"""Many walk-forwards and portfolios on permuted universes: what depends on what, p-values, and a planted edge."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import RunCancelled, SettingsError, StrategyError
from maestro.validation import (
    ManyPermutation,
    permutation_test,
    permutation_test_many,
    permutation_test_portfolio,
)
from maestro.validation.verdict.calibration import planted_bars
from maestro.walkforward.many import Cell
from tests.support.rules import Cross

SETTINGS: dict[str, Any] = {"splitter": "calendar:6mo,2mo", "trials": 3, "executor": "serial",
                            "space": {"fast": (2, 6), "slow": (7, 20)}}  # fmt: skip


@pytest.fixture(scope="module")
def many() -> ms.WalkForwards:
    series = {name: ms.synthetic_bars(700, k, "1d") for k, name in enumerate("ABC")}
    series["C"] = series["C"].between("2020-04-01", None)
    return ms.walk_forward_many(series, "EmaCrossStrategy", **SETTINGS)


def test_it_does_not_depend_on_workers_and_begins_alike(many: ms.WalkForwards) -> None:
    three = permutation_test_many(many, repetitions=3, executor="serial")
    two = permutation_test_many(many, repetitions=2, executor="processes", workers=2)
    np.testing.assert_array_equal(three.null[:2], two.null)
    np.testing.assert_array_equal(three.observed, [wf.metrics["sharpe_ratio"] for wf in many.values()])
    assert not np.array_equal(permutation_test_many(many, repetitions=2, seed=1, executor="serial").null, two.null)


def test_one_series_alone_is_permuted_as_by_itself() -> None:
    bars = ms.synthetic_bars(700, 5, "1d")
    one = ms.walk_forward_many({"A": bars}, "EmaCrossStrategy", **SETTINGS)
    found = permutation_test_many(one, repetitions=4, executor="serial")
    alone = permutation_test(next(iter(one.values())), repetitions=4, workers=1)
    np.testing.assert_array_equal(found.null[:, 0], alone.null)
    assert found.p_value[0] == alone.pvalue == found.p_adjusted[0]


def test_p_values_in_closed_form() -> None:
    cells = tuple(Cell(name, "1d", "R") for name in "abcd")
    rng = np.random.default_rng(0)
    null = rng.normal(0, 1, (19, 4))
    null[:, 3] = np.nan
    null[0, 0] = np.nan
    found = ManyPermutation(cells, "sharpe_ratio", np.array([9.0, 0.0, np.nan, 1.0]), null, 19, 0, 1, 0.0)
    assert found.p_value[0] == 1 / 20 == found.p_adjusted[0]
    assert found.p_value[1] == (1 + (null[:, 1] >= 0).sum()) / 20
    assert np.isnan(found.p_value[2:]).all()  # no result, and nothing to compare with
    assert (found.p_adjusted[:2] >= found.p_value[:2]).all()
    assert found.table["symbol"].to_list()[:2] == ["a", "b"]
    assert "1 at or below 5\u202f%, 0.1 expected by chance; 1 remains" in found.sentence
    less = ManyPermutation(cells, "-volatility", np.array([9.0, 0.0, np.nan, 1.0]), null, 19, 0, 1, 0.0)
    assert less.p_value[0] == 19 / 20  # the repetition without a value did not do as well


def test_the_best_of_many_is_compared_with_the_best_of_many() -> None:
    """Twenty cells without an edge: the smallest p alone is often 0.05, adjusted it is so in one of twenty at most."""
    alone = together = 0
    for seed in range(60):
        rows = np.random.default_rng(seed).normal(0, 1, (20, 20))
        cells = tuple(Cell(f"{k:02}", "1d", "R") for k in range(20))
        found = ManyPermutation(cells, "sharpe_ratio", rows[0], rows[1:], 19, 0, 1, 0.0)
        alone += bool((found.p_value <= 0.05).any())
        together += bool((found.p_adjusted <= 0.05).any())
    assert alone > 30
    assert together <= 9  # 3 expected; 9 or more has a probability of 0.2 %


def test_a_planted_edge_remains() -> None:
    base = ms.load("sample:AAPL")[:1_500]
    series = {name: planted_bars(base, 0.5 if name == "B" else 0.0, seed=k) for k, name in enumerate("ABCD")}
    many = ms.walk_forward_many(series, "EmaCrossStrategy", splitter="calendar:12mo,4mo", trials=6, executor="serial")
    found = permutation_test_many(many, repetitions=19, workers=2)
    best = found.table.row(0, named=True)
    assert best["symbol"] == "B"
    assert best["p_adjusted"] == 0.05
    assert found.table.filter(pl.col("p_adjusted") <= 0.05).height == 1


def test_a_portfolio_is_repeated_with_its_weights(many: ms.WalkForwards) -> None:
    p = many.portfolio(weights="inverse_volatility")
    found = permutation_test_portfolio(p, repetitions=3, workers=1)
    assert found.observed == p.metrics["sharpe_ratio"]
    assert len(found.null) == 3
    again = permutation_test_portfolio(p, repetitions=2, executor="processes", workers=2)
    np.testing.assert_array_equal(again.null, found.null[:2])
    other = permutation_test_portfolio(many.portfolio(), repetitions=3, workers=1)
    assert not np.array_equal(other.null, found.null)


def test_results_from_disk_with_a_user_defined_strategy(tmp_path: Path) -> None:
    series = {name: ms.load(f"sample:{name}")[:700] for name in ("AAPL", "IBM")}
    settings: dict[str, Any] = {"splitter": "rolling:2,2,1", "trials": 3, "executor": "serial"}
    live = ms.walk_forward_many(series, [Cross, "EmaCrossStrategy"], runs_dir=tmp_path, **settings)
    loaded = ms.load_walk_forwards(live.id, tmp_path)
    classes = {"Cross": Cross}
    wanted = permutation_test_many(live, repetitions=2, executor="serial")
    found = permutation_test_many(loaded, repetitions=2, executor="serial", strategies=classes)
    np.testing.assert_array_equal(found.null, wanted.null)
    np.testing.assert_array_equal(found.observed, wanted.observed)
    assert found.cells == wanted.cells
    # The weights of each repetition need training returns, which the loaded portfolio itself does not.
    portfolios = live.portfolio(rebalance="1mo"), loaded.portfolio(rebalance="1mo")
    whole, again = (
        permutation_test_portfolio(one, repetitions=2, executor="serial", strategies=classes) for one in portfolios
    )
    assert again.observed == whole.observed
    np.testing.assert_array_equal(again.null, whole.null)
    for test, of in ((permutation_test_many, loaded), (permutation_test_portfolio, portfolios[1])):
        with pytest.raises(StrategyError, match=r"strategies=\{'Cross': Cross\} for several runs"):
            test(of, repetitions=1, executor="serial")  # type: ignore[operator]
        with pytest.raises(SettingsError, match=r"'Croos', which no run has.*Did you mean 'Cross'"):
            test(of, repetitions=1, strategies={"Croos": Cross})  # type: ignore[operator]
        with pytest.raises(SettingsError, match="give a mapping from names to classes"):
            test(of, repetitions=1, strategies=Cross)  # type: ignore[operator]


def test_bad_settings_and_cancelling(many: ms.WalkForwards) -> None:
    for given, message in (
        ({"repetitions": 0}, "repetitions=0"),
        ({"metric": "sharp_ratio"}, "sharpe_ratio"),
        ({"block": 0}, "block=0"),
        ({"seed": -1}, "seed"),
    ):
        with pytest.raises(SettingsError, match=message):
            permutation_test_many(many, **given)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="a portfolio has no metric 'num_trades'"):
        permutation_test_portfolio(many.portfolio(), metric="num_trades")
    stop = threading.Event()
    stop.set()
    with pytest.raises(RunCancelled, match="permutation test was cancelled"):
        permutation_test_many(many, executor="serial", cancel=stop)
