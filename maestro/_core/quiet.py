"""Ignores warnings in one thread; `warnings.catch_warnings` changes the filters of the whole process."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

_ignored: ContextVar[tuple[type[Warning], ...]] = ContextVar("ignored", default=())


@dataclass(frozen=True)
class _InBlock:
    """In place of the pattern of a filter: it matches any text inside a block that ignores the category."""

    category: type[Warning]
    inside: ContextVar[tuple[type[Warning], ...]]  # held here: at the end of the process the module is empty

    def match(self, _text: str) -> bool:
        return self.category in self.inside.get()


@contextlib.contextmanager
def ignored(category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a category inside the block, in this thread or task only.

    Two threads whose `warnings.catch_warnings` overlap restore each other's filters, and the process is left with
    those of one block: a server or notebook would never show a warning again. The filter of this function stays
    among the filters of the process, and matches only inside such a block.
    """
    filters: list[Any] = warnings.filters  # type: ignore[assignment]
    item = ("ignore", _InBlock(category, _ignored), category, None, 0)
    if not filters or filters[0] != item:  # first: filters that were added since would be asked before it
        with contextlib.suppress(ValueError):
            filters.remove(item)
        filters.insert(0, item)
    token = _ignored.set((*_ignored.get(), category))
    try:
        yield
    finally:
        _ignored.reset(token)
