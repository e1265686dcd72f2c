"""Significance of many walk-forwards: the sentence, and an edge that is found among noise."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.errors import SettingsError
from maestro.validation.multiple import Significance, significance


def planted(n: int, seed: int, strength: float) -> Bars:
    """Daily bars whose returns continue: a rule that follows the last moves earns."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, 0.01, n)
    for t in range(1, n):
        moves[t] += strength * moves[t - 1]
    close = 100 * np.exp(np.cumsum(moves))
    opened = np.concatenate(([100.0], close[:-1]))
    frame = pl.DataFrame(
        {"timestamp": pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2020, 1, 1) + pl.duration(days=n - 1),
                                        "1d", eager=True),
         "open": opened, "high": np.maximum(opened, close), "low": np.minimum(opened, close), "close": close,
         "volume": np.ones(n)}
    )  # fmt: skip
    return Bars.from_frame(frame, timeframe="1d")


@pytest.fixture(scope="module")
def many() -> ms.WalkForwards:
    series = {f"S{k}": planted(900, k, 0.0) for k in range(7)}
    u = ms.universe({**series, "EDGE": planted(900, 99, 0.75), "short": planted(4, 1, 0.0)})
    return ms.walk_forward_many(u, "EmaCrossStrategy", splitter="rolling:4,2,1", trials=5, executor="serial",
                                space={"fast": (2, 4), "slow": (5, 10)})  # fmt: skip


def test_a_planted_edge_remains_and_noise_does_not(many: ms.WalkForwards) -> None:
    found = many.significance
    assert found.remaining["symbol"].to_list() == ["EDGE"]
    best = found.best
    assert best is not None
    assert best["symbol"] == "EDGE"
    assert found.sentence.startswith("9 walk-forwards (1 cannot be tested); ")
    assert found.sentence.endswith("0.4 expected by chance; 1 remains.")
    assert "when all 8 are considered" in found.best_in_words
    assert (found.table["p_adjusted"] <= found.table["p_holm"] + 0.05).drop_nulls().all()


def test_the_numbers_do_not_depend_on_the_order_of_runs(many: ms.WalkForwards) -> None:
    one, two = significance(many, repetitions=499, seed=3), significance(many, repetitions=499, seed=3)
    assert one.table.equals(two.table)
    assert not one.table.equals(significance(many, repetitions=499, seed=4).table)


def test_the_sentence_states_what_remains() -> None:
    def message(p: list[float | None], adjusted: list[float | None]) -> str:
        table = pl.DataFrame(
            {"p_value": p, "p_adjusted": adjusted}, schema={"p_value": pl.Float64, "p_adjusted": pl.Float64}
        )
        return Significance(table, 0.05, len(p), 999, 5, 0).sentence

    assert message([0.01] * 14 + [0.5] * 250, [0.3] * 14 + [1.0] * 250) == (
        "264 walk-forwards; 14 below 5\u202f%, 13 expected by chance; none remains."
    )
    assert message([0.001, 0.2], [0.01, 0.2]) == "2 walk-forwards; 1 below 5\u202f%, 0.1 expected by chance; 1 remains."
    assert message([None], [None]) == "1 walk-forward; none can be tested."


def test_impossible_settings_are_refused(many: ms.WalkForwards) -> None:
    with pytest.raises(SettingsError, match="between 0 and 1"):
        significance(many, size=5)
