"""``maestro now`` prints the parameters that the run's own search chooses on the most recent training window."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

import maestro as ms
from tests.cli.commands import Done, fits


def test_the_table_has_the_parameters_for_now_beside_those_of_the_folds(
    run: Callable[..., Done], recorded: ms.WalkForward
) -> None:
    found, folder = recorded.now(), str(recorded.folder)
    done = run("now", folder)
    assert (done.code, done.err) == (0, "")
    assert fits(done.out)
    lines = done.out.splitlines()
    assert lines[0] == f"EmaCrossStrategy on SAMPLE:AAPL:1d, run {recorded.id}"
    assert lines[1] == f"trained {found.trained_from:%Y-%m-%d} to {found.trained_until:%Y-%m-%d}"
    for name, value in found.params.items():
        assert re.search(rf"^{name} +{value} ", done.out, re.M)
    assert run("now", recorded.id[:8], "--runs-dir", str(recorded.folder and recorded.folder.parent)).out == done.out


def test_json_is_the_document_of_the_library_and_newer_bars_move_the_window(
    run: Callable[..., Done], recorded: ms.WalkForward
) -> None:
    folder = str(recorded.folder)
    assert json.loads(run("now", folder, "--json").out) == json.loads(json.dumps(recorded.now().to_dict(), default=str))
    newer = json.loads(run("now", folder, "--data", "sample:AAPL", "--json").out)
    assert newer["trained_until"] > json.loads(run("now", folder, "--json").out)["trained_until"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("zzz",), "no run 'zzz' in runs; there are: none"),
        (("RUN", "-d", "sample:IBM"), "these bars do not begin with those of run"),
        (("RUN", "-d", "no.csv"), "there is no file no.csv"),
        (("RUN", "--strategy", "RSIStrategy"), "was made with EmaCrossStrategy"),
        (("RUN", "--strategy", "own.py"), "there is no file own.py"),
        (("RUN", "--symbol", "X"), "--symbol is for the bars of --data"),
        (("RUN", "--decimal", ","), "--decimal is for the bars of --data"),
        ((), "Missing argument 'RUN'"),
    ],
)
def test_bad_input_is_one_line(
    run: Callable[..., Done], recorded: ms.WalkForward, words: tuple[str, ...], message: str
) -> None:
    done = run("now", *(str(recorded.folder) if word == "RUN" else word for word in words))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
