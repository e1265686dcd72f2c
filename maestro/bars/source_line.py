"""The source of bars as a Python expression that is read as data: only calls that load bars are executed."""

from __future__ import annotations

import ast
import re
from typing import Any

from maestro.bars.bars import Bars
from maestro.bars.loading import load, load_sample, synthetic_bars

_MAKERS: dict[str, Any] = {"load": load, "load_sample": load_sample, "synthetic_bars": synthetic_bars}
_METHODS = ("between", "resample")
_LINE = re.compile(r"^bars = (.+)$", re.M)


class _OtherError(Exception):
    """An expression that is not of the known form."""


def evaluate(text: str) -> Bars | None:
    """Bars of an expression like ``ms.load('a.csv', start='2020')[:500].resample('4h')``; None for any other.

    Nothing but these calls with plain values is carried out: a manifest is data, not a program.

    Raises
    ------
    BarsError, SettingsError, OSError, TypeError
        What the calls raise.
    """
    try:
        return _evaluate(ast.parse(text, mode="eval").body)
    except (SyntaxError, _OtherError):
        return None


def written(manifest: dict[str, Any]) -> str:
    """Return the expression that a run's manifest has for its bars, empty where it has none."""
    line = _LINE.search(str(manifest.get("python") or ""))
    if line is None:
        return ""
    node = ast.parse(line[1]).body[0]
    return "" if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else ast.unparse(node)


def named(text: str) -> dict[str, str | None]:
    """Return data, start and end of bars that one call of `ms.load` with nothing else gives; empty for any other."""
    try:
        node = ast.parse(text, mode="eval").body
        if not isinstance(node, ast.Call) or len(node.args) != 1:
            return {}
        maker, data = ast.unparse(node.func), _plain(node.args[0])
        more = {str(one.arg): _plain(one.value) for one in node.keywords}
    except (SyntaxError, _OtherError):
        return {}
    if maker == "ms.load_sample" and not more:
        return {"data": f"sample:{data}", "start": None, "end": None}
    if maker == "ms.load" and set(more) <= {"start", "end"}:
        return {"data": data, "start": more.get("start"), "end": more.get("end")}
    return {}


def _evaluate(node: ast.expr) -> Bars:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        low, high, step = (_plain(edge) for edge in (node.slice.lower, node.slice.upper, node.slice.step))
        return _evaluate(node.value)[slice(low, high, step)]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        raise _OtherError
    if node.func.attr == "with_other":
        return _with_other(node, node.func.value)
    arguments = [_plain(value) for value in node.args]
    options = {str(one.arg): _plain(one.value) for one in node.keywords}
    inner, name = node.func.value, node.func.attr
    if isinstance(inner, ast.Name) and inner.id == "ms" and name in _MAKERS:
        made: Bars = _MAKERS[name](*arguments, **options)
        return made
    if name in _METHODS:
        cut: Bars = getattr(_evaluate(inner), name)(*arguments, **options)
        return cut
    raise _OtherError


def _with_other(node: ast.Call, inner: ast.expr) -> Bars:
    if len(node.args) != 1:
        raise _OtherError
    options = {str(one.arg): _plain(one.value) for one in node.keywords}
    return _evaluate(inner).with_other(_evaluate(node.args[0]), **options)


def _plain(node: ast.expr | None) -> Any:
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError as error:
        raise _OtherError from error
