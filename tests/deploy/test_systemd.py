"""The systemd units are valid, a planted fault is found, and each of their commands is one that Maestro has."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import parse
from tests.support.programs import program

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
MAESTRO = "/opt/maestro/bin/maestro"


def verify(folder: Path) -> str:
    """Let systemd read the units; returns what it says, which is nothing if all are valid."""
    paths = [str(path) for path in sorted(folder.glob("maestro*"))]
    done = subprocess.run([program("systemd-analyze"), "verify", "--man=no", *paths], capture_output=True, text=True)
    return done.stderr


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with the Python of the tests in place of the installed program."""
    for path in UNITS.glob("maestro*"):
        (tmp_path / path.name).write_text(path.read_text().replace(MAESTRO, f"{sys.executable} -m maestro"))
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="systemd")
def test_the_units_are_valid(units: Path) -> None:
    assert verify(units) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="systemd")
@pytest.mark.parametrize(
    ("name", "found", "planted"),
    [
        ("maestro-api.service", "Restart=on-failure", "Restart=sometimes"),
        ("maestro-backup.timer", "OnCalendar=*-*-* 02:30:00 UTC", "OnCalendar=each night"),
        ("maestro-fetch.service", "ExecStart=", "ExecStart=/nowhere/"),
    ],
)
def test_a_planted_fault_is_found(units: Path, name: str, found: str, planted: str) -> None:
    path = units / name
    assert found in path.read_text()
    path.write_text(path.read_text().replace(found, planted))
    assert verify(units)


def commands() -> dict[str, list[str]]:
    """Words of the command of each unit, without the program."""
    found = {}
    for path in sorted(UNITS.glob("*.service")):
        [line] = re.findall(rf"^ExecStart={MAESTRO} (.*)$", path.read_text(), re.M)
        found[path.name] = shlex.split(line)
    return found


def test_every_command_of_a_unit_exists() -> None:
    assert len(commands()) == 6
    for words in commands().values():
        parse(words)
    with pytest.raises(Exception, match=r"(?i)no such option"):
        parse(["serve", "--por", "8400"])
