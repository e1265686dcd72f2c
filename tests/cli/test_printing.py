"""What every command says of the bars that it used."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from maestro.cli import main

SESSIONS = "1,764 bars a year: sessions of 7 bars on 252 trading days"


def run(*arguments: object) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert not ended.value.code


@pytest.fixture
def hours(tmp_path: Path) -> Path:
    """A CSV of hourly bars of a stock: 7 of them on each weekday of half a year."""
    days = [day for day in (datetime(2024, 1, 1, 14, 30) + timedelta(days=k) for k in range(182)) if day.weekday() < 5]
    stamps = [day + timedelta(hours=hour) for day in days for hour in range(7)]
    close = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.004, len(stamps))))
    opened = np.r_[100.0, close[:-1]]
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    path = tmp_path / "hours.csv"
    pl.DataFrame(
        {"date": stamps, "open": opened, "high": high, "low": low, "close": close, "volume": 1.0}
    ).write_csv(path)  # fmt: skip
    return path


@pytest.mark.parametrize(
    "command",
    [
        ("backtest", "EmaCrossStrategy"),
        ("sweep", "EmaCrossStrategy", "-n", "5"),
        ("walk-forward", "EmaCrossStrategy", "--splitter", "rolling:3,1", "--trials", "2"),
    ],
)
def test_every_command_states_how_it_annualised(
    command: tuple[str, ...], hours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    run(*command, "--data", hours)
    assert " ".join(capsys.readouterr().out.split()).count(SESSIONS) == 1
    run(*command, "--data", hours, "--json")
    assert SESSIONS in " ".join(capsys.readouterr().out.split())
    run(*command, "--data", hours, "--periods-per-year", "1700", "--json")
    assert "1,700 bars a year: as given" in capsys.readouterr().out


def test_a_check_of_data_states_when_the_market_trades(hours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("data", "check", hours)
    assert SESSIONS in " ".join(capsys.readouterr().out.split())
    run("data", "check", hours, "--json")
    assert json.loads(capsys.readouterr().out)[0]["calendar"] == SESSIONS
