"""Indicator columns that several parameter sets share are computed once: a cache bounded in bytes.

Nothing is kept outside `column_cache` or `using`. Inside, an indicator called again on the same read-only
arrays (those of `Bars` and those that indicators return) with the same numbers returns the column it made
before. Arrays that can be written to are never kept, as their content may change.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from threading import Lock, local
from typing import Any, ParamSpec, TypeVar

import numpy as np

from maestro.errors import SettingsError

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_BYTES = 32 << 20


class ColumnCache:
    """Columns by (indicator, arrays, numbers), the least recently used evicted first; several threads may share it.

    Arrays are known by identity. An entry keeps a reference to its inputs, so that an address is never
    reused while the entry lives.

    Parameters
    ----------
    max_bytes : int
        Bound on the bytes of the columns kept; a column larger than that is computed and not kept.

    Attributes
    ----------
    nbytes : int, bytes counted at present
    hits, misses : int, look-ups since the start
    """

    __slots__ = ("_entries", "_lock", "_made", "hits", "max_bytes", "misses", "nbytes")

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 0:
            raise SettingsError(f"max_bytes={max_bytes!r} is not a number of bytes; give a whole number, 0 or more.")
        self.max_bytes = max_bytes
        self.nbytes = self.hits = self.misses = 0
        self._entries: OrderedDict[Any, tuple[Any, int, tuple[Any, ...]]] = OrderedDict()
        self._made: set[int] = set()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def column(self, function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        """Return ``function(*args, **kwargs)``, kept from an earlier call where there was one."""
        if len(args) == 2 and not kwargs and type(args[0]) is np.ndarray and type(args[1]) is int:  # the usual call
            key: tuple[Any, ...] = (function, id(args[0]), args[1])
        else:
            key = (function, *[id(a) if type(a) is np.ndarray else a for a in args], *kwargs.items())
        try:
            with self._lock:
                entry = self._entries.get(key)
                if entry is not None:
                    self._entries.move_to_end(key)
                    self.hits += 1
                    return entry[0]  # type: ignore[no-any-return]
        except TypeError:  # a list or a frame's column: no identity to go by
            return function(*args, **kwargs)
        made = function(*args, **kwargs)
        inputs = tuple(a for a in args if type(a) is np.ndarray)
        if inputs and not any(a.flags.writeable for a in inputs) and not _has_array(kwargs):
            return self._keep(key, made, inputs)
        return made

    def _keep(self, key: Any, made: R, inputs: tuple[Any, ...]) -> R:
        columns: tuple[Any, ...] = made if isinstance(made, tuple) else (made,)
        with self._lock:
            self.misses += 1
            other = self._entries.get(key)
            if other is not None:  # another thread was faster; one column, one identity
                return other[0]  # type: ignore[no-any-return]
            # An input that the cache made lives as long as this entry, also after its own eviction: count it here too.
            size = sum(c.nbytes for c in columns) + sum(a.nbytes for a in inputs if id(a) in self._made)
            if size > self.max_bytes:
                return made
            while self.nbytes + size > self.max_bytes:
                _, (old, freed, _) = self._entries.popitem(last=False)
                self.nbytes -= freed
                self._made.difference_update(map(id, old if isinstance(old, tuple) else (old,)))
            self._entries[key] = (made, size, inputs)
            self._made.update(map(id, columns))
            self.nbytes += size
        return made


class ThreadCaches(local):
    """A cache for each thread, kept from task to task; in another process it begins anew.

    Attributes
    ----------
    columns : ColumnCache, that of the thread that asks
    """

    def __init__(self) -> None:
        self.columns = ColumnCache()

    def __reduce__(self) -> tuple[type[ThreadCaches], tuple[()]]:
        return ThreadCaches, ()


def _has_array(kwargs: dict[str, Any]) -> bool:
    return any(type(value) is np.ndarray for value in kwargs.values())


_CURRENT: ContextVar[ColumnCache | None] = ContextVar("column_cache", default=None)


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate an indicator (arrays by position, then numbers; read-only results) so that `using` keeps its columns."""

    @wraps(function)
    def indicator(*args: P.args, **kwargs: P.kwargs) -> R:
        cache = _CURRENT.get()
        if cache is None:
            return function(*args, **kwargs)
        return cache.column(function, args, kwargs)

    return indicator


@contextmanager
def using(cache: ColumnCache | None) -> Iterator[ColumnCache | None]:
    """Let indicators called in this context (thread or task) keep their columns in `cache`; None: keep nothing."""
    token = _CURRENT.set(cache)
    try:
        yield cache
    finally:
        _CURRENT.reset(token)


@contextmanager
def column_cache(max_bytes: int = DEFAULT_BYTES) -> Iterator[ColumnCache]:
    """Keep the columns of indicators called inside, up to `max_bytes`; ``with column_cache(): …``."""
    cache = ColumnCache(max_bytes)
    with using(cache):
        yield cache
