"""``maestro user``: users are added, listed and removed; API keys are made, listed and revoked one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

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


def test_users_are_added_listed_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ("--folder", str(tmp_path))
    assert run("list", *folder) == 0
    assert capsys.readouterr() == ("", "there are no users; add one: maestro user add NAME --role admin\n")
    (tmp_path / "password").write_text("correct horse battery\n")
    assert run("add", "anna", "--role", "admin", "--password-file", str(tmp_path / "password"), *folder) == 0
    assert "anna now has the role admin" in capsys.readouterr().out
    assert run("list", *folder) == 0
    assert capsys.readouterr().out == "anna\tadmin\n"
    assert run("remove", "ana", *folder) == 2
    assert "there is no user 'ana'; there are: anna. Did you mean 'anna'?" in capsys.readouterr().err
    assert run("remove", "anna", *folder) == 0
    assert Users(Database(tmp_path)).names() == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ben", "--role", "king"), "role='king' is unknown; allowed: viewer, researcher, admin"),
        (("b n",), "'b n' is not a user name"),
        (("anna",), "there is a user anna already"),
    ],
)
def test_no_password_is_asked_for_in_vain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...],
    message: str,
) -> None:  # fmt: skip
    Users(Database(tmp_path)).add("anna", "researcher", "correct horse battery")
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: pytest.fail("a password is asked for"))
    assert run("add", *words, "--folder", str(tmp_path)) == 2
    assert message in capsys.readouterr().err
