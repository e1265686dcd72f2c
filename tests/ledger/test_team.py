"""Ledgers of several users in one place: whose trials count, and what the verdict states."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.cli import main
from maestro.errors import LedgerError
from maestro.ledger import Ledger, counted, folder, owned_by
from maestro.runs import RunStore
from maestro.validation.verdict.inputs import count_trials

SETTINGS = {"splitter": "rolling:4,2,1", "trials": 6, "workers": 1}
SERIES = "BITSTAMP:BTCUSD:1d"


@pytest.fixture(scope="module")
def real() -> ms.Bars:
    """Bars that are not synthetic, as trials on those are not counted in a verdict."""
    return ms.load_sample("AAPL")


def cli(*words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 0


def evaluated(wf: ms.WalkForward) -> int:
    return int((wf.trials["state"] != "infeasible").sum())


def test_trials_are_entered_for_the_user_who_asked(real: ms.Bars) -> None:
    with owned_by("anna@example.org"):
        wf = ms.walk_forward(real, "EmaCrossStrategy", **SETTINGS)
        assert folder().name == "anna-example.org+a3bf8623"
    assert wf.manifest["ledger"]["user"] == "anna-example.org+a3bf8623"
    assert Ledger(real).n_trials == 0
    assert Ledger(real, folder("anna@example.org")).n_trials == evaluated(wf)


def test_the_deflated_sharpe_ratio_counts_the_team_once_for_exact_repetitions(
    real: ms.Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    with owned_by("anna"):
        first = ms.walk_forward(real, "EmaCrossStrategy", **SETTINGS)
    with owned_by("ben"):
        ms.walk_forward(real, "EmaCrossStrategy", **SETTINGS)
        other = ms.walk_forward(real, "EmaCrossStrategy", **SETTINGS, seed=1)
    own, both = evaluated(first), evaluated(first) + evaluated(other)
    of = counted(real)
    assert (of.trials.distinct, of.trials.evaluated, of.users) == (both, both + own, ("anna", "ben"))
    count = count_trials(first, real)
    assert count.distinct == both
    assert count.source == "ever run on this series, from the ledger by 2 users"
    monkeypatch.setenv("MAESTRO_LEDGER_TEAM", "no")
    alone = count_trials(first, real)  # of anna, who made the run, whoever asks
    assert alone.distinct == own
    assert alone.source.endswith("by this user, without 1 other user (setting ledger_team)")


def test_one_user_alone_is_counted_as_before(real: ms.Bars) -> None:
    wf = ms.walk_forward(real, "EmaCrossStrategy", **SETTINGS)
    assert counted(real).trials == Ledger(real).trials
    assert count_trials(wf, real).source == "ever run on this series, from the ledger"


def test_users_with_unreadable_ledgers_are_named(home: Path) -> None:
    with owned_by("anna"):
        Ledger(SERIES).record("by hand", sharpes=[0.1, 0.2])
    damaged = home.parent / "ben" / Ledger(SERIES).path.name
    damaged.mkdir(parents=True)  # a folder in the place of the file: nothing that can be read
    assert counted(SERIES).trials.distinct == 2
    assert counted(SERIES).unreadable == ("ben",)
    assert counted(SERIES).who == ", without those of ben, which cannot be read"
    with owned_by("ben"), pytest.raises((LedgerError, OSError)):
        counted(SERIES)


def test_trials_that_a_user_removed_still_count() -> None:
    with owned_by("anna"):
        book = Ledger(SERIES)
        book.record("by hand", sharpes=[0.1, 0.2])
        book.record("by hand", sharpes=[0.3])
    lines = book.path.read_text().splitlines(keepends=True)
    book.path.write_text("".join(lines[:-1]))
    Ledger(SERIES).record("by hand", sharpes=[0.4])
    with owned_by("anna"):
        Ledger(SERIES).record("by hand", sharpes=[0.5])
    assert (counted(SERIES).trials.distinct, counted(SERIES).trials.missing) == (5, 1)


def test_verify_asks_the_ledger_of_the_user_who_made_the_run(real: ms.Bars, tmp_path: Path) -> None:
    with owned_by("anna"):
        wf = ms.walk_forward(real, "EmaCrossStrategy", **SETTINGS, runs_dir=tmp_path)
    Ledger(real).record("by hand", sharpes=[0.1, 0.2, 0.3])
    assert RunStore(tmp_path / wf.id).manifest()["ledger"]["user"] == "anna"
    assert ms.verify(tmp_path / wf.id, bars=real).equal


def test_the_command_shows_the_trials_of_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, sharpes in (("anna", [0.1, 0.2]), ("ben", [0.3])):
        with owned_by(name):
            Ledger(SERIES).record("by hand", sharpes=sharpes)
    cli("ledger")
    line = next(line for line in capsys.readouterr().out.splitlines() if SERIES in line)
    assert line.split()[1:4] == ["3", "3", "2"]
    cli("ledger", SERIES)
    shown = capsys.readouterr().out
    assert "3 trials by 2 users" in shown
    assert "anna" in shown
    cli("ledger", "verify")
    assert "2 ledgers with 3 trials" in capsys.readouterr().out
    monkeypatch.setenv("MAESTRO_LEDGER_TEAM", "no")
    with owned_by("ben"):
        cli("ledger")
    out = capsys.readouterr().out
    assert "setting ledger_team" in " ".join(out.split())
