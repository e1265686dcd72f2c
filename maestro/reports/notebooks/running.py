"""Notebooks run with other parameters: found by name, asked for their parameters, run headlessly by papermill."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro._core.quiet import ignored
from maestro._core.temporary import temporary_folder
from maestro.errors import MissingExtraError, ParameterError, RunError, SettingsError, nearest
from maestro.reports.output import MARK, refuse_foreign, write_bytes
from maestro.version import __version__

if TYPE_CHECKING:
    from nbformat import NotebookNode

PACKAGE = Path(__file__).parents[2]
_KINDS = {"str": str, "int": int, "float": (int, float), "bool": bool, "dict": dict, "list": list}


@dataclass(frozen=True)
class NotebookParameter:
    """A parameter that a notebook declares in its cell tagged ``parameters``."""

    name: str
    kind: str
    """Annotation, ``str | None``, or the type of the default."""
    default: Any
    doc: str


@dataclass(frozen=True)
class Execution:
    """A notebook that was run, to its end or to the cell that failed."""

    notebook: NotebookNode
    parameters: dict[str, Any]
    """Those that were given."""
    seconds: float
    error: str | None = None


def shipped(kind: str = "notebooks") -> Path:
    """Folder of what comes with Maestro: beside the package in a checkout, inside it in an installation."""
    for folder in (PACKAGE / kind, PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise RunError(f"the {kind} that come with Maestro are missing from this installation; install it again.")


def built_in() -> dict[str, Path]:
    """Notebooks that come with Maestro, by their names without number: ``walk_forward_report``."""
    return {path.stem.split("_", 1)[1]: path for path in sorted(shipped().glob("[0-9][0-9]_*.ipynb"))}


def find_notebook(name: str) -> Path | None:
    """Path of a notebook: a file, or one that comes with Maestro (``04_walk_forward_report``, ``walk-forward``).

    None where nothing is called so and the name does not end in ``.ipynb``.

    Raises
    ------
    SettingsError
        A name ending in ``.ipynb`` of which there is none.
    """
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path
    wanted = path.name.removesuffix(".ipynb").lower().replace("-", "_") if path.parent == Path(".") else None
    for short, known in built_in().items():
        if wanted in (known.stem, short, short.removesuffix("_report")):
            return known
    if path.suffix == ".ipynb":
        stems = [known.stem for known in built_in().values()]
        raise SettingsError(
            f"there is no notebook {name}; give a file, or one of {', '.join(stems)}.{nearest(path.stem, stems)}"
        )
    return None


def read_notebook(path: Path) -> NotebookNode:
    """Notebook of a file.

    Raises
    ------
    RunError
        It cannot be read, or is none.
    """
    nbformat = _import("nbformat")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"cannot read {path}: {error}; give a notebook file.") from error
    try:
        notebook: NotebookNode = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # whatever the reader makes of a broken file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunError(f"{path} is not a notebook ({reason}); give one that Jupyter has saved.") from error
    return notebook


def notebook_parameters(path: Path) -> dict[str, NotebookParameter]:
    """Parameters that a notebook declares in its cell tagged ``parameters``, by name.

    Raises
    ------
    RunError
        The file is not a notebook.
    SettingsError
        It has no such cell, or more than one.
    """
    notebook = read_notebook(path)
    cells = [c for c in notebook.cells if c.cell_type == "code" and "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        raise SettingsError(
            f"{path.name} has {len(cells) or 'no'} cells tagged 'parameters'; tag the one that sets them "
            "(JupyterLab: the gears at the right, Cell tags)."
        )
    try:
        found = _import("papermill").inspect_notebook(str(path))
    except ValueError as error:
        raise SettingsError(f"{path.name} does not say its language ({error}); save it in Jupyter once.") from error
    found = {name: _parameter(name, p["inferred_type_name"], p["default"], p["help"]) for name, p in found.items()}
    assigned = [node for node in ast.parse(cells[0].source).body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    lost = [name for name in map(_target, assigned) if name not in found]
    if lost:
        raise SettingsError(
            f"{path.name}: papermill cannot read the declaration of {', '.join(lost)}; write name: str = 'value', or "
            'name: "Optional[str]" = None, a line each.'
        )
    return found


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def _parameter(name: str, kind: str, default: str, doc: str) -> NotebookParameter:
    try:
        value: Any = ast.literal_eval(default)
    except (ValueError, SyntaxError):  # an expression: the kernel knows its value, nobody else
        return NotebookParameter(name, "Any" if kind == "None" else kind, default, doc)
    if kind == "None":
        kind = "Any" if value is None else type(value).__name__
    kind = re.sub(r"^Optional\[(.*)\]$", r"\1 | None", kind)
    return NotebookParameter(name, kind, value, doc)


def checked_parameters(declared: Mapping[str, NotebookParameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that a notebook has, each of its declared kind; text where another kind is declared is read as YAML.

    Raises
    ------
    ParameterError
        One that the notebook does not have, or a value of another kind.
    """
    values = {}
    for name, value in given.items():
        if name not in declared:
            raise ParameterError(
                f"the notebook has no parameter {name!r}; it has: {', '.join(declared) or 'none'}."
                f"{nearest(str(name), declared)}"
            )
        values[name] = _typed(declared[name], value)
    return values


