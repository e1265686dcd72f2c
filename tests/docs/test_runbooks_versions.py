"""Installing, upgrading and rolling back, rehearsed with real environments and an earlier version: nothing is lost."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import site
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from maestro.data.stores.parquet import ParquetStore
from maestro.operations.stack import down
from maestro.operations.stack.state import read
from maestro.runs import list_runs
from maestro.service.accounts import Users
from maestro.service.jobs import Database
from tests.docs.test_runbooks import SMALL, rehearse
from tests.operations.backup.conftest import KEY, bars

ROOT = Path(__file__).parents[2]
EARLIER = "c6d1089"
"""Commit of the version that is upgraded from: before workers gave signs of life and backups left a record."""
MADE_BY_THE_EARLIER = """
from pathlib import Path
import maestro
from maestro.service.worker import Worker
from tests.operations.backup.conftest import KEY, System, bars

assert Path(maestro.__file__).is_relative_to({tree!r})
system = System(Path.cwd())
system.store.append(KEY, bars(500))
system.submit("anna")
Worker(system.database, Path.cwd() / "service" / "runs").run(until_empty=True)
system.submit("ben", trials=9)
"""
SETTINGS = "store: store\nledger_dir: ledger\nservice:\n  folder: service\nbackup:\n  folder: backups\n"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the scripts are for bash")


def environment(folder: Path, tree: Path) -> Path:
    """A folder with the command of the version in a tree; the other packages are those of the tests."""
    folder.mkdir()
    command = folder / "maestro"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={tree} exec {sys.executable} -m maestro "$@"\n')
    command.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the earlier version."""
    tree = tmp_path_factory.mktemp("earlier")
    archive = tree / "tree.tar"
    done = subprocess.run(
        ["git", "archive", "-o", str(archive), EARLIER, "maestro", "tests", "notebooks", "templates"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"the history does not reach back to {EARLIER}: git fetch --unshallow")
    with tarfile.open(archive) as packed:
        packed.extractall(tree, filter="data")
    return tree


def content(output: str) -> list[str]:
    """The lines of a script that say what it found before and after."""
    return re.findall(r"^(?:before|after): +(.*)$", output, re.M)


def test_upgrade_and_rollback_lose_nothing(earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAESTRO_LEDGER_DIR", raising=False)
    folder = tmp_path / "system"
    folder.mkdir()
    (folder / "maestro.yaml").write_text(SETTINGS)
    old, new = environment(tmp_path / "old", earlier), environment(tmp_path / "new", ROOT)
    subprocess.run(
        [sys.executable, "-c", MADE_BY_THE_EARLIER.format(tree=str(earlier))], cwd=folder, check=True,
        env={**os.environ, "PYTHONPATH": str(earlier)},
    )  # fmt: skip
    [run] = list_runs(folder / "service" / "runs")["id"]
    try:
        done = rehearse("upgrade", folder, front=(str(old),), NEW=new, UP=SMALL)
        assert done.returncode == 0, done.stdout + done.stderr
        before, after = content(done.stdout)
        assert before == after == "2 jobs 1 runs 1 series 500 rows 2 ledgers"
        down(folder / "stack")
        ParquetStore(folder / "store").append(KEY, bars(100, first=500))  # what the new version adds
        subprocess.run([new / "maestro", "worker", "--until-empty"], cwd=folder, check=True, capture_output=True)
        done = rehearse("rollback", folder, front=(str(new),), OLD=old, UP=SMALL, RUN=run)
        assert done.returncode == 0, done.stdout + done.stderr
        before, after = content(done.stdout)
        assert before == after
        assert after.startswith("2 jobs 2 runs 1 series 600 rows ")  # the new version may keep more ledgers
        assert [part.healthy for part in read(folder / "stack")] == [True, True]
    finally:
        down(folder / "stack")
    assert len(list_runs(folder / "service" / "runs")) == 2


def wheel(folder: Path) -> Path:
    """A wheel of this tree, made without a network from the metadata of its installation."""
    found = distribution("maestro-research")
    info = f"maestro_research-{found.version}.dist-info"
    tag = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in sorted((ROOT / "maestro").rglob("*"))
             if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
    files |= {f"{info}/{name}": (found.read_text(name) or "").encode() for name in ("METADATA", "entry_points.txt")}
    files[f"{info}/WHEEL"] = tag.encode()

    def line(name: str, data: bytes) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        return f"{name},sha256={digest},{len(data)}\n"

    record = "".join(line(name, data) for name, data in files.items()) + f"{info}/RECORD,,\n"
    path = folder / f"maestro_research-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in [*files.items(), (f"{info}/RECORD", record.encode())]:
            packed.writestr(name, data)
    return path


def test_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAESTRO_LEDGER_DIR", raising=False)
    password = tmp_path / "password"
    password.write_text("correct horse battery\n")
    place, target = tmp_path / "maestro", tmp_path / "environment"
    others = [path for path in site.getsitepackages() if Path(path).is_dir()]
    variables = {
        "TARGET": target, "PLACE": place, "PASSWORD_FILE": password, "UP": SMALL, "INSTALL": wheel(tmp_path),
        "PIP_NO_DEPS": "1", "PYTHONPATH": os.pathsep.join(others),
    }  # fmt: skip
    try:
        done = rehearse("install", tmp_path, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [part.healthy for part in read(place / "stack")] == [True, True]
    finally:
        down(place / "stack")
    assert list(target.glob("lib/python*/site-packages/maestro/version.py"))
    assert Users(Database(place / "service")).names() == [("admin", "admin")]
    assert len(list((place / "backups").glob("maestro-*.tar.*"))) == 1
    again = rehearse("install", tmp_path, **variables)
    assert again.returncode != 0  # settings that are there already are never replaced
