"""Buy and hold of a walk-forward: does every place that shows it leave out the bars that no fold tested?"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.reports import gather
from maestro.walkforward.splitters import Window
from tests.support.rules import RISING, Cross

APPLE = ms.load_sample("AAPL")


class Quarters(ms.Strategy):
    """Raises on the training windows that begin in an odd year."""

    n = ms.Int(20, 5, 60)

    def signals(self, bars: Bars) -> ms.Signals:
        if bars.start.year % 2:
            raise ValueError("odd")
        mean = ms.indicators.sma(bars.close, self.n)
        return ms.Signals.flip(bars.close > mean, bars.close < mean)


class Overlapping:
    """Test windows that share bars, and one that lies apart."""

    def split(self, bars: Bars) -> list[Window]:
        return [Window(0, 300, 300, 420), Window(0, 300, 380, 500), Window(200, 600, 700, 800)]


GAPS: dict[str, tuple[Bars, Any, Any]] = {
    "embargo": (RISING, Cross, "rolling:6,2,1,embargo=30"),
    "purge alone leaves none": (RISING, Cross, "rolling:6,2,1,purge=30"),
    "expanding with embargo": (RISING, Cross, "expanding:5,embargo=20"),
    "adaptive with embargo": (RISING, Cross, "adaptive:5,2,embargo=20"),
    "calendar steps": (APPLE, Cross, ms.Calendar(train="1y", test="1mo", step="1q")),
    "failed folds": (APPLE, Quarters, ms.Calendar(train="1y", test="1y")),
    "windows that overlap": (RISING, Cross, Overlapping()),
}


@pytest.mark.parametrize("name", GAPS)
def test_buy_and_hold_stands_still_over_bars_that_no_fold_tested(name: str, tmp_path: Any) -> None:
    bars, strategy, splitter = GAPS[name]
    wf = ms.walk_forward(bars, strategy, splitter=splitter, trials=3, workers=1, runs_dir=tmp_path)
    good = wf.folds.filter(pl.col("error").is_null())["fold"].to_list()
    tested = sorted({k for fold in good for k in range(*wf.spec.windows[fold][2:])})
    value, wanted = 100_000.0, []
    for place, k in enumerate(tested):
        fresh = place == 0 or tested[place - 1] != k - 1
        value *= bars.close[k] / (bars.open[k] if fresh else bars.close[k - 1])
        wanted.append(value)
    assert wf.equity["benchmark"].to_numpy() == pytest.approx(np.array(wanted), rel=1e-10)
    assert (len(tested) < tested[-1] - tested[0] + 1) == (not name.startswith("purge")), "there is a gap"

    total = wanted[-1] / 100_000 - 1
    assert wf.benchmark["total_return"] == pytest.approx(total, rel=1e-9)
    assert gather(wf).benchmark_return == wf.benchmark["total_return"]
    assert gather(wf).benchmark_sharpe == wf.benchmark["sharpe_ratio"]
    (check,) = [check for check in ms.verdict(wf, permutations=0).checks if check.key == "benchmark"]
    assert check.threshold == wf.benchmark["sharpe_ratio"]
    assert float((ms.reports.monthly_frame(wf)["benchmark"] + 1).product()) - 1 == pytest.approx(total, rel=1e-9)
    again = ms.load_run(wf.id, tmp_path)
    assert again.benchmark == pytest.approx(wf.benchmark, nan_ok=True, abs=0)


def test_the_command_line_shows_the_same_benchmark(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from maestro.cli import main

    monkeypatch.chdir(tmp_path)
    arguments = [
        "walk-forward", "EmaCrossStrategy", "--data", "sample:AAPL", "--splitter", "calendar:2y,1mo,1q",
        "--trials", "3", "--json", "--no-progress",
    ]  # fmt: skip
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code in (0, None)
    shown = json.loads(capsys.readouterr().out)
    wf = ms.load_run(shown["id"], tmp_path / "runs")
    assert shown["benchmark"]["total_return"] == wf.benchmark["total_return"]
    assert abs(np.diff(np.log(wf.equity["benchmark"].to_numpy()))).max() < 0.8, "no quarter in one bar"
    with pytest.raises(SystemExit):
        main([one for one in arguments if one != "--json"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.lower().startswith("annual return")]
    assert lines[0].split()[-2:] == f"{100 * wf.benchmark['annual_return']:.1f} %".split()
