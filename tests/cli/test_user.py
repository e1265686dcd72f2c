"""``maestro user``: API keys are made, listed and revoked one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.cli import main
from maestro.service.accounts import Users
from maestro.service.jobs import Database


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["user", *words])
    return int(ended.value.code or 0)


def test_one_key_is_revoked_and_the_others_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ("--folder", str(tmp_path))
    users = Users(Database(tmp_path))
    users.add("anna", "researcher", "correct horse battery")
    users.add("ben", "researcher", "correct horse battery")
    made = []
    for label in ("laptop", "server"):
        assert run("key", "anna", "--label", label, *folder) == 0
        made.append(capsys.readouterr().out.strip())
    assert run("keys", "anna", *folder) == 0
    listed = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(line[0], line[1]) for line in listed] == [
        (key.split("_")[1], label) for key, label in zip(made, ("laptop", "server"), strict=True)
    ]
    ident = listed[0][0]
    assert run("revoke", "ben", ident, *folder) == 2  # the key of somebody else
    assert f"ben has no API key '{ident}'; there are: none." in " ".join(capsys.readouterr().err.split())
    assert run("revoke", "anna", ident, *folder) == 0
    assert users.of_key(made[0]) is None
    assert users.of_key(made[1]) is not None
    assert run("revoke", "anna", made[0], *folder) == 2  # the whole key is accepted, and never printed
    assert made[0] not in capsys.readouterr().err
