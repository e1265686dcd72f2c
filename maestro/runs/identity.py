"""The identity of a run: the hash of bars, spec, seed and the source of the strategy."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import platform
from collections.abc import Mapping
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from maestro._core.usercode import is_user_module
from maestro.runs.spec import ObjectSpec
from maestro.version import __version__

ID_LENGTH = 16

_STATE = ("seed", "rng", "random", "study", "cache", "search_space", "lock")
"""Attributes of samplers with these in their names hold what a search has seen, not how it searches."""


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def run_id(spec: Mapping[str, Any], version: str = __version__) -> str:
    """Return the id of a run: 16 hex digits of a hash of what determines the result, and of this package's version.

    `spec` is in its plain form, ``RunSpec.to_dict()``; the version of that form does not count.
    """
    return digest(canonical({"maestro": version, **{k: v for k, v in spec.items() if k != "schema"}}))[:ID_LENGTH]


def source_hash(thing: type | FunctionType) -> str:
    """Hash of the source of a strategy (or of a function) and of the user code that it calls.

    Source texts of methods, values of class attributes, defaults and closures, base classes, and the functions,
    classes, modules and plain values of the user's modules that these name, and so on. What installed packages
    do is covered by the versions in the manifest; this package's own version is part of the id.
    """
    sources = _Sources()
    sources.add(thing)
    return digest(canonical(sources.parts))


def describe(thing: Any) -> ObjectSpec:
    """Return the class and the settings of a configured object (a sampler, a pruner, a splitter), without its state.

    Equal settings give equal values in every process; a function among them is represented by the hash of its source.
    """
    if isinstance(thing, (FunctionType, type)):
        return ObjectSpec(f"{thing.__module__}.{thing.__qualname__}", {"source": source_hash(thing)})
    settings = {
        name.lstrip("_"): _setting(value)
        for name, value in sorted(vars(thing).items() if hasattr(thing, "__dict__") else [])
        if not any(word in name for word in _STATE)
    }
    if is_user_module(type(thing).__module__):
        settings["source"] = source_hash(type(thing))
    return ObjectSpec(f"{type(thing).__module__}.{type(thing).__qualname__}", settings)


def _setting(value: Any) -> Any:
    if not isinstance(value, FunctionType):
        return _Sources().stand_in(value)
    if is_user_module(value.__module__):
        return source_hash(value)
    # Optuna's samplers put their defaults in the place of None when they are first used.
    return None if value.__name__.startswith("default_") else f"{value.__module__}.{value.__qualname__}"


class _Sources:
    """Functions and classes with everything of the user's own code that they use, each entered once.

    If the first thing is of an installed package, a plug-in's strategy, that package counts as the user's code: its
    version is not among those that a manifest holds.
    """

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}
        self._package = ""
        self._names: dict[int, str] = {}
        self._kept: list[Any] = []  # an address is not used again while its object lives

    def add(self, thing: Any) -> str:
        """Enter a function or a class; returns its name here."""
        if id(thing) in self._names:
            return self._names[id(thing)]
        if not self.parts:
            self._package = _package(thing.__module__)
        name = f"{type(thing).__name__} {thing.__qualname__}"
        if name in self.parts:  # lambdas, and functions under a decorator
            name += f" {len(self.parts)}"
        self._names[id(thing)] = name
        self._kept.append(thing)
        self.parts[name] = ""
        self.parts[name] = self._function(thing) if isinstance(thing, FunctionType) else self._class(thing)
        return name

    def _function(self, function: FunctionType) -> list[Any]:
        names = _names(function.__code__)
        used = {n: function.__globals__[n] for n in sorted(names) if n in function.__globals__}
        bound = [function.__defaults__, function.__kwdefaults__, _closure(function)]
        return [_text(function), self.stand_in(bound), self.stand_in(used)]

    def _class(self, cls: type) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for attribute, value in sorted(vars(cls).items()):
            inner = getattr(value, "__func__", getattr(value, "fget", getattr(value, "func", value)))
            if isinstance(inner, FunctionType) and inner.__module__ == cls.__module__:
                found[attribute] = self.add(inner)
            elif not attribute.startswith("__"):
                found[attribute] = self.stand_in(value)
        found["bases"] = [
            self.add(b) for b in cls.__bases__ if self._uses(b.__module__) or b.__module__ == cls.__module__
        ]
        return found

    def _uses(self, module: str | None) -> bool:
        return is_user_module(module) or (self._package not in ("", "maestro") and _package(module) == self._package)

    def stand_in(self, value: Any) -> Any:
        """Return what stands for a value: the same in every process, and different where the value differs."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if np.isfinite(value) else repr(value)
        if isinstance(value, (list, tuple)):
            return [self.stand_in(v) for v in value]
        if isinstance(value, (set, frozenset)):  # their order changes from process to process
            return sorted(canonical(self.stand_in(v)) for v in value)
        if isinstance(value, dict):
            return {str(k): self.stand_in(v) for k, v in value.items()}
        if isinstance(value, (np.ndarray, np.generic, bytes)):
            raw = value if isinstance(value, bytes) else np.ascontiguousarray(value).tobytes()
            return f"{type(value).__name__} {getattr(value, 'dtype', '')} {hashlib.sha256(raw).hexdigest()}"
        if isinstance(value, partial):
            return [self.stand_in(value.func), self.stand_in(value.args), self.stand_in(value.keywords)]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            return [type(value).__qualname__, self.stand_in(fields)]
        code = getattr(value, "py_func", value)  # a compiled function
        if isinstance(code, (FunctionType, type)) and self._uses(code.__module__):
            return self.add(code)
        if isinstance(value, ModuleType):
            return _module(value) if self._uses(value.__name__) else value.__name__
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"


