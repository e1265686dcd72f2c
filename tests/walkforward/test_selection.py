"""Which trial is chosen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.metrics import NAMES
from maestro.search.trials import Trial, round_score
from maestro.walkforward import Selection


def trials(rows: list[dict[str, float]], select: Selection) -> list[Trial]:
    made = []
    for k, row in enumerate(rows):
        values = np.zeros(len(NAMES))
        for name, value in row.items():
            values[NAMES.index(name)] = value
        score = round_score(select.score(values))
        made.append(Trial(k, {}, "undefined" if math.isnan(score) else "complete", values, None, score))
    return made


def chosen(select: Any, rows: list[dict[str, float]]) -> int | None:
    selection = Selection.of(select)
    trial = selection.choose(trials(rows, selection))
    return None if trial is None else trial.number


def test_the_first_metric_decides_and_the_second_where_it_ties() -> None:
    rows = [
        {"sharpe_ratio": 1.0, "vwr": 9.0},
        {"sharpe_ratio": 2.0, "vwr": 1.0},
        {"sharpe_ratio": 2.0, "vwr": 3.0},
        {"sharpe_ratio": 2.0, "vwr": 3.0},
    ]
    assert chosen(("sharpe_ratio", "vwr"), rows) == 2
    assert chosen("vwr", rows) == 0


def test_differences_beyond_twelve_digits_are_no_differences() -> None:
    rows = [{"sharpe_ratio": 1.0, "vwr": 5.0}, {"sharpe_ratio": 1.0 + 4e-13, "vwr": 4.0}]
    assert chosen(("sharpe_ratio", "vwr"), rows) == 0
    assert chosen(("sharpe_ratio", "vwr"), [rows[0], {"sharpe_ratio": 1.0 + 4e-11, "vwr": 4.0}]) == 1


def test_a_minus_asks_for_the_smaller() -> None:
    rows = [{"volatility": 0.5}, {"volatility": 0.2}, {"volatility": 0.3}]
    assert chosen("-volatility", rows) == 1
    assert chosen("volatility", rows) == 0


def test_undefined_values_rank_last() -> None:
    rows = [{"sharpe_ratio": math.nan}, {"sharpe_ratio": 0.5, "vwr": math.nan}, {"sharpe_ratio": 0.5, "vwr": -8.0}]
    assert chosen(("sharpe_ratio", "vwr"), rows) == 2
    assert chosen("sharpe_ratio", rows[:1]) is None


def test_a_mapping_is_a_weighted_sum() -> None:
    rows = [{"total_return": 0.3, "volatility": 0.4}, {"total_return": 0.2, "volatility": 0.1}]
    assert chosen({"total_return": 1.0, "volatility": -0.2}, rows) == 0  # 0.22 against 0.18
    assert chosen({"total_return": 1.0, "volatility": -1.0}, rows) == 1


def test_rank_average_and_pareto_by_hand() -> None:
    names = ("sharpe_ratio", "vwr", "-volatility")
    rows = [
        {"sharpe_ratio": 3.0, "vwr": 1.0, "volatility": 0.9},  # ranks 0 4 3
        {"sharpe_ratio": 2.0, "vwr": 5.0, "volatility": 0.5},  # ranks 1 0 1: the best mean
        {"sharpe_ratio": 1.5, "vwr": 4.0, "volatility": 0.5},  # ranks 2 1 1, beaten by the second
        {"sharpe_ratio": 1.0, "vwr": 3.0, "volatility": 0.1},  # ranks 3 2 0
        {"sharpe_ratio": 0.5, "vwr": 2.0, "volatility": 0.6},  # beaten
    ]
    assert chosen(Selection(names, "rank_average"), rows) == 1
    assert chosen(Selection(names, "pareto"), rows) == 1
    # Without the second, the third has the best mean rank (0.67), and nobody beats it.
    assert chosen(Selection(names, "rank_average"), [rows[0], *rows[2:]]) == 1
    front = [{"sharpe_ratio": 2.0, "vwr": 2.0}, {"sharpe_ratio": 2.0, "vwr": 3.0}, {"sharpe_ratio": 1.0, "vwr": 4.0}]
    assert chosen(Selection(("sharpe_ratio", "vwr"), "pareto"), front) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sharpe_ratio, vwr", Selection(("sharpe_ratio", "vwr"))),
        ("order:vwr", Selection(("vwr",))),
        ("pareto:sharpe_ratio,-volatility", Selection(("sharpe_ratio", "-volatility"), "pareto")),
        ("rank_average:sharpe_ratio,vwr", Selection(("sharpe_ratio", "vwr"), "rank_average")),
        ("weighted:vwr=1,-fees=2e-3", Selection(("vwr", "-fees"), "weighted", (1.0, 0.002))),
    ],
)
def test_a_selection_as_text(text: str, expected: Selection) -> None:
    assert Selection.of(text) == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Selection.of("sharp_ratio"),
            "no metric is called 'sharp_ratio'; there are: sharpe_ratio.*Did you mean 'sharpe_ratio'",
        ),
        (lambda: Selection.of("pareta:vwr"), "'pareta' is not a kind of selection; allowed: order.*'pareto'"),
        (lambda: Selection.of("weighted:vwr,fees=1"), "'vwr' has no weight"),
        (lambda: Selection.of(()), "without a metric; give at least one"),
        (lambda: Selection(("vwr",), "best"), "selection 'best' is unknown; allowed: order, weighted"),  # type: ignore[arg-type]
        (lambda: Selection(("vwr", "fees"), "weighted", (1.0,)), "1 weights for 2 metrics; give one each"),
        (lambda: Selection.of({"vwr": float("nan")}), "the weight of 'vwr' is nan; give a finite number"),
        (lambda: Selection.of("weighted:vwr=inf"), "the weight of 'vwr' is inf; give a finite number"),
        (lambda: Selection.of({"vwr": "high"}), "the weight of 'vwr' is 'high'; give a finite number"),  # type: ignore[dict-item]
        (lambda: Selection.of("weighted:vwr=0,fees=0"), "all weights are 0"),
        (lambda: Selection.of("weighted:vwr=1,vwr=2"), "'vwr' occurs more than once"),
        (lambda: Selection.of(3), "select=3 .*give a metric's name"),  # type: ignore[arg-type]
        (lambda: Selection.of([1, 2]), "no metric is called 1"),  # type: ignore[list-item]
    ],
)
def test_an_invalid_selection_is_refused(make: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make()


@pytest.mark.parametrize(
    "select", ["-max_drawdown", {"sharpe_ratio": 1.0, "turnover": -0.01}, Selection(("sharpe_ratio", "vwr"), "pareto")]
)
def test_a_fold_keeps_the_choice_of_its_selection(select: Any) -> None:
    wf = ms.walk_forward(
        ms.synthetic_bars(1_500, seed=4), "EmaCrossStrategy", splitter=ms.Rolling(n_splits=4), trials=8,
        space={"slow": (20, 60)}, search="random", select=select,
    )  # fmt: skip
    selection = Selection.of(select)
    for fold in wf.folds["fold"]:
        table = wf.trials.filter(fold=fold)
        rows = [dict(zip(NAMES, [r[n] for n in NAMES], strict=True)) for r in table.iter_rows(named=True)]
        assert table["chosen"].sum() == 1
        best = chosen(selection, rows)
        assert table.filter("chosen")["trial"].item() == best


@pytest.mark.parametrize(
    "text",
    ["sharpe_ratio", "vwr,-volatility", "pareto:sharpe_ratio,-volatility", "rank_average:sharpe_ratio,vwr",
     "weighted:sharpe_ratio=0.7,-volatility=0.3"],
)  # fmt: skip
def test_a_selection_has_a_text_that_gives_it_again(text: str) -> None:
    assert Selection.of(text).text == text
