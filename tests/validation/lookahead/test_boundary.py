"""No test bar reaches the training of its fold; an audit that cannot fail would prove nothing, so it is made to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError, SplitError
from maestro.validation.lookahead import boundary
from maestro.walkforward.splitters import Window
from tests.support.rules import Cross, NeverTrades


@lru_cache
def days() -> ms.Bars:
    return ms.synthetic_bars(1200, seed=5)


def audit(**settings: Any) -> ms.validation.BoundaryAudit:
    return ms.validation.boundary_audit(days(), **{"strategy": Cross, "trials": 8, **settings})


def failed(found: ms.validation.BoundaryAudit) -> set[str]:
    return set(found.failed["check"])


@pytest.mark.parametrize(
    "splitter",
    [
        "rolling:10,2,1", "rolling:6,3,1,purge=24,embargo=6", "expanding:5,embargo=9", "adaptive:5,2,purge=3",
        "calendar:1w,2d,purge=2,embargo=1",
    ],
)  # fmt: skip
def test_the_projects_own_folds_keep_their_boundaries(splitter: str) -> None:
    found = audit(splitter=splitter)
    assert found.passed, found
    assert len(found.table) == 4 * found.table["fold"].n_unique() >= 16
    assert "all passed" in repr(found)
    assert "✗" not in found._repr_html_()


@pytest.mark.parametrize("search", ["tpe", "random", "grid", "sobol"])
@pytest.mark.parametrize("strategy", ["EmaCrossStrategy", "FernandoStrategy", "GridTradingStrategy"])
def test_it_holds_for_every_search_and_kind_of_strategy(search: str, strategy: str) -> None:
    found = audit(strategy=strategy, search=search, splitter="rolling:3,2,1", folds=[1], sizing="volatility:0.3")
    assert found.passed, found
    assert found.table["fold"].to_list() == [1] * 4


def test_the_trials_of_a_run_are_held_against_the_repeated_ones() -> None:
    settings: dict[str, Any] = {"strategy": Cross(fast=4), "trials": 10, "seed": 3, "splitter": "rolling:4,2,1"}
    wf = ms.walk_forward(days(), **settings, workers=1)
    assert audit(**settings, recorded=wf.trials).passed
    forged = wf.trials.with_columns(
        pl.when(pl.col("fold") == 1)
        .then(pl.col("sharpe_ratio") * (1 + 1e-15))
        .otherwise("sharpe_ratio")
        .alias("sharpe_ratio")
    )
    found = audit(**settings, recorded=forged)
    assert found.failed["fold"].to_list() == [1]
    assert "sharpe_ratio" in found.failed["finding"][0]
    assert "in the recorded run" in found.failed["finding"][0]
    found = audit(**settings, recorded=wf.trials.filter(pl.col("trial") > 0))
    assert found.failed["finding"][0] == "There are 9 trials in the recorded run, and 10 otherwise."


@dataclass(frozen=True)
class Peeking:
    """Cuts where the highest price of all is."""

    def split(self, bars: ms.Bars) -> list[Window]:
        top = int(np.clip(np.argmax(bars.high), 200, 1000))
        return [Window(0, top - 100, top - 100, top), Window(100, top, top, top + 100)]

    def to_dict(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, kw_only=True)
class Forgetful(ms.Rolling):
    """Takes a purge and does nothing with it."""

    def split(self, bars: ms.Bars) -> list[Window]:
        return [w._replace(train_stop=w.train_stop + self.purge) for w in super().split(bars)]


@dataclass(frozen=True, kw_only=True)
class Shifted(ms.Rolling):
    """Keeps the gap, and lays it elsewhere than it says."""

    def split(self, bars: ms.Bars) -> list[Window]:
        windows = super().split(bars)
        if not self.purge:
            return windows
        return [w._replace(train_stop=w.train_stop + 5, test_start=w.test_start + 5) for w in windows]


def test_a_splitter_that_peeks_or_forgets_its_gaps_is_caught() -> None:
    assert failed(audit(splitter=Peeking())) == {"splitter"}
    found = audit(splitter=Forgetful(n_splits=4, purge=10))
    assert failed(found) == {"windows"}
    assert "Only 0 bars lie between" in found.failed["finding"][0]
    found = audit(splitter=Shifted(n_splits=4, purge=10))
    assert failed(found) == {"windows"}
    assert "so they should be" in found.failed["finding"][0]


def test_a_training_that_sees_the_test_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = boundary.run_fold

    def trains_too_long(plan: Any, bars: Any, window: Window, fold: int) -> Any:
        return honest(
            plan, bars, window._replace(train_stop=window.test_start + 1, test_start=window.test_start + 1), fold
        )

    monkeypatch.setattr(boundary, "run_fold", trains_too_long)
    found = audit(splitter="rolling:4,2,1")
    assert failed(found) == {"training"}
    assert "with another future" in found.failed["finding"][0]
    assert "✗" in found._repr_html_()
    assert "FAILED" in repr(found)


def test_a_test_that_sees_what_follows_it_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = boundary.run_fold

    def tests_too_long(plan: Any, bars: Any, window: Window, fold: int) -> Any:
        return honest(plan, bars, window._replace(test_stop=min(window.test_stop + 1, len(bars))), fold)

    monkeypatch.setattr(boundary, "run_fold", tests_too_long)
    found = audit(splitter="rolling:4,2,1")
    assert failed(found) == {"test"}
    assert len(found.failed) == found.table["fold"].n_unique() - 1  # after the last test nothing follows


class Chancy(Cross):
    """Enters by chance."""

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(*(np.random.default_rng().random((2, len(bars))) < 0.1))


class Remembering(Cross):
    """Keeps what it learned from the first bars of a symbol."""

    level: float | None = None

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(bars.close < (_level(bars)), bars.close > _level(bars))


_SEEN: list[float] = []


def _level(bars: ms.Bars) -> float:
    _SEEN.append(float(bars.close[-1]))
    return float(np.mean(_SEEN))


@pytest.mark.parametrize("strategy", [Chancy, Remembering])
def test_a_strategy_that_has_another_source_than_its_bars_is_caught(strategy: Any) -> None:
    assert "training" in failed(audit(strategy=strategy, splitter="rolling:4,2,1", folds=[0]))


def test_folds_without_a_complete_trial_prove_nothing_and_are_reported() -> None:
    found = audit(strategy=NeverTrades, splitter="rolling:4,2,1", folds=[0])
    assert found.passed
    assert found.table["passed"].to_list() == [True, True, None, None]
    assert "2 with nothing to compare" in repr(found)


def test_what_makes_no_audit_is_refused() -> None:
    with pytest.raises(SettingsError, match="there is no fold 9; the folds are 0 to 2"):
        audit(splitter="rolling:4,2,1", folds=[9])
    with pytest.raises(SettingsError, match="bars is a str"):
        ms.validation.boundary_audit("AAPL", Cross)  # type: ignore[arg-type]
    with pytest.raises(SplitError, match="is unknown"):
        audit(splitter="rolled:4")
