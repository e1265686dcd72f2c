"""Growth and drawdown of several runs: lines that can be told apart, on one time axis."""

from __future__ import annotations

import numpy as np

from maestro.reports.figures.compare import LINES, comparison_figure
from maestro.reports.tables.compare import Curve


def curve(name: str, start: str = "2020-01-01", bars: int = 5) -> Curve:
    time = np.datetime64(start, "us") + np.arange(bars) * np.timedelta64(1, "D")
    return Curve(name, time, np.linspace(1.0, 2.0, bars), np.zeros(bars))


def test_every_run_has_a_look_of_its_own() -> None:
    upper, lower = comparison_figure([curve(f"run {k}") for k in range(2 * len(LINES))]).children
    looks = {(r.glyph.line_color, str(r.glyph.line_dash)) for r in upper.renderers}
    assert len(upper.renderers) == len(lower.renderers) == len(looks) == 2 * len(LINES)
    assert [item.label.value for item in upper.legend[0].items][:2] == ["run 0", "run 1"]
    assert upper.x_range is lower.x_range


def test_the_axis_spans_all_runs_and_an_empty_one_is_no_error() -> None:
    empty = Curve("none", np.array([], "datetime64[us]"), np.array([]), np.array([]))
    upper, _ = comparison_figure([curve("a"), curve("b", "2020-02-01"), empty]).children
    day = 86_400_000.0
    first, last = (np.datetime64(at, "ms").astype(float) for at in ("2020-01-01", "2020-02-05"))
    assert first - day < upper.x_range.start < first
    assert last < upper.x_range.end < last + day
    comparison_figure([empty])
