"""Registries: objects found by name, built-in ones and those that other packages add by entry points.

A built-in thing is written as ``module:attribute`` and imported when it is first asked for. Entry points are looked up
only for a name that is not built in, or when everything is listed. A plug-in that cannot be imported is an error for
whoever asks for it, and a line in the list of problems for everybody else.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from maestro.errors import MaestroError, PluginError, nearest

T = TypeVar("T")
_LISTED = 12  # names that a message lists at most


@cache
def _plugins(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    """Entry points of a group by name; installing a package while the process runs changes nothing."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in sorted(entry_points(group=group), key=lambda one: (one.name, _package(one))):
        if not any(point.value == other.value for other in found.get(point.name, ())):
            found[point.name] = (*found.get(point.name, ()), point)
    return found


def plugin_names(group: str) -> list[str]:
    """Return the names of the entry points of a group, sorted; nothing is imported."""
    return list(_plugins(group))


class Registry(Generic[T]):
    """Things of one kind by name.

    Parameters
    ----------
    group : str
        Group of the entry points, ``maestro.sources``.
    kind : str
        What a thing is, for messages: ``source``.
    builtin : mapping from a name to ``module:attribute``
    accepts : callable
        Whether a loaded object is such a thing; what is not is refused.
    wanted : str
        What is accepted, for the message.
    """

    def __init__(
        self, group: str, kind: str, builtin: Mapping[str, str], accepts: Callable[[Any], bool], wanted: str
    ) -> None:
        self.group, self.kind = group, kind
        self._builtin, self._accepts, self._wanted = dict(builtin), accepts, wanted

    @property
    def builtin(self) -> list[str]:
        """Names of the built-in things, in their order."""
        return list(self._builtin)

    def names(self) -> list[str]:
        """Names of all things: the built-in ones, then those of plug-ins; nothing is imported."""
        return [*self._builtin, *(name for name in plugin_names(self.group) if name not in self._builtin)]

    def __contains__(self, name: object) -> bool:
        return name in self._builtin or name in _plugins(self.group)

    def get(self, name: str, error: type[MaestroError] | None = None, hint: str = "") -> T:
        """Return a thing by its name.

        Parameters
        ----------
        error : type
            What to raise for a name that nobody has; `KeyError` by default.
        hint : str
            What else that message says.

        Raises
        ------
        PluginError
            The plug-in cannot be imported, is not such a thing, or two packages bring the name.
        """
        if name in self._builtin:
            return _attribute(self._builtin[name])  # type: ignore[no-any-return]
        points = _plugins(self.group).get(name, ())
        if not points:
            if error is None:
                raise KeyError(name)
            known = self.names()
            listed = f"; there are: {', '.join(known)}." if len(known) <= _LISTED else ";" if hint else "."
            raise error(f"there is no {self.kind} {name!r}{listed}{hint}{nearest(str(name), known)}")
        if len(points) > 1:
            packages = " and ".join(_package(point) for point in points)
            raise PluginError(f"the packages {packages} both bring the {self.kind} {name!r}; uninstall one of them.")
        return self._load(points[0])

    def load_all(self) -> tuple[dict[str, T], list[str]]:
        """Return every thing by name, and what is wrong with those that cannot be loaded, each in a sentence."""
        found: dict[str, T] = {}
        problems: list[str] = []
        for name in self.names():
            try:
                found[name] = self.get(name)
            except PluginError as error:
                problems.append(str(error))
        for name, points in _plugins(self.group).items():
            if name in self._builtin:
                packages = ", ".join(_package(point) for point in points)
                problems.append(f"the {self.kind} {name!r} of {packages} is not used: Maestro has one of that name.")
        return found, problems

    def _load(self, point: EntryPoint) -> T:
        where = f"the {self.kind} {point.name!r} of the package {_package(point)}"
        try:
            value = point.load()
        except Exception as error:  # whatever happens while a foreign module is imported
            raise PluginError(
                f"{where} cannot be loaded from {point.value}: {type(error).__name__}: {error}. "
                "Reinstall the package, or uninstall it."
            ) from error
        if not self._accepts(value):
            raise PluginError(f"{where} is a {type(value).__name__} ({point.value}); it must be {self._wanted}.")
        return value  # type: ignore[no-any-return]


def _attribute(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)  # waits where another thread is importing it


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown package"
