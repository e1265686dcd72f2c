"""Hostile names over results and pages: text everywhere, markup nowhere."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import maestro as ms
from tests.test_hostile_names import MARKUP, Parsed, named

_PARTS = (
    MARKUP, "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>",
    "javascript:alert(1)", "</title><script>alert(1)</script>", "'-alert(1)-'", "&lt;img src=x&gt;", "{{7*7}}",
    "${alert(1)}", "<!--", "]]>", "\u202e", "\u2028", "x" * 500,
)  # fmt: skip


def hostile_names(tries: int, folder: Path) -> Iterator[str]:
    """Name strategies and series with markup: none becomes markup in a result's HTML, a table or a report."""
    rng = random.Random(7)
    frame = ms.synthetic_bars(1_500, seed=4).to_frame()
    for number in range(tries):
        name = "".join(rng.choices(_PARTS, k=rng.randrange(1, 4)))
        bars = ms.Bars.from_frame(frame, provider=name, symbol=name, timeframe="1h")
        strategy = named(name)
        wf = ms.walk_forward(bars, strategy, splitter=ms.Rolling(n_splits=3), trials=3, executor="serial")
        wf.report(folder / f"{number}.html")
        shown = {
            "Bars": bars._repr_html_(), "Backtest": ms.backtest(bars, strategy())._repr_html_(),
            "Sweep": ms.sweep(bars, strategy, n=3)._repr_html_(), "WalkForward": wf._repr_html_(),
            "table": str(ms.reports.fold_table(wf)), "report": (folder / f"{number}.html").read_text(encoding="utf-8"),
        }  # fmt: skip
        yield ", ".join(f"{where}: {found}" for where, text in shown.items() if (found := Parsed(text).hostile))
