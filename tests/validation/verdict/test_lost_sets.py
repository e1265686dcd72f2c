"""Does a verdict tell which of the sets that were tried could not be simulated again?"""

from __future__ import annotations

import polars as pl
import pytest

import maestro as ms


class FailsOnAll(ms.Strategy):
    """Works on the windows of a run, and raises on all of its bars, for some sets or for every one."""

    n = ms.Int(10, 4, 30)
    works_to = ms.Int(0, 0, 30, search=False)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        if len(bars) > 1_200 and self.n > self.works_to:
            raise ZeroDivisionError(f"{len(bars)} bars")
        mean = ms.indicators.sma(bars.close, self.n)
        return ms.Signals.flip(bars.close > mean, bars.close < mean)


@pytest.mark.parametrize("works_to", [0, 4, 20])
def test_sets_that_cannot_be_simulated_again_are_noted(works_to: int) -> None:
    bars = ms.synthetic_bars(1_500, seed=23)
    wf = ms.walk_forward(bars, FailsOnAll, trials=20, search="sobol", workers=1, params={"works_to": works_to})
    tried = wf.trials["n"].n_unique()
    left = wf.trials.filter(pl.col("n") <= works_to)["n"].n_unique()
    made = ms.verdict(wf, permutations=0)
    sentence = (
        f"{tried - left} of {tried} sets that were tried could not be simulated again; the first error: ZeroDivis"
    )
    assert any(note.startswith(sentence) for note in made.notes)
    pbo = next(check for check in made.checks if check.key == "pbo")
    if left < 2:
        assert pbo.outcome == "not done"
        assert pbo.meaning.startswith(sentence)
    else:
        assert pbo.details["sets"] == left
