"""Progress of a verdict: steps add up to the whole, and a listener hears of each."""

from __future__ import annotations

import pytest

from maestro.validation.verdict.progress import STEPS, StepProgress


def test_the_steps_add_up_to_the_whole() -> None:
    assert sum(STEPS.values()) == 100


def test_a_listener_gets_share_and_step() -> None:
    heard: list[tuple[float, str]] = []
    with StepProgress(lambda share, text: heard.append((share, text))) as progress:
        progress.begin("lookahead", "look-ahead")
        progress.begin("bootstrap", "bootstrap")
        progress.advance("permutations", 0.5)
    assert heard == [(0.0, "look-ahead"), (0.03, "bootstrap"), (0.27, "bootstrap"), (1.0, "done")]


def test_a_failed_verdict_is_not_done() -> None:
    heard: list[str] = []

    def fail() -> None:
        with StepProgress(lambda share, text: heard.append(text)) as progress:
            progress.begin("pbo", "overfitting")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert heard == ["overfitting"]
