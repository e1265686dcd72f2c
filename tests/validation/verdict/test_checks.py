"""The checks of a verdict: values that agree with the statistics, thresholds, and one sentence each."""

from __future__ import annotations

import math

import pytest

import maestro as ms
from maestro.ledger.team import counted
from maestro.validation import VerdictInputs, permutation_test
from maestro.validation.verdict.checks import CHECKS, all_checks
from maestro.validation.verdict.result import Verdict
from maestro.validation.verdict.rule import CONCLUSIONS
from tests.validation.verdict.signs import KEYS


def test_every_check_is_made_and_explained_in_a_sentence(verdict: Verdict) -> None:
    assert [c.key for c in verdict.checks] == [key for keys in KEYS.values() for key in keys]
    assert "not done" not in verdict.table["outcome"].to_list()
    for one in verdict.checks:
        assert one.meaning.endswith("."), one
        assert one.value is not None
        good = one.value >= one.threshold if one.at_least else one.value <= one.threshold  # type: ignore[operator]
        assert (one.outcome == "pass") == good or one.key == "interval"
    assert verdict.conclusion in CONCLUSIONS
    assert verdict.table.columns == ["question", "check", "value", "threshold", "outcome", "meaning"]
    assert len(verdict.table) == len(CHECKS.builtin)
    assert verdict["pbo"].title == "Probability of overfitting (PBO)"
    with pytest.raises(KeyError, match="the checks are"):
        verdict["sharp"]


def test_values_are_those_of_the_statistics(wf: ms.WalkForward, verdict: Verdict) -> None:
    v = ms.validation
    returns = wf.equity["return"].to_numpy()
    per_bar = wf.metrics["sharpe_ratio"] / math.sqrt(252)
    z = (returns - returns.mean()) / returns.std()
    moments = {"skew": float((z**3).mean()), "kurtosis": float((z**4).mean())}
    sure = v.probabilistic_sharpe_ratio(per_bar, n_obs=len(returns), **moments)
    assert verdict["sharpe"].value == pytest.approx(sure, rel=1e-9)
    ledger = counted(ms.load("sample:AAPL")).trials
    details = verdict["deflated"].details
    assert details["trials"] <= ledger.distinct
    deflated = v.deflated_sharpe_ratio(
        per_bar, n_obs=len(returns), n_trials=details["trials"], trials_variance=details["variance"], **moments
    )
    assert verdict["deflated"].value == pytest.approx(deflated, rel=1e-9)
    assert verdict["efficiency"].value == wf.efficiency
    assert verdict["trades"].value == wf.metrics["num_trades"]
    assert verdict["pbo"].value == v.trials_pbo(wf, periods=2_000, most=1_000).pbo
    assert verdict["permutation"].value == permutation_test(wf, repetitions=19, workers=1).pvalue


def test_a_run_that_loses_without_costs_has_no_break_even(wf: ms.WalkForward) -> None:
    inputs = VerdictInputs(wf, cost_multiple=math.nan, shifts={})
    found = {check.key: check for check in all_checks(inputs)}
    assert (found["costs"].outcome, found["costs"].value) == ("fail", None)
    assert found["shifts"].outcome == "not done"
    inputs = VerdictInputs(wf, cost_multiple=math.inf)
    assert {check.key: check for check in all_checks(inputs)}["costs"].value_text == "above 16 times"


def test_an_undefined_neighbour_counts_as_one_that_kept_nothing(wf: ms.WalkForward) -> None:
    own = wf.metrics["sharpe_ratio"]
    shifts = {"fast lower": own, "fast higher": math.nan, "slow lower": math.nan}
    found = {check.key: check for check in all_checks(VerdictInputs(wf, shifts=shifts))}["shifts"]
    assert (found.value, found.outcome) == (0.0, "fail")
    assert found.details["kept"] == {"fast lower": 1.0, "fast higher": 0.0, "slow lower": 0.0}
