"""``maestro signal`` prints the orders for the next bar as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import maestro as ms
from maestro.decision import signal
from tests.cli.commands import Done


def test_the_document_is_that_of_the_library(run: Callable[..., Done], recorded: ms.WalkForward) -> None:
    bars = ms.load_sample("AAPL")
    done = run("signal", str(recorded.folder), "-d", "sample:AAPL", "--seed", "3")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found == json.loads(json.dumps(signal(recorded, bars, seed=3).to_dict(), default=str))
    assert found["bar"].startswith(f"{bars.end:%Y-%m-%d}")
    assert found["expected"]["seed"] == 3


def test_without_newer_bars_it_stands_at_the_last_bar_of_the_run(
    run: Callable[..., Done], recorded: ms.WalkForward
) -> None:
    found = json.loads(run("signal", str(recorded.folder)).out)
    assert (found["bar"][:4], found["position"], found["orders"]) == ("2009", 0.0, [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("zzz",), "no run 'zzz' in runs; there are: none"),
        (("RUN", "--seed", "-1"), "Invalid value for '--seed': Input should be greater than or equal to 0, not '-1'."),
        (("RUN", "--seed", "x"), "Invalid value for '--seed': Input should be a valid integer, not 'x'."),
        (("RUN", "-d", "sample:IBM"), "these bars do not begin with those of run"),
        (("RUN", "--strategy", "RSIStrategy"), "was made with EmaCrossStrategy"),
    ],
)
def test_bad_input_is_one_line(
    run: Callable[..., Done], recorded: ms.WalkForward, words: tuple[str, ...], message: str
) -> None:
    done = run("signal", *(str(recorded.folder) if word == "RUN" else word for word in words))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
