"""Do choices of every kind go through a search, the tables, a reload, the exports, the report and the verdict?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import polars as pl
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

import maestro as ms
from maestro.bars import Bars
from maestro.search.runner import METHODS
from tests.strategies.test_options import OPTIONS
from tests.support.rules import RISING

BARS = RISING[:700]
SPLITTER = "rolling:4,2,1"


def chosen(given: Any) -> type[ms.Strategy]:
    """A strategy that follows its option and accepts nothing but the option itself."""

    class Chosen(ms.Strategy):
        n = ms.Int(8, 3, 20)
        x = ms.Choice(next(iter(given)), given)
        constraints = (ms.Constraint("n + place < 40", lambda p: p.n + Chosen.place(p.x) < 40),)

        @staticmethod
        def place(value: Any) -> int:
            return next(k for k, option in enumerate(Chosen.declared["x"].options) if option is value)  # type: ignore[attr-defined]

        def signals(self, bars: Bars) -> ms.Signals:
            mean = ms.indicators.sma(bars.close, self.n + 3 * self.place(self.x))
            return ms.Signals.flip(bars.close > mean, bars.close < mean)

    return Chosen


@pytest.mark.parametrize("name", OPTIONS)
def test_any_options_go_through_a_run(name: str, tmp_path: Path) -> None:
    given, cells = OPTIONS[name]
    cls = chosen(given)
    wf = ms.walk_forward(BARS, cls, splitter=SPLITTER, trials=12, workers=1, warm_start=True, runs_dir=tmp_path)
    assert not len(wf.failed_folds)
    assert set(wf.trials["x"]) <= set(cells)
    assert wf.trials.filter(pl.col("state") == "failed").is_empty()
    again = ms.load_run(wf.id, tmp_path)
    assert again.trials.equals(wf.trials)
    assert again.folds.equals(wf.folds)
    json.dumps(wf.spec.to_dict(), allow_nan=False)
    assert "<script" in wf.report().read_text("utf-8")
    for form in ("run.xlsx", "run.csv", "run.parquet"):
        assert wf.export(tmp_path / form).exists()
    wf.to_optuna(tmp_path / "studies.log")
    study = optuna.load_study(
        study_name=f"{wf.id}-fold-00",
        storage=JournalStorage(JournalFileBackend(str(tmp_path / "studies.log"))),
    )
    assert len(study.trials) == 12
    live = ms.verdict(wf, permutations=0)
    reloaded = ms.verdict(again, BARS, permutations=0, strategy=cls, save=False)
    assert [check.value for check in reloaded.checks] == [check.value for check in live.checks]
    if len(cells) > 1:
        assert {check.key for check in live.checks if check.outcome == "not done"} <= {"permutation", "shifts"}
    assert ms.verify(wf.id, runs_dir=tmp_path, bars=BARS, strategy=cls, workers=1).equal
    fixed = ms.walk_forward(BARS, cls, splitter=SPLITTER, trials=3, workers=1, params={"x": cells[-1]})
    assert fixed.folds["x"].to_list() == [cells[-1]] * 3


@pytest.mark.parametrize("method", [*METHODS, optuna.samplers.TPESampler(), optuna.samplers.NSGAIISampler()])
@pytest.mark.parametrize("name", ["tuples", "False and numbers", "dictionaries"])
def test_every_search_tries_every_option(name: str, method: Any) -> None:
    given, cells = OPTIONS[name]
    wf = ms.walk_forward(BARS, chosen(given), splitter=SPLITTER, trials=12, search=method, workers=1)
    assert set(wf.trials["x"]) == set(cells)
    assert set(wf.trials["state"]) == {"complete"}


def test_a_sweep_has_the_options_in_its_table_with_any_executor() -> None:
    cls = chosen(OPTIONS["nested"][0])
    tables = [ms.sweep(BARS, cls, n=40, executor=kind, workers=2).table for kind in ("serial", "threads", "processes")]
    assert tables[0]["error"].null_count() == 40
    assert set(tables[0]["x"]) == set(OPTIONS["nested"][1])
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_a_part_of_the_options_may_be_searched() -> None:
    cls = chosen(OPTIONS["nested"][0])
    wf = ms.walk_forward(BARS, cls, splitter=SPLITTER, trials=4, workers=1, space={"x": [((1, None), "x")]})
    assert wf.spec.params == {"x": "((1, None), 'x')"}
    for wrong, words in (
        ([((9, 9), "x")], "is not an option"),
        ([], "none or repeated"),
        (["a'b"] * 2, "not an option"),
    ):
        with pytest.raises(ms.errors.MaestroError, match=words):
            ms.walk_forward(BARS, cls, space={"x": wrong})


def test_a_failed_first_fold_leaves_the_columns_their_types(tmp_path: Path) -> None:
    class Late(ms.Strategy):
        x = ms.Choice((1, 2), ((1, 2), (3, 4)))

        def signals(self, bars: Bars) -> ms.Signals:
            if bars.time[0] == BARS.time[0]:
                raise ValueError("the first fold")
            return ms.Signals(bars.close > bars.open + self.x[0] / 1_000)

    wf = ms.walk_forward(BARS, Late, splitter=SPLITTER, trials=4, workers=1, runs_dir=tmp_path)
    assert wf.folds["x"].dtype == wf.trials["x"].dtype == pl.String
    assert wf.folds["x"][0] is None
    assert ms.load_run(wf.id, tmp_path).folds.equals(wf.folds)
