"""The compiler of the kernels: Numba's ``njit``, with one cache folder for each state of the sources.

Numba detects a stale cached function by the function's own file only: a kernel that calls one of another file would
keep the old callee, and a number would come from code that no longer exists. Here the name of the cache folder is a
hash of every source that is compiled in and of the versions that compile it, wherever the cache lies. A cached file
carries its SHA-256, so a damaged one is compiled again.
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import re
import shutil
import sys
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import llvmlite
import numba
import numpy
from llvmlite.binding import add_symbol
from numba.core import config, event
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.runtime import _nrt_python  # type: ignore[attr-defined]
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

try:
    import fcntl
except ImportError:  # Windows refuses to move a folder with open files
    fcntl = None  # type: ignore[assignment]

__all__ = ["cache_folder", "kernel_files", "kernel_hash", "njit"]


@cache
def _load_arrays() -> None:
    """Load Numba's array functions without `scipy.linalg`, which takes longer than all of them and no kernel needs.

    They only ask whether it is there; a kernel that uses linear algebra imports it when it is compiled.
    """
    linalg: Any = import_module("numba.np.linalg")
    ensure = getattr(linalg, "ensure_blas", None)
    if ensure is None or find_spec("scipy") is None:  # another version of Numba, or there is nothing to leave out
        return
    linalg.ensure_blas = lambda: None
    try:
        arraymath: Any = import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = ensure
    arraymath.ensure_blas = ensure


class _BeforeCompilation(event.Listener):  # type: ignore[misc]
    """Loads the array functions before Numba compiles for the first time; code from the cache needs none of them."""

    def on_start(self, event: Any) -> None:
        _load_arrays()

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _BeforeCompilation())

_F = TypeVar("_F", bound=Callable[..., Any])
_ROOT = Path(__file__).parents[1]
_NAME = _ROOT.name
_IMPORT_FROM = re.compile(rf"\nfrom ({_NAME}[\w.]*) import (\([^)]*\)|[^\n]*)".encode())
_IMPORT = re.compile(rf"\nimport ({_NAME}[\w.]*)".encode())
_OPTIONS = (
    "OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "ENABLE_AVX", "CPU_NAME",
    "CPU_FEATURES",
)  # fmt: skip
"""Options of Numba that change the machine code. The CPU itself is part of Numba's own key in the folder."""


@cache
def _sources() -> dict[str, tuple[bytes, tuple[int, ...]]]:
    """SHA-256 and state of every file that is compiled in: files with kernels and the modules that they import.

    An imported module may hold a constant that a kernel uses.
    """
    content, state, modules = {}, {}, {}
    for folder, _, names in os.walk(_ROOT):
        package = folder[len(str(_ROOT)) :].replace(os.sep, ".")
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                state[path] = _state(path)  # before it is read: a change in between is noticed later
                with open(path, "rb") as file:
                    content[path] = file.read()
                modules[f"{_NAME}{package}.{name[:-3]}".removesuffix(".__init__")] = path
    found = {path for path, text in content.items() if b"_core.compiled import" in text}
    waiting = list(found)
    while waiting:
        for path in _imported(content[waiting.pop()], modules) - found:
            found.add(path)
            waiting.append(path)
    return {path: (hashlib.sha256(content[path]).digest(), state[path]) for path in sorted(found)}


def _imported(text: bytes, modules: dict[str, str]) -> set[str]:
    """Files of this package that a source imports at module level."""
    text = b"\n" + text  # a pattern that begins with a character is found several times as fast as with ^
    names = {name.decode() for name in _IMPORT.findall(text)}
    for package, members in _IMPORT_FROM.findall(text):
        base = package.decode()
        names |= {base, *(f"{base}.{member}" for member in re.findall(r"\w+", members.decode()))}
    return {modules[name] for name in names & modules.keys()}


def _state(path: str) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size, found.st_ino


def kernel_files() -> list[Path]:
    """Every file of the package whose content is compiled into kernels, sorted."""
    return list(map(Path, _sources()))


@cache
def kernel_hash() -> str:
    """Hash of the sources of all kernels and of the versions and options that compile them; 16 hex digits."""
    known = hashlib.sha256()
    for library in (numba, llvmlite, numpy):
        known.update(f"{library.__name__} {library.__version__}\n".encode())
    known.update(f"{platform.python_implementation()} {sys.version}\n".encode())
    known.update("".join(f"{name} {getattr(config, name, None)}\n" for name in _OPTIONS).encode())
    for path, (digest, _) in _sources().items():
        known.update(os.path.relpath(path, _ROOT).replace(os.sep, "/").encode() + b"\0" + digest)
    return known.hexdigest()[:16]


# -- the folder ----------------------------------------------------------------------------------


@cache
def cache_folder() -> Path | None:
    """Folder of this state's compiled code; None where no folder can be written, and nothing is cached.

    Below ``NUMBA_CACHE_DIR`` if that is set, otherwise in the package, or below the user's cache folder where the
    package is read-only. Folders of earlier states of this installation go when a new one is made, unless a living
    process uses them.
    """
    given = getattr(config, "CACHE_DIR", "")
    bases = [given] if given else [_ROOT / "__pycache__", AppDirs("numba", False).user_cache_dir]
    place = hashlib.sha256(os.fsencode(_ROOT.resolve())).hexdigest()[:8]
    for base in map(Path, bases):
        folder = base / f"{_NAME}-{place}-{kernel_hash()}"
        with contextlib.suppress(OSError):
            new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            _in_use.append(_hold(folder))
            if new:
                _drop_stale(folder, f"{_NAME}-{place}-")
            return folder
    warnings.warn(
        f"compiled code is not kept: {' and '.join(map(str, bases))} cannot be written; every process compiles for "
        "several seconds. Set NUMBA_CACHE_DIR to a folder that can be written.",
        stacklevel=2,
    )
    return None


