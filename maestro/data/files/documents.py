"""Find the rows of a JSON document at any depth: lists of rows or records, columns, and timestamps as keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from maestro.data.files.names import price_of
from maestro.errors import BarsError

_DEPTH = 6


def table_of_json(text: str, path: Path) -> tuple[pl.DataFrame, bool]:
    """Table of the rows in a JSON document or in lines of JSON, and whether its columns have names.

    Raises
    ------
    BarsError
        Not JSON, or no rows in it.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        try:
            document = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise BarsError(f"{path} looks like JSON, but cannot be read: {error}.") from None
    found = _rows_in(document, _DEPTH)
    if found is None:
        raise BarsError(
            f"{path} is JSON without rows of bars; give a list of rows [time, open, high, low, close, volume] or of "
            'records {"time": …, "open": …}.'
        )
    try:
        return found
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise BarsError(f"{path} has rows of JSON that do not fit together ({error}).") from None


def _rows_in(node: Any, depth: int) -> tuple[pl.DataFrame, bool] | None:
    """The longest table in a document, with whether it has names."""
    if depth < 0:
        return None
    if isinstance(node, list):
        return _of_list(node)
    if not isinstance(node, dict) or not node:
        return None
    own = _of_mapping(node)
    inner = [found for value in node.values() if (found := _rows_in(value, depth - 1)) is not None]
    candidates = [found for found in ([own] if own else []) + inner if len(found[0])]
    return max(candidates, key=lambda found: (len(found[0]), found[0].width), default=None)


def _of_list(node: list[Any]) -> tuple[pl.DataFrame, bool] | None:
    if not node:
        return None
    if all(isinstance(row, dict) for row in node):
        flat = [_flat(row) for row in node]
        nested = [_rows_in(row, 3) for row in node] if len(node) < 4 else []
        deeper = max([one for one in nested if one is not None], key=lambda one: len(one[0]), default=None)
        if deeper and len(deeper[0]) > len(node):
            return deeper
        return (_frame(flat), True) if len(flat[0]) > 1 else None
    if all(isinstance(row, list) and len(row) > 3 and not isinstance(row[0], (dict, list)) for row in node):
        width = max(map(len, node))
        rows = [
            [None if isinstance(cell, (dict, list)) else cell for cell in row] + [None] * (width - len(row))
            for row in node
        ]
        if all(isinstance(cell, str) and not cell[:1].isdigit() for cell in rows[0]):
            return pl.DataFrame(rows[1:], schema=[str(name) for name in rows[0]], orient="row", strict=False), True
        return pl.DataFrame(rows, schema=[str(n + 1) for n in range(width)], orient="row", strict=False), False
    return None


def _of_mapping(node: dict[str, Any]) -> tuple[pl.DataFrame, bool] | None:
    """Columns, pandas' ``split``, records by their stamp, or columns of values by their stamp."""
    values = list(node.values())
    if {"columns", "data"} <= node.keys() and isinstance(node["data"], list):
        rows, names = node["data"], [str(name) for name in node["columns"]]
        index = node.get("index")
        if isinstance(index, list) and len(index) == len(rows):
            rows, names = [[at, *row] for at, row in zip(index, rows, strict=True)], ["index", *names]
        return pl.DataFrame(rows, schema=names, orient="row", strict=False), True
    lists = {
        key: value
        for key, value in node.items()
        if isinstance(value, list) and value and not isinstance(value[0], (dict, list))
    }
    if len(lists) > 3 and len(lists) >= 0.6 * len(node) and len({len(value) for value in lists.values()}) == 1:
        return _columns(lists), True
    stamps = node.get("timestamp") or node.get("t")
    quotes = _yahoo(node, stamps) if isinstance(stamps, list) else None
    if quotes is not None:
        return quotes, True
    records = len(values) > 1 and all(isinstance(value, dict) and value for value in values)
    if not records or any(isinstance(cell, (dict, list)) for value in values for cell in value.values()):
        return None
    prices = sum(price_of(str(key)) is not None for key in node)
    if prices < 3 and (len(values) >= len(values[0]) or str(next(iter(node)))[:1].isdigit()):
        return _frame([{"index": key, **value} for key, value in node.items()]), True
    keys = list(values[0])
    columns = {name: [column.get(key) for key in keys] for name, column in node.items()}
    return _columns({"index": keys, **columns}), True


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A record without lists; of a record inside, as ``mid`` of OANDA's candles, each value as ``mid.o``."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        if not isinstance(value, (dict, list)):
            found[key] = value
        elif isinstance(value, dict) and not any(isinstance(one, (dict, list)) for one in value.values()):
            found |= {f"{key}.{inner}": one for inner, one in value.items()}
    return found


def _yahoo(node: dict[str, Any], stamps: list[Any]) -> pl.DataFrame | None:
    """Rows of Yahoo's chart API: stamps beside ``indicators.quote[0]``."""
    quote = (node.get("indicators") or {}).get("quote")
    if not (isinstance(quote, list) and quote and isinstance(quote[0], dict)):
        return None
    columns = {key: value for key, value in quote[0].items() if isinstance(value, list) and len(value) == len(stamps)}
    return _columns({"timestamp": stamps, **columns})


def _frame(records: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(records, strict=False, infer_schema_length=None)


def _columns(columns: dict[str, list[Any]]) -> pl.DataFrame:
    return pl.DataFrame({str(name): values for name, values in columns.items()}, strict=False)
