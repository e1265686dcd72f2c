"""The page of many walk-forwards: every row, escaped names, and quick at a thousand rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import maestro as ms
from maestro.reports.many.page import MULTIPLES, many_page, write_many_report
from maestro.walkforward.many import Cell, WalkForwards
from maestro.walkforward.many.cells import COPIED, Summary, failed


def made(n: int) -> WalkForwards:
    """A result of `n` rows without a walk-forward behind them."""
    rng = np.random.default_rng(0)
    summaries = {}
    for k in range(n):
        cell = Cell(f"S{k:04d}", "1d", "R<script>")
        moves = rng.normal(0, 0.01, 200)
        row = {**cell._asdict(), "id": f"{k:016x}", "folds": 9, "failed_folds": 0, "trials": 9, "error": None}
        row |= dict.fromkeys(COPIED, 0.5) | {"total_return": float(moves.sum())}
        summaries[cell] = Summary(row, np.arange(200), moves, equity=np.exp(np.cumsum(moves)))
    summaries[Cell("bad", "1d", "R")] = failed(Cell("bad", "1d", "R"), "no <bars>")
    return WalkForwards("0" * 16, summaries, ["a note & more"])


def test_every_row_is_there_and_text_is_escaped() -> None:
    page = many_page(made(60))
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert body.count("<tr>") == 61
    assert page.count("<figure>") == MULTIPLES
    assert "no &lt;bars&gt;" in body
    assert "R<script>" not in page
    assert "a note &amp; more" in page
    assert "61 walk-forwards (1 cannot be tested)" in page


def test_a_thousand_rows_stay_small(tmp_path: Path) -> None:
    path = write_many_report(made(1_000), tmp_path / "page.html")
    assert path.stat().st_size < 3_000_000


def test_a_result_without_any_number_is_a_page_too() -> None:
    with pytest.raises(ms.errors.RunError):
        made(0)[Cell("bad", "1d", "R")]
    assert "none can be tested" in many_page(made(0))
