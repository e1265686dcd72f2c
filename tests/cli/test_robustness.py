"""``maestro robustness`` prints the chosen parts, writes the page, and refuses unknown parts and other bars."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maestro as ms
from maestro.cli import main


@pytest.fixture(scope="module")
def wf(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    bars = ms.synthetic_bars(720, seed=4)
    return ms.walk_forward(
        bars,
        "EmaCrossStrategy",
        splitter="rolling:5,2,1",
        trials=8,
        workers=1,
        runs_dir=tmp_path_factory.mktemp("runs"),
    )


def test_the_command(wf: ms.WalkForward, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wf.folder is not None

    def shell(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["robustness", *words])
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    place = str(wf.folder)
    out = tmp_path / "r.html"
    code, message, _ = shell(place, "--part", "costs", "--part", "neighbourhood", "--out", str(out))
    assert code == 0
    assert message.index("Neighbours:") < message.index("Costs:")
    assert out.stat().st_size > 100_000
    code, message, err = shell(place, "--part", "costs", "--json")
    document = json.loads(message)
    assert (code, err, document["id"]) == (0, "", wf.id)
    assert len(document["costs"]["table"]) == 63
    assert shell(place, "--part", "weather")[0] == 2
    assert shell(str(tmp_path / "nothing"))[0] == 2
    assert shell(place, "-d", "sample:AAPL")[0] == 2
