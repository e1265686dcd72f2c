"""Dataclasses as the plain values of JSON, and back: every field is checked by name and type."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from maestro.errors import MaestroError, nearest

T = TypeVar("T")

_NEEDED = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", datetime: "an ISO 8601 time",
}  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """Reads dataclasses whose fields are text, numbers, times, literals, tuples, mappings and dataclasses.

    Numbers stay as they are, so that a whole number in a field of floats is written as it was read. This is own code
    because pydantic takes longer to import than a listing of runs takes.

    Parameters
    ----------
    error : type of MaestroError
        Raised for a wrong value, with a message that names the field.
    special : mapping, optional
        For a class that is read in another way, a function of (name, plain value); it raises `ValueError`.
    """

    error: type[MaestroError]
    special: Mapping[Any, Callable[[str, Any], Any]] = field(default_factory=dict)
    _hints: dict[Any, dict[str, Any]] = field(default_factory=dict, init=False, repr=False)

    def read(self, kind: type[T], given: Any, where: str) -> T:
        """Return the object of a dataclass from a mapping with exactly its fields; `where` names it in messages."""
        self._mapping(given, where)
        names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
        for name in names:
            if name not in given:
                raise self.error(f"{where} has no field {name!r}; it needs {', '.join(names)}.")
        for name in map(str, given):
            if name not in names:
                allowed = f"allowed: {', '.join(names)}.{nearest(name, names)}"
                raise self.error(f"{where} has an unknown field {name!r}; {allowed}")
        if kind not in self._hints:
            self._hints[kind] = get_type_hints(kind)
        return kind(
            **{name: self._value(self._hints[kind][name], name, given[name], f"{where}.{name}") for name in names}
        )

    def _value(self, kind: Any, name: str, given: Any, where: str) -> Any:
        """Return the value of an annotated type."""
        origin, inner = get_origin(kind), get_args(kind)
        if kind is Any:
            return given
        if kind in self.special:
            try:
                return self.special[kind](name, given)
            except ValueError as error:
                raise self.error(f"{where} is {shown(given)}; {error}.") from error
        if origin in (Union, types.UnionType):
            return self._one_of(inner, name, given, where)
        if origin is Literal:
            if given not in inner:
                raise self.error(f"{where} is {shown(given)}; allowed: {', '.join(map(repr, inner))}.")
            return given
        if origin is tuple:
            return self._items(inner, given, where)
        if origin is not None:  # a mapping by name
            self._mapping(given, where)
            return {str(key): self._value(inner[1], str(key), one, f"{where}.{key}") for key, one in given.items()}
        if isinstance(kind, type) and is_dataclass(kind):
            return self.read(kind, given, where)
        return self._scalar(kind, given, where)

    def _mapping(self, given: Any, where: str) -> None:
        if not isinstance(given, Mapping):
            raise self.error(f"{where} is {shown(given)}; a mapping is needed.")

    def _one_of(self, kinds: tuple[Any, ...], name: str, given: Any, where: str) -> Any:
        """Return the value of a union: None, text, or a mapping for its dataclass."""
        if (given is None and type(None) in kinds) or (isinstance(given, str) and str in kinds):
            return given
        return self._value(next(kind for kind in kinds if is_dataclass(kind)), name, given, where)

    def _items(self, kinds: tuple[Any, ...], given: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(given, (list, tuple)):
            raise self.error(f"{where} is {shown(given)}; a list is needed.")
        if kinds[-1] is not Ellipsis and len(kinds) != len(given):
            raise self.error(f"{where} has {len(given)} items; {len(kinds)} are needed.")
        each = [kinds[0]] * len(given) if kinds[-1] is Ellipsis else kinds
        pairs = enumerate(zip(each, given, strict=True))
        return tuple(self._value(kind, str(k), one, f"{where}[{k}]") for k, (kind, one) in pairs)

    def _scalar(self, kind: Any, given: Any, where: str) -> Any:
        wrong = f"{where} is {shown(given)}; {_NEEDED[kind]} is needed."
        if kind is datetime:
            try:
                return datetime.fromisoformat(given)
            except (TypeError, ValueError) as error:
                raise self.error(wrong) from error
        if isinstance(given, bool) is not (kind is bool) or not isinstance(
            given, (int, float) if kind is float else kind
        ):
            raise self.error(wrong)
        return given


def to_plain(value: Any) -> Any:
    """Return a dataclass as the plain values that `Reader` reads; a nested object with a `to_dict` gives that."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _nested(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _nested(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_nested(one) for one in value]
    return value


def _nested(value: Any) -> Any:
    return value.to_dict() if hasattr(value, "to_dict") else to_plain(value)


def shown(value: Any) -> str:
    """Return a value and its type for a message, cut short."""
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:59] + '…'} ({type(value).__name__})"
