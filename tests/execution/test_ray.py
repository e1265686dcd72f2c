"""The adapter for Ray in the documentation, on a real Ray of this machine; skipped where it is not installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from tests.support.rules import Cross

ray = pytest.importorskip("ray")
PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"


@pytest.fixture(scope="module")
def adapter() -> Iterator[Any]:
    [code] = re.findall(r"```python\n(class OnRay:.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield names["OnRay"]()
    ray.shutdown()


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_results_are_those_of_this_process(adapter: Any) -> None:
    u = ms.universe({name: ms.synthetic_bars(500, k, "1d") for k, name in enumerate("AB")})
    settings: dict[str, Any] = {"splitter": "rolling:3,1,1", "trials": 4}
    one = ms.walk_forward_many(u, [Cross, "RSIStrategy"], executor="serial", **settings)
    two = ms.walk_forward_many(u, [Cross, "RSIStrategy"], executor=adapter, **settings)
    assert two.table.equals(one.table)
    for cell, wf in one.items():
        for name in ("folds", "trials", "equity", "trades"):
            assert getattr(two[cell], name).equals(getattr(wf, name))
