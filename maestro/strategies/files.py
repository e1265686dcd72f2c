"""Strategies in Python files: ``my_rule.py:MyRule`` into its class."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import linecache
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from maestro._core.usercode import is_user_module
from maestro.errors import StrategyError, nearest
from maestro.strategies import Strategy, by_name

_EXECUTING = threading.RLock()
_HELPERS: dict[Path, dict[str, Path]] = {}
"""Modules that strategies of a folder imported from it: their files by name, by folder."""


def in_file(text: str) -> tuple[Path, str] | None:
    """Path and class (empty if not given) of ``file.py:Class`` or ``file.py``; None for any other text."""
    if text.endswith(".py"):
        return Path(text), ""
    path, _, name = text.rpartition(":")
    return (Path(path), name) if path.endswith(".py") else None


def load_strategy(name: str, hint: str = " ms.strategies() lists them.") -> type[Strategy]:
    """Return the class of a strategy, by its name or as ``path/to/file.py:ClassName``.

    The file is executed, so never pass a name that comes from somebody else.

    Parameters
    ----------
    name : str
        A name of `ms.strategies()`, that of a plug-in, ``file.py:ClassName``, or ``file.py`` if the file has one class.
    hint : str
        Where the names are, for the message.

    Raises
    ------
    StrategyError
        There is no such strategy, or its file cannot be imported; the message names the line.
    """
    found = in_file(name)
    if found is None:
        return by_name(name, hint)
    path, wanted = found
    own = strategies_of(path)
    if wanted in own or (not wanted and len(own) == 1):
        return own[wanted] if wanted else next(iter(own.values()))
    shown = ", ".join(own) or "none"
    raise StrategyError(
        f"{path} has no strategy {wanted!r}; it has: {shown} (classes of ms.Strategy).{nearest(wanted, own)}"
        if wanted
        else f"{path} has {len(own)} strategies ({shown}); name one: {path}:ClassName."
    )


def strategies_of(path: Path) -> dict[str, type[Strategy]]:
    """Execute a file and return the strategies that it defines, by name.

    Raises
    ------
    StrategyError
        There is no such file, or it cannot be imported.
    """
    import cloudpickle

    try:
        source = path.read_bytes()
    except (OSError, ValueError) as error:
        if not os.path.isfile(path):
            raise StrategyError(f"there is no file {path}; give path/to/file.py:ClassName.") from None
        raise StrategyError(f"{path} cannot be read: {error}.") from error
    file, module_name = str(path.absolute()), _module_name(path)
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    with _EXECUTING:
        before = sys.modules.get(module_name)
        linecache.cache.pop(file, None)
        sys.modules[module_name] = module  # where inspect looks for the source, which is part of a run's identity
        try:
            with _fresh_helpers(path.resolve()) as helpers:
                # Not the loader's cache of bytecode: it takes a file that was saved twice in one second for the same.
                exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
        except (Exception, SystemExit) as error:
            if before is not None:
                sys.modules[module_name] = before
            reason = error.msg if isinstance(error, SyntaxError) else error
            place = _place(error, path)
            raise StrategyError(f"{path} cannot be imported: {type(error).__name__}: {reason}{place}") from error
    for one in (module, *helpers):
        cloudpickle.register_pickle_by_value(one)  # worker processes cannot import it
    return {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module_name
    }


def helper_files(path: Path) -> list[Path]:
    """Files beside a strategy's file that strategies of its folder have imported; they are executed again with it."""
    return sorted(set(_HELPERS.get(path.parent.resolve(), {}).values()))


@contextlib.contextmanager
def _fresh_helpers(path: Path) -> Iterator[list[ModuleType]]:
    """Import from the folder of a file, anew what strategies imported before; gives what was imported at the end."""
    folder = path.parent
    known = _HELPERS.setdefault(folder, {})
    names = {name for own in _HELPERS.values() for name in own}  # also of other folders: theirs may have the same name
    old = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    for one in known.values():
        linecache.cache.pop(str(one), None)
    others, writes = set(sys.modules), sys.dont_write_bytecode
    helpers: list[ModuleType] = []
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True  # it would be taken for that of a file saved twice in one second
    importlib.invalidate_caches()
    try:
        yield helpers
        for name in set(sys.modules) - others:
            file = getattr(sys.modules[name], "__file__", None)
            if file and is_user_module(name) and Path(file).resolve().is_relative_to(folder):
                known[name] = Path(file).resolve()
                helpers.append(sys.modules[name])
    except BaseException as error:
        for beside in {Path(file).resolve() for file in _files_of(error)} - {path}:
            if beside.is_file() and beside.is_relative_to(folder) and beside.stem not in others:
                known.setdefault(beside.stem, beside)  # saved again, it may be right
        for name in set(sys.modules) - others:
            if name in known:
                del sys.modules[name]
        raise
    finally:
        for name, module in old.items():
            sys.modules.setdefault(name, module)
        sys.dont_write_bytecode = writes
        sys.path.remove(str(folder))


def _files_of(error: BaseException) -> list[str]:
    """Files that an error leads through, the innermost one last."""
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return [*files, error.filename] if isinstance(error, SyntaxError) and error.filename else files


def _place(error: BaseException, path: Path) -> str:
    """Where a file, or one beside it, raised an error: `` (line 3)`` or `` (helper.py, line 3)``."""
    beside = [file for file in _files_of(error) if Path(file).parent == path.absolute().parent]
    if beside and beside[-1] != str(path.absolute()):
        line = line_in(error, beside[-1])
        return f" ({Path(beside[-1]).name}, line {line})" if line else ""
    line = line_in(error, path)
    return f" (line {line})" if line else ""


def line_in(error: BaseException, path: str | Path) -> int | None:
    """Line of a file that raised an error: the innermost one in that file; None if none of its lines is involved."""
    file = str(Path(path).absolute())
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return lines[-1] if lines else None


def _module_name(path: Path) -> str:
    """Name of the module of a file; files of one name in different folders have different modules."""
    name = f"_maestro_own_{path.stem}"
    known = getattr(sys.modules.get(name), "__file__", None)
    if known is None or Path(known).resolve() == path.resolve():
        return name
    return f"{name}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