def _typed(parameter: NotebookParameter, value: Any) -> Any:
    kinds = [kind.strip().split("[")[0] for kind in parameter.kind.split("|")]
    if isinstance(value, str):
        if value.lower() in ("", "null", "none") and ("None" in kinds or "Any" in kinds):
            return None
        if "str" in kinds:
            return value
        value = read_yaml(value, f"-p {parameter.name}")
    if "str" in kinds and isinstance(value, (int, float)) and not isinstance(value, bool) and len(kinds) <= 2:
        value = str(value) if not set(kinds) & {"int", "float"} else value  # start: 2020 in a YAML file is a year
    allowed = [_KINDS[kind] for kind in kinds if kind in _KINDS]
    known = len(allowed) + kinds.count("None") == len(kinds)
    if not known or (value is None and "None" in kinds):
        return value
    if not isinstance(value, tuple(allowed)) or (isinstance(value, bool) and "bool" not in kinds):  # type: ignore[arg-type]
        raise ParameterError(
            f"{parameter.name}={value!r} is of another kind than {parameter.kind}; its default is "
            f"{parameter.default!r}."
        )
    return value


def read_yaml(text: str, where: str) -> Any:
    """Value of YAML in which dates stay text, as `ms.load` wants them.

    Raises
    ------
    ParameterError
        The text is not YAML.
    """
    import yaml

    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.yaml_implicit_resolvers = {
        key: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
        for key, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        return yaml.load(text, loader)  # a safe loader: it makes plain values only
    except yaml.YAMLError as error:
        raise ParameterError(f"{where}: {' '.join(str(error).split())}; write YAML.") from error
    except RecursionError:
        raise ParameterError(f"{where}: lists or mappings are nested too deeply; write plain settings.") from None


def run_notebook(
    path: Path, parameters: Mapping[str, Any] | None = None, *, timeout: float | None = None, progress: bool = False
) -> Execution:
    """Run a notebook from its beginning in a kernel of its own, in the current folder.

    The notebook's own folder is importable in it, so that modules beside it are found.

    Parameters
    ----------
    path : Path
    parameters : mapping, optional
        In place of the declared ones; checked.
    timeout : float, optional
        Longest time a cell may take [s].
    progress : bool
        Whether to show a bar of cells on stderr.

    Returns
    -------
    Execution
        With `error` where a cell failed: its outputs up to there are kept.

    Raises
    ------
    ParameterError, SettingsError, RunError, MissingExtraError
        Before anything is run.
    """
    given = checked_parameters(notebook_parameters(path), parameters or {})
    papermill = _import("papermill")
    nbformat = _import("nbformat")
    began = time.perf_counter()
    error = None
    with temporary_folder("notebook") as folder, _environment(path), _quiet(), _not_waiting():
        out = folder / "run.ipynb"
        try:
            papermill.execute_notebook(
                str(path), str(out), parameters=given, kernel_name="python3", progress_bar=progress,
                execution_timeout=timeout, autosave_cell_every=0, extra_arguments=["--IPKernelApp.log_level=50"],
            )  # fmt: skip
        except papermill.PapermillExecutionError as failure:
            error = f"{failure.ename}: {failure.evalue}"
        except Exception as failure:  # a kernel that died or did not start, a cell that took too long
            error = f"{type(failure).__name__}: {failure}"
        notebook = nbformat.read(out, as_version=4) if out.is_file() else read_notebook(path)
    return Execution(notebook, given, time.perf_counter() - began, error)


@contextlib.contextmanager
def _environment(path: Path) -> Iterator[None]:
    """What the kernel inherits: the folder of the notebook among the places of modules."""
    changed = {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(path.parent.resolve()), os.environ.get("PYTHONPATH")))),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # a debugger that nobody attaches need not warn
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what libraries write on their way off the shell; errors come as exceptions."""
    import logging

    with ignored():
        logger = logging.getLogger("papermill")
        before = logger.level
        logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(before)


@contextlib.contextmanager
def _not_waiting() -> Iterator[None]:
    """Keep nbclient from telling the kernel what its Output widgets captured.

    It sends that on the socket on which it waits for the end of the cell, by a way around the event loop, which can
    then miss the message that the cell has ended, and wait for ever. Nothing in the kernel needs it.
    """
    widget = _import("nbclient.output_widget").OutputWidget
    before = widget.sync_state
    widget.sync_state = lambda self: None
    try:
        yield
    finally:
        widget.sync_state = before


def write_executed(execution: Execution, path: Path) -> Path:
    """Write the executed notebook, in place of an earlier executed one only.

    Raises
    ------
    RunError
        Another file exists there, or it cannot be written.
    """
    refuse_foreign_notebook(path)
    return write_bytes(path, executed_bytes(execution))


def refuse_foreign_notebook(path: Path) -> None:
    """Refuse to replace a file that is not a notebook which Maestro executed; errors as of `refuse_foreign`."""

    def ours(head: bytes) -> bool:
        try:
            return MARK in json.loads(path.read_bytes())["metadata"]
        except (OSError, ValueError, KeyError, TypeError):
            return False

    refuse_foreign(path, ours, "a notebook that Maestro executed")


def executed_bytes(execution: Execution) -> bytes:
    """Executed notebook as the bytes of its file, without the paths of the place where it was run."""
    nbformat = _import("nbformat")
    notebook = nbformat.from_dict(execution.notebook)
    for name in ("input_path", "output_path"):
        notebook.metadata.get("papermill", {}).pop(name, None)
    notebook.metadata[MARK] = {"version": __version__}
    buffer = io.StringIO()
    nbformat.write(notebook, buffer)
    return buffer.getvalue().encode("utf-8")


def _import(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(name.split(".")[0], "jupyter") from error
