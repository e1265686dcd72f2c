"""A walk-forward on a sample, kept on disk, and its full verdict."""

from __future__ import annotations

import pytest

import maestro as ms
from maestro.validation.verdict.result import Verdict


@pytest.fixture(scope="package")
def wf(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    return ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", trials=12, workers=1, runs_dir=tmp_path_factory.mktemp("r")
    )


@pytest.fixture(scope="package")
def verdict(wf: ms.WalkForward) -> Verdict:
    return ms.verdict(wf, workers=1)
