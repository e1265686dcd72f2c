"""``maestro walk-forward``: each kind of selection as text gives the run that Python gives, and help names them all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maestro as ms
from maestro.cli import main
from maestro.walkforward import Selection

SMALL = ("--splitter", "rolling:3,1,1", "--trials", "4", "--no-progress", "--workers", "1")


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["walk-forward", *words])
    return int(left.value.code or 0)


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("pareto:sharpe_ratio,-volatility", Selection(("sharpe_ratio", "-volatility"), "pareto")),
        ("rank_average:sharpe_ratio,vwr", Selection(("sharpe_ratio", "vwr"), "rank_average")),
        (
            "weighted:sharpe_ratio=0.7,max_drawdown=0.3",
            Selection(("sharpe_ratio", "max_drawdown"), "weighted", (0.7, 0.3)),
        ),
    ],
)
def test_every_kind_of_selection_can_be_asked_for(
    text: str, selection: Selection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prices.csv"
    ms.synthetic_bars(700, timeframe="1d", seed=3).to_frame().write_csv(file)
    words = ("RSIStrategy", "-d", str(file), *SMALL, "--select", text, "--runs-dir", str(tmp_path / "runs"))
    assert run(*words) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert f"4 trials each by tpe, chosen by {text}, seed 0" in output
    assert run(*words, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    direct = ms.walk_forward(
        ms.load(str(file)), "RSIStrategy", splitter="rolling:3,1,1", trials=4, select=selection, workers=1
    )
    assert document["id"] == direct.id


def test_help_names_the_kinds_of_selection(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    output = capsys.readouterr().out
    for kind in ("pareto:", "rank_average:", "weighted:"):
        assert kind in output


def test_a_kind_that_does_not_exist_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("RSIStrategy", "-d", "sample:AAPL", "--select", "parto:sharpe_ratio") != 0
    assert "Did you mean 'pareto'?" in " ".join(capsys.readouterr().err.split())
