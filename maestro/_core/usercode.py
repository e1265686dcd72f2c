"""Recognition of the user's own modules, and pickles that carry such code by value."""

from __future__ import annotations

import inspect
import io
import pickle
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

_INSTALLED = tuple(
    {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
_lock = threading.Lock()


def is_user_module(name: str | None) -> bool:
    """Whether a module is not of this package, the standard library or an installed package."""
    if not name or name.partition(".")[0] == "maestro" or name in sys.builtin_module_names:
        return False
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is None or not _is_installed(str(file))


@lru_cache(None)
def _is_installed(file: str) -> bool:
    path = Path(file).resolve()
    return any(path.is_relative_to(folder) for folder in _INSTALLED)


def dumps_by_value(value: Any) -> bytes:
    """Pickle a value with the code of the user's modules in it: where it is read they need not be installed."""
    import cloudpickle

    with _lock, _registered(cloudpickle):
        return bytes(cloudpickle.dumps(value))


def loads_fresh(data: bytes) -> Any:
    """Unpickle what cloudpickle wrote by value, with its classes as new ones.

    `cloudpickle.loads` returns the class that was pickled if it still exists in this process, and resets its
    attributes. Two calls of this function share nothing.
    """
    return _NewClasses(io.BytesIO(data)).load()


class _NewClasses(pickle.Unpickler):
    """Leaves out the identifier by which cloudpickle finds an existing class.

    cloudpickle has no public option for this, so its constructors of classes are recognised by name.
    """

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if module != "cloudpickle.cloudpickle" or name not in ("_make_skeleton_class", "_make_skeleton_enum"):
            return found

        def make(*given: Any) -> Any:
            bound = inspect.signature(found).bind(*given)
            bound.arguments["class_tracker_id"] = None
            return found(*bound.args, **bound.kwargs)

        return make


@contextmanager
def _registered(cloudpickle: Any) -> Iterator[None]:
    known = set(cloudpickle.list_registry_pickle_by_value())
    added: list[ModuleType] = []
    try:
        for name, module in list(sys.modules.items()):
            own = name not in known and name != "__main__" and getattr(module, "__file__", None)
            if own and getattr(module, "__name__", None) == name and is_user_module(name):
                cloudpickle.register_pickle_by_value(module)
                added.append(module)
        yield
    finally:
        for module in added:
            cloudpickle.unregister_pickle_by_value(module)
