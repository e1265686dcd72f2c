"""``maestro ledger`` shows the trials of each series, names a missing one, and finds a change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maestro as ms
from maestro.cli import main
from maestro.ledger import Ledger
from tests.ledger.bars import run


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "books"))


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.synthetic_bars(900, seed=3)


def shell(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        main(["ledger", *words])
    printed = capsys.readouterr()
    return int(end.value.code or 0), printed.out + printed.err


def test_the_command_shows_and_verifies(bars: ms.Bars, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No ledger in" in shell(capsys)[1]
    wf = run(bars)
    ms.sweep(bars, "RSIStrategy", n=20)
    book = Ledger(bars)
    book.record("slider", trials=1)
    Ledger("A:B:1h").record("slider", trials=2)
    code, printed = shell(capsys)
    assert code == 0
    assert book.series in printed
    assert "A:B:1h" in printed
    code, printed = shell(capsys, "synthetic")
    assert (code, wf.id in printed, "3 folds" in printed, "slider" in printed) == (0, True, True, True)
    document = json.loads(shell(capsys, book.series, "--json")[1])
    assert document["trials"] == book.n_trials
    assert document["whole"] is True
    assert [one["series"] for one in json.loads(shell(capsys, "--json")[1])] == ["A:B:1h", book.series]
    code, printed = shell(capsys, "verify")
    assert (code, "2 ledgers" in printed, "whole" in printed) == (0, True, True)
    book.path.write_bytes(book.path.read_bytes().replace(b"slider", b"slides"))
    code, printed = shell(capsys, "verify", "--json")
    assert (code, json.loads(printed)["whole"]) == (1, False)
    assert "! " in shell(capsys, "verify")[1]
    assert "maestro ledger verify" in shell(capsys, book.series)[1]


def test_a_series_without_trials_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    Ledger("BINANCE:BTCUSDT:1h").record("slider", trials=2)
    code, printed = shell(capsys, "BINANCE:BTCUSD:1d")
    assert code == 1
    assert "Did you mean 'BINANCE:BTCUSDT:1h'?" in printed
