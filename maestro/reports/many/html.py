"""Many walk-forwards in a notebook: the sentence, the best of them, and the first rows."""

from __future__ import annotations

from typing import Any

import polars as pl

from maestro._core.formatting import known, metric, number
from maestro._core.markup import RIGHT, Markup, html, joined, table
from maestro.walkforward.many import WalkForwards

SHOWN = 20
HEAD = ("symbol", "timeframe", "strategy", "Sharpe", "in sample", "return", "max drawdown", "trades", "p", "adjusted p")


def many_html(many: WalkForwards) -> Markup:
    """Return the sentence on significance, the notes, and the best rows."""
    found = many.significance
    rows = [cells_of(row) for row in ranked(many).head(min(SHOWN, len(many))).iter_rows(named=True)]
    head = html("<div><b>{}</b></div><div>{}</div>", found.sentence, found.best_in_words)
    more = len(many) - len(rows)
    end = html("<div>and {} more in .table</div>", f"{more:,}") if more > 0 else html("")
    failures = joined("<li>{}</li>", [f"{cell.text}: {why}" for cell, why in list(many.errors.items())[:5]])
    failed = html("<details><summary>{} failed</summary><ul>{}</ul></details>", len(many.errors), failures)
    noted = joined("<div style='opacity:.75'>{}</div>", many.notes)
    shown = table(HEAD, rows, ("", "", "", *[RIGHT] * 7))
    return head + shown + end + (failed if many.errors else html("")) + noted


def ranked(many: WalkForwards) -> pl.DataFrame:
    """The table with the best rows first, and those without a result last."""
    names = ("p_adjusted", "p_value", "symbol", "timeframe", "strategy")
    return many.table.sort(pl.col("id").is_null(), pl.col("error").is_not_null(), *names, nulls_last=True)


def cells_of(row: dict[str, Any]) -> tuple[str, ...]:
    """Text of a row's cells, by `HEAD`."""
    metrics = ("sharpe_ratio", "is_sharpe_ratio", "total_return", "max_drawdown", "num_trades")
    texts = {name: metric(name, row[name]) for name in metrics}
    texts |= {"p_value": number(row["p_value"], 4), "p_adjusted": number(row["p_adjusted"], 3)}
    numbers = [text if known(row[name]) else "" for name, text in texts.items()]
    return (row["symbol"], row["timeframe"], row["strategy"], *numbers)
