"""What `maestro new` makes works at once, and overwrites nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from maestro.cli.new import copy, module_name, strategy_files
from maestro.errors import SettingsError
from maestro.reports.notebooks import running as notebooks


def run(*words: str, cwd: Path) -> Any:
    # The tests of a project of one's own are not held to this project's settings.
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, cwd=cwd)


def test_a_strategy_passes_its_own_test(tmp_path: Path) -> None:
    made = run("maestro", "new", "strategy", "VolumeSurge", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"volume_surge.py", "test_volume_surge.py"}
    tested = run("pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", cwd=tmp_path)
    assert tested.returncode == 0, tested.stdout
    assert "5 passed" in tested.stdout
    before = (tmp_path / "volume_surge.py").read_text()
    again = run("maestro", "new", "strategy", "VolumeSurge", cwd=tmp_path)
    assert again.returncode == 2
    assert "is there already; nothing was written" in again.stderr
    assert (tmp_path / "volume_surge.py").read_text() == before


def test_a_project_passes_its_own_tests_and_makes_its_reports(tmp_path: Path) -> None:
    made = run("maestro", "new", "project", "surge", "--strategy", "Surge", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    project = tmp_path / "surge"
    assert {path.name for path in project.iterdir()} == {
        ".gitignore", "README.md", "reports.yaml", "requirements.txt", "research.ipynb", "surge.py", "test_research.py",
        "test_surge.py",
    }  # fmt: skip
    assert not [
        path for path in project.iterdir() if "my_strategy" in path.read_text() or "MyStrategy" in path.read_text()
    ]
    tested = run("pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={project}", cwd=project)
    assert tested.returncode == 0, tested.stdout
    assert "6 passed" in tested.stdout
    (project / "reports.yaml").write_text("common: {trials: 5, sets: 50}\neach: {data: ['sample:IBM']}\n")
    reported = run("maestro", "report", "research.ipynb", "--batch", "reports.yaml", "--no-progress", cwd=project)
    assert reported.returncode == 0, reported.stderr
    assert (project / "reports" / "index.html").is_file()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("volume surge", "Perhaps VolumeSurge?"), ("volumeSurge", "Perhaps VolumeSurge?"), ("", "not a valid name"),
        ("../X", "not a valid name"),
        ("A/B", "not a valid name"), ("Été", "not a valid name"), ("X" * 61, "not a valid name"),
        ("1Up", "not a valid name"), ("A;rm", "not a valid name"),
        ("RSIStrategy", "comes with Maestro"), ("Random", "hides a module"), ("Class", "hides a module"),
        ("Maestro", "hides a module"), ("None", "not a valid name"),
    ],
)  # fmt: skip
def test_bad_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message.replace("?", r"\?")):
        module_name(name)


@pytest.mark.parametrize(
    ("name", "module"), [("Surge", "surge"), ("RSIFilter", "rsi_filter"), ("EmaCross2", "ema_cross2")]
)
def test_a_file_is_called_like_its_class(name: str, module: str) -> None:
    assert module_name(name) == module


def test_nothing_is_written_where_one_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "test_surge.py").write_text("mine")
    with pytest.raises(SettingsError, match="nothing was written"):
        copy("Surge", strategy_files("surge"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["test_surge.py"]
    assert (tmp_path / "test_surge.py").read_text() == "mine"


def test_a_call_that_was_killed_is_completed(tmp_path: Path) -> None:
    first, second = copy("Surge", strategy_files("surge"), tmp_path)
    whole = second.read_bytes()
    second.unlink()
    assert copy("Surge", strategy_files("surge"), tmp_path) == [first, second]
    assert second.read_bytes() == whole
    second.unlink()
    first.write_text("changed")
    with pytest.raises(SettingsError, match="nothing was written"):
        copy("Surge", strategy_files("surge"), tmp_path)
    assert not second.exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    with pytest.raises(SettingsError, match="is a file"):
        copy("Surge", strategy_files("surge"), tmp_path / "there")


def test_an_installed_package_has_its_notebooks_and_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's rule, read from where it stands, and the places in which an installation looks."""
    import tomllib

    root = Path(notebooks.__file__).parents[3]
    rule = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "force-include"
    ]
    with zipfile.ZipFile(tmp_path / "wheel.zip", "w") as wheel:
        for source, target in rule.items():
            for path in (root / source).rglob("*"):
                wheel.write(path, Path(target) / path.relative_to(root / source))
    zipfile.ZipFile(tmp_path / "wheel.zip").extractall(tmp_path)
    monkeypatch.setattr(notebooks, "PACKAGE", tmp_path / "maestro")
    found = notebooks.find_notebook("walk-forward")
    assert found is not None
    assert found.is_relative_to(tmp_path)
    assert (notebooks.shipped("templates") / "strategy" / "my_strategy.py").is_file()
    assert os.sep not in found.name
