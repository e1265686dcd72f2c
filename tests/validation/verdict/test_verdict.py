"""The verdict: a rule that no single check outweighs, figures that are right, a file that is whole, words that fit."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.cli import main
from maestro.errors import BarsError, RunCancelled, RunError, SettingsError
from maestro.ledger import Ledger
from maestro.reports import verdict_html
from maestro.reproduce.replay import break_even, neighbours, replayed
from maestro.validation import Check, conclude_from, permutation_test
from maestro.validation.verdict.checks import counted
from maestro.validation.verdict.result import Verdict
from maestro.validation.verdict.rule import CONCLUSIONS, QUESTIONS, answer, turned_around

KEYS = {
    "data": ("trades", "folds", "length"), "sound": ("lookahead",), "earned": ("sharpe", "interval", "benchmark"),
    "carried": ("efficiency", "consistency", "pbo"), "luck": ("deflated", "permutation", "spa"),
    "sturdy": ("costs", "neighbourhood"),
}  # fmt: skip


def check(key: str, question: Any, outcome: Any) -> Check:
    return Check(key, key.capitalize(), question, outcome, 1.0, 2.0, True, "1", "at least 2", "Words.")


def checks(**outcomes: str) -> list[Check]:
    """All checks, their outcomes by question (``earned="++-"``); passed where nothing is said."""
    signs = {"+": "pass", "-": "fail", "?": "not done"}
    found = []
    for question, keys in KEYS.items():
        said = outcomes.get(question, "+" * len(keys))
        found += [check(key, question, signs[sign]) for key, sign in zip(keys, said, strict=True)]
    return found


# -- the rule -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "conclusion"),
    [
        ({}, "robust"),
        ({"data": "-++"}, "not enough data"),
        ({"data": "++-", "earned": "---", "luck": "---"}, "not enough data"),
        ({"earned": "---"}, "inconclusive"),
        ({"earned": "---", "carried": "---", "luck": "+++"}, "fitted"),
        ({"earned": "--+", "luck": "-?-"}, "fitted"),
        ({"carried": "---", "luck": "---"}, "fitted"),
        ({"carried": "---"}, "inconclusive"),
        ({"carried": "+--", "sturdy": "++"}, "inconclusive"),
        ({"carried": "+?-"}, "robust"),
        ({"carried": "+?-", "sturdy": "+-"}, "inconclusive"),
        ({"sturdy": "--"}, "inconclusive"),
        ({"sound": "-"}, "inconclusive"),
        ({"sound": "?"}, "robust"),
        ({"luck": "+??"}, "inconclusive"),
        ({"luck": "-++"}, "robust"),
        ({"luck": "+--", "earned": "+--"}, "fitted"),
        ({q: "?" * len(k) for q, k in KEYS.items()}, "inconclusive"),
    ],
)
def test_conclusions(outcomes: dict[str, str], conclusion: str) -> None:
    assert conclude_from(checks(**outcomes)) == conclusion


def test_no_single_check_outweighs_the_others() -> None:
    """Through all outcomes of the weighed checks: one turned around never leads from robust to fitted or back."""
    weighed = ("earned", "carried", "luck", "sturdy")
    best = {q: {} for q in weighed}  # type: ignore[var-annotated]
    for question in weighed:  # answers that a question can have, and those one check away
        for signs in product("+-?", repeat=len(KEYS[question])):
            mine = answer(checks(**{question: "".join(signs)}), question)  # type: ignore[arg-type]
            for k, sign in product(range(len(signs)), "+-?"):
                other = "".join((*signs[:k], sign, *signs[k + 1 :]))
                found = answer(checks(**{question: other}), question)  # type: ignore[arg-type]
                best[question][mine, found] = ("".join(signs), other)
    seen = 0
    for question in weighed:
        rest = [q for q in weighed if q != question]
        signs_of = {q: {pair[0]: texts[0] for pair, texts in best[q].items()} for q in rest}
        for answers in product(("yes", "no", "open"), repeat=3):
            fixed = {q: signs_of[q][a] for q, a in zip(rest, answers, strict=True) if a in signs_of[q]}
            for before, after in best[question].values():
                for sound in "+-?":
                    pair = {conclude_from(checks(sound=sound, **fixed, **{question: text})) for text in (before, after)}
                    assert pair != {"robust", "fitted"}, (question, before, after, fixed)
                    seen += 1
    assert seen > 500


def test_nothing_is_robust_or_fitted_by_one_kind_of_evidence() -> None:
    nothing = {q: "?" * len(k) for q, k in KEYS.items()}
    for question, keys in KEYS.items():
        for sign in "+-":
            found = conclude_from(checks(**{**nothing, question: sign * len(keys)}))
            assert found in ("inconclusive", "not enough data"), question


def test_what_would_change_it() -> None:
    assert "It would be robust if interval came to at least 2." in turned_around(checks(earned="+--", carried="+++"))
    assert "could be done and passed" in turned_around(checks(luck="+??"))[0]
    assert "More than 4" in turned_around(checks(**{q: "-" * len(KEYS[q]) for q in ("earned", "carried", "luck")}))[0]
    assert turned_around(checks(luck="+-+")) == ["It would be inconclusive if deflated failed."]
    assert turned_around(checks()) == [
        "No single one of the weighed checks, failed, would change it.",
        "It would be inconclusive if Sharpe and interval failed.",
    ]
    assert any("fitted if one of these failed" in s for s in turned_around(checks(earned="+?-", luck="---")))


def test_every_question_and_conclusion_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "verdict.md").read_text()
    assert not [words for words in (*QUESTIONS.values(), *CONCLUSIONS) if words.lower() not in text.lower()]


# -- on walk-forwards -----------------------------------------------------------------------


SETTINGS: dict[str, Any] = {"trials": 12, "workers": 1}


@pytest.fixture(scope="module")
def wf(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    return ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", runs_dir=tmp_path_factory.mktemp("r"), **SETTINGS
    )


@pytest.fixture(scope="module")
def verdict(wf: ms.WalkForward) -> Verdict:
    return ms.verdict(wf, workers=1)


def test_every_check_is_made_and_says_one_sentence(verdict: Verdict) -> None:
    assert [c.key for c in verdict.checks] == [key for keys in KEYS.values() for key in keys]
    assert "not done" not in verdict.table["outcome"].to_list()
    for one in verdict.checks:
        assert one.meaning.endswith("."), one
        assert one.value is not None
        good = one.value >= one.threshold if one.least else one.value <= one.threshold  # type: ignore[operator]
        assert (one.outcome == "pass") == good or one.key == "interval"
    assert verdict.conclusion in CONCLUSIONS
    assert verdict.table.columns == ["question", "check", "value", "threshold", "outcome", "meaning"]
    assert len(verdict.table) == 15
    assert verdict["pbo"].title == "Probability of overfitting"
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
    ledger = Ledger(ms.load("sample:AAPL")).trials
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


def test_it_depends_on_run_seed_and_repetitions_alone(wf: ms.WalkForward, verdict: Verdict) -> None:
    again = ms.verdict(wf, workers=2, save=False)
    assert json.dumps(again.to_dict()["checks"]) == json.dumps(verdict.to_dict()["checks"])


def test_nothing_is_counted(wf: ms.WalkForward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))
    ms.verdict(wf, permutations=2, workers=1, save=False)
    assert not list(tmp_path.rglob("*.ledger"))


def test_trials_are_those_of_the_ledger_or_of_the_run(wf: ms.WalkForward, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))
    own, _, said = counted(wf, wf.bars)
    assert own == len(wf.trials.filter(pl.col("state") != "infeasible"))
    assert "of this run alone" in said
    book = Ledger(wf.bars)  # type: ignore[arg-type]
    book.record("by hand", sharpes=np.random.default_rng(0).normal(0, 0.03, 5_000).tolist())
    count, variance, said = counted(wf, None)
    assert count == 5_000
    assert variance == pytest.approx(0.0009, rel=0.1)
    assert "ledger" in said


def test_it_is_kept_with_the_run_and_shown_without_computing(wf: ms.WalkForward, verdict: Verdict) -> None:
    assert (wf.folder / "verdict.json").exists()  # type: ignore[operator]
    loaded = ms.load_run(wf.folder)  # type: ignore[arg-type]
    assert str(loaded.verdict) == str(verdict)
    assert loaded.verdict.conclusion == verdict.conclusion  # type: ignore[union-attr]
    page = loaded.report(wf.folder / "report.html").read_text()  # type: ignore[operator]
    assert page.count('id="verdict"') == 1
    assert '<section id="verdict">' in page
    assert 'href="#verdict"' in page
    assert verdict["spa"].title in page
    assert f"Verdict: {verdict.conclusion}" in loaded._repr_html_()


def test_a_run_without_a_verdict_says_how_to_get_one(tmp_path: Path) -> None:
    made = ms.walk_forward(ms.load("sample:IBM"), "EmaCrossStrategy", trials=2, workers=1)
    assert made.verdict is None
    assert "ms.verdict(wf)" in made.report(tmp_path / "r.html").read_text()


def test_a_flipped_bit_and_a_foreign_verdict_are_found(wf: ms.WalkForward, verdict: Verdict, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / wf.id
    shutil.copytree(wf.folder, copy)  # type: ignore[arg-type]
    content = (copy / "verdict.json").read_bytes()
    (copy / "verdict.json").write_bytes(content.replace(b'"fail"', b'"pass"', 1))
    loaded = ms.load_run(copy)
    with pytest.raises(RunError, match=r"verdict\.json is damaged"):
        _ = loaded.verdict
    assert "is damaged" in loaded.report(tmp_path / "r.html").read_text()
    assert "is damaged" in loaded._repr_html_()
    (copy / "verdict.json").write_bytes(replace(verdict, run="0" * 16).to_json())
    with pytest.raises(RunError, match="it is that of run 0000"):
        _ = ms.load_run(copy).verdict
    (copy / "verdict.json").write_bytes(b"")
    with pytest.raises(RunError, match="damaged"):
        _ = ms.load_run(copy).verdict


def test_without_bars_what_needs_them_is_not_done(wf: ms.WalkForward) -> None:
    loaded = ms.load_run(wf.folder)  # type: ignore[arg-type]
    loaded.manifest["python"] = "bars = ..."
    found = ms.verdict(loaded, workers=1, save=False)
    assert set(found.table.filter(pl.col("outcome") == "not done")["check"]) == {
        found[key].title for key in ("lookahead", "pbo", "permutation", "spa", "costs", "neighbourhood")
    }
    assert "does not say where its bars" in found["lookahead"].meaning
    assert found["pbo"].meaning == "Not done for the same reason."
    assert found.conclusion != "robust"
    with pytest.raises(BarsError, match="these are not the bars"):
        ms.verdict(loaded, ms.load("sample:IBM"), save=False)


def test_without_the_extra_the_reason_names_it(wf: ms.WalkForward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch.bootstrap", None)
    found = ms.verdict(wf, permutations=0, save=False)
    assert {c.key for c in found.checks if c.outcome == "not done"} == {"interval", "spa", "permutation"}
    assert "maestro-research[validation]" in found["interval"].meaning
    assert found["permutation"].meaning == "Not asked for: permutations=0."


def test_a_permutation_test_that_was_made_is_taken_over(wf: ms.WalkForward, verdict: Verdict) -> None:
    made = permutation_test(wf, repetitions=3, workers=1, seed=5)
    found = ms.verdict(wf, permutations=made, save=False)
    assert found["permutation"].value == made.pvalue
    with pytest.raises(SettingsError, match="it is not of this run"):
        ms.verdict(wf, permutations=replace(made, observed=made.observed + 1), save=False)


def test_progress_and_cancelling(wf: ms.WalkForward) -> None:
    seen: list[tuple[float, str]] = []
    ms.verdict(wf, permutations=2, workers=1, save=False, progress=lambda share, text: seen.append((share, text)))
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
    assert seen[-1] == (1.0, "done")
    for count in (0, 3, 5, 6):
        stop = threading.Event()
        steps: list[str] = []

        def cancel(
            share: float, text: str, stop: threading.Event = stop, steps: list[str] = steps, count: int = count
        ) -> None:
            steps.append(text)
            if len(steps) > count:
                stop.set()

        with pytest.raises(RunCancelled, match="nothing was written"):
            ms.verdict(wf, permutations=5, workers=1, progress=cancel, cancel=stop)


@pytest.mark.parametrize("given", [-1, True, "19", 1.5])
def test_impossible_permutations(wf: ms.WalkForward, given: Any) -> None:
    with pytest.raises(SettingsError, match="permutations"):
        ms.verdict(wf, permutations=given)


def test_few_trades_and_folds_are_not_enough_data() -> None:
    wf = ms.walk_forward(
        ms.load("sample:GOOG")[:400], "EmaCrossStrategy", splitter="rolling:4,2,1", trials=3, workers=1
    )
    found = ms.verdict(wf, permutations=0)
    assert found.conclusion == "not enough data"
    assert found["trades"].outcome == "fail"
    assert "Too small: " in found.headline
    assert any("More bars" in change for change in found.changes)


class Broken(ms.Strategy):
    """Fails on every window."""

    level = ms.Int(1, 1, 5)

    def warmup(self, params: object = None) -> int:
        return 0

    def signals(self, bars: ms.Bars) -> ms.Signals:
        raise RuntimeError("no")


def test_a_run_in_which_every_fold_failed_has_a_verdict_too() -> None:
    wf = ms.walk_forward(ms.load("sample:IBM"), Broken, trials=2, workers=1)
    found = ms.verdict(wf)
    assert found.conclusion == "not enough data"
    assert any("failed" in note for note in found.notes)
    assert "Verdict(not enough data" in repr(found)
    assert "NaN" not in found.to_json().decode()


class Peeks(ms.Strategy):
    """Buys before the close rises, which nobody can know."""

    length = ms.Int(1, 1, 3)

    def warmup(self, params: object = None) -> int:
        return 0

    def signals(self, bars: ms.Bars) -> ms.Signals:
        ahead = np.roll(bars.close, -self.length - 1) > bars.close
        return ms.Signals(long_entry=ahead, long_exit=~ahead)


def test_a_rule_that_looks_ahead_is_never_robust() -> None:
    wf = ms.walk_forward(ms.load("sample:MSFT"), Peeks, trials=3, workers=1)
    assert wf.metrics["sharpe_ratio"] > 3
    found = ms.verdict(wf, permutations=2, workers=1)
    assert found["lookahead"].outcome == "fail"
    assert found.conclusion == "inconclusive"
    assert "No figure of this run can be believed" in found.headline
    closes = ms.walk_forward(ms.load("sample:MSFT"), "EmaCrossStrategy", trials=2, workers=1, fill="close")
    assert ms.verdict(closes, permutations=0)["lookahead"].outcome == "fail"


def test_a_strategy_of_ones_own_is_given_with_a_loaded_run(tmp_path: Path) -> None:
    made = ms.walk_forward(ms.load("sample:MSFT"), Peeks, trials=2, workers=1, runs_dir=tmp_path)
    loaded = ms.load_run(made.id, tmp_path)
    assert "give its class" in ms.verdict(loaded, permutations=0, save=False)["lookahead"].meaning
    assert ms.verdict(loaded, permutations=0, save=False, strategy=Peeks)["pbo"].outcome != "not done"


# -- small changes --------------------------------------------------------------------------


def test_replayed_without_change_is_the_run(wf: ms.WalkForward) -> None:
    from maestro.reproduce.plan import windows_of
    from maestro.validation.verdict.checks import sets_of

    assert wf.plan is not None
    assert wf.bars is not None
    again = replayed(wf.plan, wf.bars, windows_of(wf), sets_of(wf, wf.plan.space))
    assert again["sharpe_ratio"] == pytest.approx(wf.metrics["sharpe_ratio"], rel=1e-12)
    times = break_even(wf.plan, wf.bars, windows_of(wf), sets_of(wf, wf.plan.space))
    for factor, sign in ((0.95, 1), (1.05, -1)):
        costs = ms.Costs(0.001 * times * factor, 0.0005 * times * factor)
        assert sign * replayed(wf.plan, wf.bars, windows_of(wf), sets_of(wf, wf.plan.space), costs)["total_return"] > 0


def test_neighbours_are_a_tenth_or_a_step_away_and_feasible(wf: ms.WalkForward) -> None:
    assert wf.plan is not None
    space = wf.plan.space
    found = dict(neighbours(space, [{"fast": 50, "slow": 100}, None, {"fast": space.dimensions[0].low, "slow": 60}]))
    assert found["fast lower"][0] == {"fast": 45, "slow": 100}
    assert found["slow higher"][0] == {"fast": 50, "slow": 110}
    assert found["fast lower"][1] is None
    assert found["fast lower"][2] == {"fast": space.dimensions[0].low, "slow": 60}  # at the bound it stays
    assert all(space.feasible(s) for sets in found.values() for s in sets if s is not None)


# -- as it looks ----------------------------------------------------------------------------


def test_text_and_html_hold_every_check_escaped(verdict: Verdict) -> None:
    odd = replace(verdict, strategy="<b>Rule</b>")
    html = odd._repr_html_()
    assert "<b>Rule</b>" not in html
    assert "&lt;b&gt;Rule" in html
    for one in verdict.checks:
        assert one.title in html
        assert one.title in str(verdict)
    assert "class='strip'" in verdict_html(verdict)
    assert verdict.conclusion.upper() in str(verdict)


def test_from_the_shell(wf: ms.WalkForward, verdict: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["verdict", str(wf.folder), "--json"])
    assert left.value.code == 0
    document = json.loads(capsys.readouterr().out)
    assert document["conclusion"] == verdict.conclusion
    assert len(document["checks"]) == 15
    with pytest.raises(SystemExit) as left:
        main(["verdict", str(wf.folder), "--permutations", "2", "--workers", "1", "--no-progress"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "Is it more than luck?" in text
    assert "What would change it" in text
    assert ms.load_run(wf.folder).verdict.settings["permutations"] == 2  # type: ignore[union-attr, arg-type]
    for words in (["verdict", "nothing-here"], ["verdict", str(wf.folder), "--start", "2020"]):
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code in (1, 2)


def test_help_loads_nothing_heavy() -> None:
    code = """
import sys
from maestro.cli import main
try:
    main(["verdict", "--help"])
except SystemExit:
    pass
assert "numpy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
