"""User-defined strategies that a server offers: files and watched folders, named when it was started."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from maestro.errors import SettingsError, StrategyError, nearest
from maestro.strategies import Strategy
from maestro.strategies.files import helper_files, in_file, line_in, strategies_of

_Stamp = tuple[tuple[int, int], ...]


class StrategyFiles:
    """Strategies of files, by ``file.py:Class``. A file is executed again after it, or one it imports, was saved.

    Only these files are executed: a name from a link or a form is looked up, never opened.
    """

    def __init__(self) -> None:
        self._places: list[Path] = []
        self._loaded: dict[Path, tuple[_Stamp, dict[str, type[Strategy]], str]] = {}
        self._lock = threading.RLock()  # pages and runs are on different threads

    def offer(self, place: str | Path) -> None:
        """Offer the strategies of a file, or of every file of a folder that does not begin with ``_`` or ``.``.

        Raises
        ------
        SettingsError
            It is neither a Python file nor a folder.
        """
        path = Path(place)
        if not path.is_dir() and not (path.suffix == ".py" and path.is_file()):
            raise SettingsError(f"--strategy {place}: give a Python file or a folder that exists.")
        with self._lock:
            if path not in self._places:
                self._places.append(path)

    def clear(self) -> None:
        """Offer nothing."""
        with self._lock:
            self._places.clear()
            self._loaded.clear()

    def __bool__(self) -> bool:
        return bool(self._places)

    def names(self) -> list[str]:
        """``file.py:Class`` of every strategy."""
        with self._lock:
            self._refresh()
            return [f"{path}:{name}" for path, (_, own, _) in self._loaded.items() for name in own]

    def problems(self) -> list[str]:
        """Why files cannot be imported."""
        with self._lock:
            self._refresh()
            return [problem for _, _, problem in self._loaded.values() if problem]

    def state(self) -> Any:
        """Return a value that changes whenever a file is added, saved or removed."""
        with self._lock:
            self._refresh()
            return {path: stamp for path, (stamp, _, _) in self._loaded.items()}

    def get(self, name: str) -> type[Strategy]:
        """Return the class of a name, from the file as it is now.

        Raises
        ------
        StrategyError
            It is not among the strategies of these files, or its file cannot be imported.
        """
        with self._lock:
            self._refresh()
            found = in_file(name)
            entry = None if found is None else self._loaded.get(found[0])
            if found is not None and entry is not None and found[1] in entry[1]:
                return entry[1][found[1]]
            if entry is not None and entry[2]:
                raise StrategyError(entry[2])
            known = self.names()
        raise StrategyError(
            f"{name[:200]!r} is not among the strategies of this server: the built-in ones, and those of the files "
            f"that it was started with (maestro app --strategy FILE).{nearest(name, known)}"
        )

    def _refresh(self) -> None:
        """Execute what is new or was saved; forget what was removed."""
        there = [path for place in self._places for path in _files(place)]
        for path in [path for path in self._loaded if path not in there]:
            del self._loaded[path]
        for path in there:
            own = _stamp(path)
            if own is None:  # removed since it was listed
                self._loaded.pop(path, None)
                continue
            if path in self._loaded and self._loaded[path][0] == (own, *_helpers(path)):
                continue
            try:
                strategies, problem = strategies_of(path), ""
            except StrategyError as error:
                strategies, problem = {}, str(error)
            self._loaded[path] = ((own, *_helpers(path)), strategies, problem)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is saved; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _helpers(path: Path) -> list[tuple[int, int]]:
    """Stamps of the files beside a strategy's file that it may import."""
    return [_stamp(file) or (0, 0) for file in helper_files(path)]


def _files(place: Path) -> Iterable[Path]:
    if not place.is_dir():
        return [place]
    return sorted(path for path in place.glob("*.py") if not path.name.startswith(("_", ".")))


FILES = StrategyFiles()
"""What this process offers."""


def raised(error: Exception, name: str, cls: type[Strategy] | None) -> str:
    """An error of a user-defined strategy in words, with the line of its file."""
    message = f"{name} raised {type(error).__name__}: {error}"
    try:
        file = inspect.getsourcefile(cls) if cls is not None else None
    except TypeError:
        file = None
    line = line_in(error, file) if file else None
    return f"{message} ({Path(str(file)).name}, line {line})" if line else message