def _package(module: str | None) -> str:
    return (module or "").partition(".")[0]


def _module(module: ModuleType) -> str:
    try:
        return digest(inspect.getsource(module))
    except (OSError, TypeError):
        return module.__name__


def _closure(function: FunctionType) -> list[Any]:
    values = []
    for cell in function.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:  # not bound yet
            values.append("unbound")
    return values


def _text(function: FunctionType) -> Any:
    """Source text of a function; of one typed at a bare prompt, what it was compiled to."""
    try:
        text = inspect.cleandoc(inspect.getsource(function))
    except (OSError, TypeError):
        return _compiled(function.__code__)
    # The text of a lambda is that of its whole line, where another one may stand.
    return [text, *_compiled(function.__code__)[1:]] if function.__name__ == "<lambda>" else text


def _compiled(code: CodeType) -> list[Any]:
    consts = [_compiled(c) if inspect.iscode(c) else _Sources().stand_in(c) for c in code.co_consts]
    return [code.co_code.hex(), list(code.co_names), list(code.co_varnames), consts]


def _names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for const in code.co_consts:
        if inspect.iscode(const):
            names |= _names(const)
    return names


_PRESENTS = ("apps", "cli", "reports", "service", "testing")
"""Packages that show results or take orders; every other file decides on a result, or may."""


def source_files() -> list[Path]:
    """Files of this package that decide on a result: all but those that present it, sorted."""
    root = Path(__file__).parents[1]
    return sorted(p for p in root.rglob("*.py") if p.relative_to(root).parts[0] not in _PRESENTS)


@cache
def own_code() -> str:
    """Hash of this package's own sources that decide on a result; 16 hex digits."""
    root = Path(__file__).parents[1]
    sources = hashlib.sha256()
    for path in source_files():
        sources.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return sources.hexdigest()[:ID_LENGTH]


@cache
def cpu() -> str:
    """Kind of CPU: results are equal to the bit on one kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # only Linux has it
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Versions of what computes: Python, this package, its sources and compiled code, its libraries, the CPU."""
    from maestro._core.compiled import kernel_hash  # with Numba, which listing runs does not need

    found = {
        "python": platform.python_version(), "maestro": __version__, "code": own_code(),
        "kernels": kernel_hash(), "machine": platform.machine(), "cpu": cpu(),
    }  # fmt: skip
    return found | {name: _installed(name) for name in ("numpy", "polars", "numba", "optuna", "bokeh")}


@cache
def _installed(name: str) -> str:
    """Version of a library; read once, as it cannot change in a process that has imported it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
