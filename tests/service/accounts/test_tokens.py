"""Tokens: rotated keys verify old tokens, refresh tokens work once, tickets open one stream of one job."""

from __future__ import annotations

import pytest

from maestro.errors import AccessError
from maestro.service.accounts import Tokens, Users, tokens
from maestro.service.jobs import Database

KEYS = {"old": "o" * 64}


@pytest.fixture
def made(database: Database) -> Tokens:
    """Tokens for a user anna."""
    Users(database).add("anna", "viewer", "correct horse battery")
    return Tokens(database, KEYS)


def test_a_rotated_key_still_verifies(made: Tokens, database: Database) -> None:
    token = made.sign("anna", "access", 60)
    rotated = Tokens(database, {"new": "n" * 64, **KEYS})
    assert rotated.check(token, "access") is not None
    assert Tokens(database, {"new": "n" * 64}).check(token, "access") is None
    assert made.check(rotated.sign("anna", "access", 60), "access") is None, "the first key signs"


def test_a_token_is_valid_for_its_use_and_until_it_is_revoked(made: Tokens) -> None:
    token, other = made.sign("anna", "access", 60), made.sign("anna", "access", 60)
    claims = made.check(token, "access")
    assert claims is not None
    assert claims.user == "anna"
    assert made.check(token, "session") is None
    assert made.check(made.sign("anna", "access", -1), "access") is None
    made.revoke(claims)
    made.revoke(claims)
    assert made.check(token, "access") is None
    assert made.check(other, "access") is not None


def test_a_refresh_token_that_is_used_twice_ends_its_family_and_no_other(made: Tokens) -> None:
    first, elsewhere = made.begin("anna"), made.begin("anna")
    user, second = made.renew(first)
    assert user == "anna"
    with pytest.raises(AccessError, match="log in again"):
        made.renew(first)
    with pytest.raises(AccessError, match="log in again"):
        made.renew(second)
    assert made.renew(elsewhere)[0] == "anna"


def test_refresh_tokens_expire_and_are_forgotten(made: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = made.begin("anna")
    made.forget("anna")
    with pytest.raises(AccessError, match="not valid"):
        made.renew(ended)
    with pytest.raises(AccessError, match="not valid"):
        made.renew("no token at all")
    monkeypatch.setattr(tokens, "REFRESH", -1.0)
    expired = made.begin("anna")
    with pytest.raises(AccessError, match="not valid") as refused:
        made.renew(expired)
    assert refused.value.status == 401  # type: ignore[attr-defined]


def test_a_ticket_works_once_for_its_job_and_for_30_seconds(made: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(tokens.time, "monotonic", lambda: now[0])
    ticket = made.make_ticket("anna", "job1")
    assert made.take_ticket(ticket, "job1") == "anna"
    assert made.take_ticket(ticket, "job1") is None
    wrong = made.make_ticket("anna", "job1")
    assert made.take_ticket(wrong, "job2") is None
    assert made.take_ticket(wrong, "job1") is None, "a wrong use ends it too"
    late = made.make_ticket("anna", "job1")
    now[0] += tokens.TICKET
    assert made.take_ticket(late, "job1") is None
    assert made.take_ticket("unknown", "") is None