_in_use: list[int] = []
"""Open files that mark the folder as used until this process ends."""


def _hold(folder: Path) -> int:
    handle = os.open(folder / "in-use", os.O_RDWR | os.O_CREAT, 0o644)
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a file system without locks: its folder may be dropped, and is made again
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return handle


def _drop_stale(folder: Path, prefix: str) -> None:
    for left in folder.parent.glob(f"gone-*-{prefix}*"):  # its remover was killed
        shutil.rmtree(left, ignore_errors=True)
    for other in folder.parent.glob(f"{prefix}*"):
        if other == folder:
            continue
        # In use, or of another user: it stays.
        with contextlib.suppress(OSError):
            handle = os.open(other / "in-use", os.O_RDWR | os.O_CREAT, 0o644)
            try:
                if fcntl is not None:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            finally:
                os.close(handle)
            gone = other.with_name(f"gone-{os.getpid()}-{other.name}")
            other.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


# -- the cache -----------------------------------------------------------------------------------
#
# Numba has no public way to choose the folder by the state of several sources, or to check the files: the classes
# below extend its own ones, and this module alone uses their private attributes.


@cache
def _name_helpers() -> None:
    """Tell LLVM where the functions are that count references; Numba does it when it compiles its own part of them."""
    for name, address in _nrt_python.c_helpers.items():
        add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


class _Locator:
    """The folder of a function's files: that of this state of the sources, below it one for each module."""

    def __init__(self, function: FunctionType) -> None:
        folder = cache_folder()
        assert folder is not None
        self._py_file = function.__code__.co_filename  # Numba names it in a warning
        self._line = function.__code__.co_firstlineno
        self._path = folder / function.__module__

    def get_cache_path(self) -> str:
        return str(self._path)

    def get_source_stamp(self) -> str:
        return kernel_hash()

    def get_disambiguator(self) -> str:
        return str(self._line)

    def ensure_cache_path(self) -> None:
        self._path.mkdir(parents=True, exist_ok=True)


class _Impl(CompileResultCacheImpl):  # type: ignore[misc]
    def __init__(self, function: FunctionType) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Locator(function)
        self._filename_base = self.get_filename_base(function.__qualname__, getattr(sys, "abiflags", ""))


class _Files(IndexDataCacheFile):  # type: ignore[misc]
    """Index and compiled code of a function, each after the SHA-256 of its content."""

    def _load_index(self) -> Any:
        try:
            stamp, overloads = pickle.loads(self._read(self._index_path))
        except OSError:
            return {}
        return overloads if stamp == self._source_stamp else {}

    def _save_index(self, overloads: Any) -> None:
        self._write(self._index_path, dumps((self._source_stamp, overloads)))

    def _load_data(self, name: str) -> Any:
        return pickle.loads(self._read(self._data_path(name)))

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), dumps(data))

    def _read(self, path: str) -> bytes:
        content = Path(path).read_bytes()
        digest, data = content[:32], content[32:]
        if hashlib.sha256(data).digest() != digest:
            raise OSError(f"{path} is damaged")  # as if it were not there: it is compiled and written again
        return data

    def _write(self, path: str, data: bytes) -> None:
        with self._open_for_write(path) as file:
            file.write(hashlib.sha256(data).digest() + data)


class _Cache(FunctionCache):  # type: ignore[misc]
    _impl_class = _Impl

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._of_this_package = function.__code__.co_filename in _sources()
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, kernel_hash())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load a kernel without Numba's declarations for the compiler, which take longer than all kernels to load."""
        if not self._of_this_package:
            return super().load_overload(sig, target_context)
        _name_helpers()
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        # A full disk costs the next process a compilation, and this one nothing.
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)


def njit(*signature: Any, cache: bool = False, borrows: bool = False, **options: Any) -> Callable[[_F], _F]:
    """Compile as `numba.njit` does; with `cache` the code is kept on disk for this state of the sources.

    Nothing is kept once a source has changed after this process read it: what is compiled then may be of both states.

    `borrows` is for a function that makes and returns no array, and calls none that returns one: all arrays belong to
    its caller, so it counts no references. Numba otherwise counts each array that one function gets from another, up
    and down, by atomic operations: about 13 ns per array and call, often more than the function itself takes.
    """
    options["_nrt"] = not borrows  # stated in both cases: left out, a function inherits that of its first caller

    def compiled(function: _F) -> _F:
        dispatcher: Any = numba.njit(**options)(function)
        if dispatcher is function:  # NUMBA_DISABLE_JIT
            return function
        if cache and cache_folder() is not None and _unchanged(function.__module__, function.__code__.co_filename):
            dispatcher._cache = _Cache(function)
        for stated in signature:
            dispatcher.compile(stated)
        if signature:
            dispatcher.disable_compile()
        return cast(_F, dispatcher)

    return compiled


def _unchanged(module: str, path: str) -> bool:
    """Whether no source had changed when the first kernel of a module was made, and the module's file has not since."""
    try:
        own = path not in _sources() or _state(path) == _sources()[path][1]
    except OSError:
        return False
    return own and _none_had_changed(module)


@cache
def _none_had_changed(module: str) -> bool:
    """Whether every source is as it was read; asked once a module, when it and all that it imports are executed."""
    try:
        return all(_state(path) == state for path, (_, state) in _sources().items())
    except OSError:
        return False
