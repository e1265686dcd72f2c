"""Users: which are refused, what their roles may do, and who an API key belongs to."""

from __future__ import annotations

import pytest

from maestro.errors import AccessError, SettingsError
from maestro.service.accounts import Caller, Users
from maestro.service.jobs import Database

PASSWORD = "correct horse battery"


@pytest.fixture
def users(database: Database) -> Users:
    """A researcher anna."""
    made = Users(database)
    assert not made.exist()
    made.add("anna", "researcher", PASSWORD)
    return made


def test_users_are_checked(users: Users) -> None:
    key = users.make_key("anna")
    for name, role, password, words in (
        ("", "admin", PASSWORD, "user name"), ("a b", "admin", PASSWORD, "user name"),
        ("x" * 65, "admin", PASSWORD, "at most 64"), ("../x", "admin", PASSWORD, "user name"),
        ("new", "root", PASSWORD, "viewer, researcher, admin"), ("new", "admin", "short", "10 to 256"),
        ("new", "admin", "x" * 257, "10 to 256"), ("anna", "admin", PASSWORD, "already"),
    ):  # fmt: skip
        with pytest.raises(SettingsError, match=words):
            users.add(name, role, password)
    assert users.names() == [("anna", "researcher")]
    users.remove("anna")
    assert users.of_key(key) is None
    assert not users.exist()
    with pytest.raises(SettingsError, match="no user"):
        users.remove("anna")


def test_a_role_may_do_what_lower_roles_may() -> None:
    allowed = {
        role: [other for other in ("viewer", "researcher", "admin") if Caller("anna", role, "key").has_role(other)]
        for role in ("viewer", "researcher", "admin")
    }
    assert allowed == {
        "viewer": ["viewer"], "researcher": ["viewer", "researcher"], "admin": ["viewer", "researcher", "admin"],
    }  # fmt: skip
    assert Caller("anna", "researcher", "key").owner == "anna"
    assert Caller("ada", "admin", "key").owner is None


def test_a_key_belongs_to_its_user_until_it_is_revoked(users: Users) -> None:
    users.add("ben", "viewer", PASSWORD)
    key = users.make_key("anna", "notebook")
    assert users.of_key(key) == Caller("anna", "researcher", "key")
    [listed] = users.keys("anna")
    assert listed["label"] == "notebook"
    assert not users.revoke_key("ben", listed["id"]), "of another user"
    changed = key[:-1] + ("a" if key[-1] != "a" else "b")
    for wrong in (changed, f"{key} ", key.upper(), "", "mk_' OR 1=1_" + "x" * 43):
        assert users.of_key(wrong) is None, wrong
    assert users.revoke_key("anna", listed["id"])
    assert users.of_key(key) is None
    with pytest.raises(SettingsError, match="maestro user add"):
        users.make_key("nobody")


def test_a_login_needs_the_whole_password(users: Users) -> None:
    longest = "x" * 256
    users.add("ben", "viewer", longest)
    assert users.log_in("ben", longest, "1.2.3.4") == "viewer"
    for name, password in (("ben", longest + "x"), ("ben", longest[:-1]), ("anna", ""), ("nobody", PASSWORD)):
        with pytest.raises(AccessError, match="wrong name or password"):
            users.log_in(name, password, "1.2.3.4")
