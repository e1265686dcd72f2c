"""``maestro check-strategy``: what it says, its exit codes, and its document for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maestro.cli import _run

LEAKY = Path(__file__).parents[1] / "validation" / "lookahead" / "leaky.py"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = _run(["check-strategy", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_built_in_passes_on_the_samples(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "RSIStrategy", "--cuts", "30")
    assert code == 0
    assert "RSIStrategy passed on 5 series" in " ".join(out.split())
    assert out.count("look-ahead") == 5


def test_a_sample_that_is_too_short_is_left_out_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "EmaCrossStrategy", "--cuts", "30")
    assert code == 0
    assert "cannot be checked there: 1 of 5." in " ".join(out.split())


def test_a_leak_in_a_file_ends_with_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, f"{LEAKY}:NegativeShift", "-d", "sample:AAPL", "-d", "sample:IBM", "--cuts", "40")
    output = " ".join(out.split())
    assert code == 1
    assert "NegativeShift FAILED on SAMPLE:AAPL:1d, SAMPLE:IBM:1d." in output
    assert "It changes with later values of close." in output


def test_the_document_names_signal_bar_and_columns(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, f"{LEAKY}:NextVolume", "--data", "sample:MSFT", "--json", "--seed", "3")
    document = json.loads(out)
    assert code == 1
    assert not document["passed"]
    (result,) = document["results"]
    first = result["checks"][0]
    assert (first["check"], first["passed"], first["columns"]) == ("look-ahead", False, ["volume"])
    assert first["bar"] == min(change["bar"] for change in result["changes"])
    assert result["seed"] == 3
    assert result["cuts"] == 200


def test_parameters_and_ranges_of_bars_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "BasisTradingStrategy", "-p", "proxy=true", "-p", "lookback=30", "-d", "sample:IBM", "--start", "2005",
        "--cuts", "20", "--starts", "0",
    )  # fmt: skip
    assert code == 0
    assert "lookback=30" in out
    assert "20 cuts" in out
    assert "starts=0: not looked at." in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["EmaCros"], "there is no strategy 'EmaCros'"),
        (["BasisTradingStrategy"], "needs basis"),
        (["RSIStrategy", "-d", "sample:NONE"], "NONE"),
        (["RSIStrategy", "-d", "sample:AAPL", "--cuts", "0"], "cuts=0"),
        ([], "the strategy is missing"),
    ],
)
def test_bad_input_ends_with_exit_code_2(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert words in err
