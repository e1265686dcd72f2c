"""What makes a run the same run: the hash of bars, spec, seed and the source of the strategy."""

from __future__ import annotations

import hashlib
import inspect
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from types import FunctionType, ModuleType
from typing import Any

from maestro.version import __version__

ID_LENGTH = 16


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def run_id(spec: dict[str, Any]) -> str:
    """Return the id of a run: what determines the result and this package's version, hashed; 16 hex digits."""
    return digest(canonical({"maestro": __version__, **spec}))[:ID_LENGTH]


def source_hash(cls: type) -> str:
    """Hash of a strategy's source and of what it uses of its own module.

    Functions, classes and plain constants that the class names, and what those name in turn, are included; what
    other packages do is covered by the versions in the manifest.
    """
    seen: dict[str, str] = {}
    _collect(cls, vars(inspect.getmodule(cls) or ModuleType("none")), seen)
    return digest(canonical(seen))


def _collect(thing: Any, namespace: dict[str, Any], seen: dict[str, str]) -> None:
    name = getattr(thing, "__qualname__", repr(thing))
    if name in seen:
        return
    try:
        seen[name] = inspect.getsource(thing)
    except (OSError, TypeError):  # typed at a bare prompt: the compiled code stands for the text
        seen[name] = repr(sorted(_codes(thing)))
    for used in _names(thing):
        value = namespace.get(used)
        if isinstance(value, (set, frozenset)):  # their order changes from process to process
            seen[f"{used} ="] = repr(sorted(map(repr, value)))
        elif isinstance(value, (bool, int, float, str, tuple, list, dict, bytes)):
            seen[f"{used} ="] = repr(value)
        elif getattr(value, "__module__", None) == getattr(thing, "__module__", "") and callable(value):
            target = getattr(value, "py_func", value)
            if isinstance(target, (FunctionType, type)):
                _collect(target, namespace, seen)
    for base in getattr(thing, "__bases__", ()):
        if base.__module__ == thing.__module__:
            _collect(base, namespace, seen)


def _functions(thing: Any) -> list[FunctionType]:
    if isinstance(thing, FunctionType):
        return [thing]
    found = []
    for value in vars(thing).values():
        inner = getattr(value, "__func__", getattr(value, "fget", value))
        if isinstance(inner, FunctionType):
            found.append(inner)
    return found


def _names(thing: Any) -> set[str]:
    names: set[str] = set()
    stack = [function.__code__ for function in _functions(thing)]
    while stack:
        code = stack.pop()
        names.update(code.co_names)
        stack.extend(const for const in code.co_consts if inspect.iscode(const))
    return names


def _codes(thing: Any) -> list[str]:
    return [
        f"{f.__qualname__} {f.__code__.co_code.hex()} {[c for c in f.__code__.co_consts if not inspect.iscode(c)]!r}"
        for f in _functions(thing)
    ]


def versions() -> dict[str, str]:
    """Versions of what computes: Python, this package, its libraries, and the kind of CPU."""
    found = {"python": platform.python_version(), "maestro": __version__, "machine": platform.machine()}
    for name in ("numpy", "polars", "numba", "optuna", "bokeh"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
