"""``maestro new``: a strategy with its test, or a folder to do research in, copied from templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro.cli.groups import group

app = group("Create a strategy or a project from a template with a passing test.")

_CLASS, _MODULE = "MyStrategy", "my_strategy"
_PROJECT = ("README.md", "research.ipynb", "reports.yaml", "test_research.py", "requirements.txt", "gitignore")


@app.command()
def strategy(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the class: VolumeSurge.")],
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Folder for the files.")] = Path("."),
) -> None:
    """Write a strategy and its test; nothing is overwritten."""
    module = module_name(name)
    files = copy(name, strategy_files(module), folder)
    for file in files:
        typer.echo(str(file))
    beside = "" if folder == Path(".") else f" {folder / f'test_{module}.py'}"
    typer.echo(f"Its test: python -m pytest{beside or f' test_{module}.py'}")
    typer.echo(f"A walk-forward: maestro walk-forward {files[0]}:{name} --data sample:AAPL --report report.html")


@app.command()
def project(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or one without files of these names.")],
    name: Annotated[str, typer.Option("--strategy", metavar="NAME", help="Name of its strategy's class.")] = _CLASS,
) -> None:
    """Create a research folder: a strategy, a notebook, a batch of reports, and their tests."""
    wanted = {file: (("project", file), ".gitignore" if file == "gitignore" else file) for file in _PROJECT}
    for file in copy(name, [*strategy_files(module_name(name)), *wanted.values()], folder):
        typer.echo(str(file))
    typer.echo(f"Its tests: cd {folder} && python -m pytest")


def module_name(name: str) -> str:
    """Name of the file for a class: ``VolumeSurge`` is ``volume_surge``.

    Raises
    ------
    SettingsError
        The name is none of a class, or of a strategy that is there already.
    """
    import keyword
    import re
    import sys

    from maestro.errors import SettingsError
    from maestro.strategies import strategies

    if not re.fullmatch(r"[A-Z][A-Za-z0-9]{1,59}", name) or keyword.iskeyword(name):
        words = "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", name))
        hint = f" Perhaps {words}?" if len(words) > 1 and words != name else ""
        raise SettingsError(
            f"{name!r} is not a valid name for a strategy's class; give letters and digits with a capital first, like "
            f"VolumeSurge.{hint}"
        )
    if name in strategies():
        raise SettingsError(f"a strategy {name} comes with Maestro; choose another name.")
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module in ("maestro", "numpy", "polars"):
        raise SettingsError(f"{name} would be in {module}.py, which hides a module of Python; choose another name.")
    return module


def strategy_files(module: str) -> list[tuple[tuple[str, str], str]]:
    """Templates of a strategy and its test, with the names of their copies."""
    names = ((f"{_MODULE}.py", f"{module}.py"), (f"test_{_MODULE}.py", f"test_{module}.py"))
    return [(("strategy", template), target) for template, target in names]


def copy(name: str, files: list[tuple[tuple[str, str], str]], folder: Path) -> list[Path]:
    """Copy templates, the names in them replaced, and return the paths; all of them, or none.

    A call that was killed is completed by the same call: files that it wrote are not refused.

    Raises
    ------
    SettingsError
        One of the files is there already, or the folder is a file.
    RunError
        The folder cannot be written to.
    """
    from maestro._core.atomic import remove_leftovers
    from maestro.errors import RunError, SettingsError
    from maestro.reports.notebooks.running import shipped

    module = module_name(name) if name != _CLASS else _MODULE
    templates = shipped("templates")
    targets = [folder / target for _, target in files]
    texts = [
        (templates / kind / template).read_text("utf-8").replace(_CLASS, name).replace(_MODULE, module)
        for (kind, template), _ in files
    ]
    missing = {target: text for target, text in zip(targets, texts, strict=True) if not _holds(target, text)}
    there = [str(target) for target in targets if target.exists() or target.is_symlink()]
    if there and (not missing or any(str(target) in there for target in missing)):
        raise SettingsError(f"{', '.join(there)} is there already; nothing was written. Choose another name or folder.")
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is a file; give a folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        for target, text in missing.items():
            _create(target, text)
    except OSError as error:
        raise RunError(
            f"cannot write to {folder}: {error.strerror}; choose a folder that can be written to."
        ) from error
    return targets


def _holds(path: Path, text: str) -> bool:
    """Whether a file has exactly this content."""
    return path.is_file() and not path.is_symlink() and path.read_bytes() == text.encode()


def _create(path: Path, text: str) -> None:
    """Write a new file, whole or not at all, and never over another one."""
    import os

    from maestro._core.atomic import temporary_path

    temporary = temporary_path(path)
    try:
        temporary.write_bytes(text.encode())
        if os.name == "posix":
            os.link(temporary, path)  # fails if the name is taken, unlike a rename
        else:
            os.rename(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
