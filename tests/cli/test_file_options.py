"""Every command with ``--data`` takes what `maestro data import` takes: a file that needs options needs them once."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

import maestro as ms
from maestro.cli import main

OPTIONS = ["--column", "timestamp=when", "-c", "volume=sold", "--unit", "%d/%m/%Y", "--decimal", ","]
PYTHON = {"columns": {"timestamp": "when", "volume": "sold"}, "unit": "%d/%m/%Y", "decimal": ","}


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Days whose columns, dates and numbers have to be explained."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, 400)))
    rows = ["when;o;h;l;c;sold;ordered"]
    for day, price in enumerate(close):
        at = date(2020, 1, 1) + timedelta(days=day)
        prices = [f"{price * factor:.3f}".replace(".", ",") for factor in (1, 1.01, 0.99, 1)]
        rows.append(f"{at:%d/%m/%Y};{';'.join(prices)};{day};7")
    path = tmp_path / "odd.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_a_backtest_reads_the_file_as_python_does(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["backtest", "EmaCrossStrategy", "--data", str(odd), *OPTIONS, "--json"]
    code, out, _ = output(capsys, *arguments)
    bars = ms.load(odd, **PYTHON)
    assert code == 0
    assert bars.volume[-1] == 399.0
    assert json.loads(out)["bars"]["fingerprint"] == bars.fingerprint


def test_check_and_sweep_take_them_too(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = output(capsys, "data", "check", str(odd), *OPTIONS)
    assert (code, err) == (0, "")
    assert "zero volume, 1 times: 2020-01-01" in out
    sweep = ["sweep", "EmaCrossStrategy", "--data", str(odd), *OPTIONS, "--n", "3", "--no-progress"]
    assert output(capsys, *sweep)[0] == 0


@pytest.mark.parametrize("command", ["backtest", "sweep", "walk-forward"])
def test_a_message_names_an_option_that_the_command_has(
    odd: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    code, _, err = output(capsys, command, "EmaCrossStrategy", "--data", str(odd), "--unit", "%Y", "--decimal", ",")
    assert code == 2
    assert "is not written as '%Y'" in err
    code, _, err = output(capsys, command, "EmaCrossStrategy", "--data", str(odd), "--column", "volume")
    assert code == 2
    assert "--column 'volume' is not understood; write volume=VolumeBTC" in err


@pytest.mark.parametrize(
    "command",
    [
        ["backtest"], ["sweep"], ["walk-forward"], ["verify"], ["verdict"], ["robustness"], ["parity"],
        ["check-strategy"], ["data", "check"], ["data", "import"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_all_commands_list_the_same_options(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = output(capsys, *command, "--help")
    for flag in ("--column", "--unit", "--zone", "--stamps", "--duplicates", "--decimal", "--timeframe"):
        assert flag in out
