"""Users of a JupyterHub log in by their token: who gets in, with which role, and the error if the hub is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro.errors import SettingsError
from maestro.service.accounts import hub as hubs
from maestro.service.web.server import serve
from maestro.service.web.state import Service
from tests.service.conftest import SMALL
from tests.service.web.conftest import PASSWORD, listening
from tests.support.loopback import Quiet, serving

JOBS, ME = "/api/v2/optimizations", "/api/v2/auth/me"
ANNA, ADA, NARROW, SERVICE, ODD, WRONG = (letter * 32 for letter in "abcdef")
OURS = "access:services!service=maestro"


class FakeHub:
    """Answers ``GET /hub/api/user`` as JupyterHub 5 does."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {
            ANNA: {"name": "anna", "kind": "user", "admin": True, "scopes": ["self", OURS]},
            ADA: {"name": "ada", "kind": "user", "admin": False, "scopes": ["access:services"]},
            NARROW: {"name": "ben", "kind": "user", "scopes": ["access:services!service=other", "self"]},
            SERVICE: {"name": "cull-idle", "kind": "service", "scopes": [OURS]},
            ODD: {"name": "../anna", "kind": "user", "scopes": [OURS]},
        }
        self.asked: list[str] = []
        self.broken = False
        self.url = ""

    def answer(self, path: str, token: str) -> tuple[int, bytes]:
        self.asked.append(token)
        if self.broken:
            return 500, b"not JSON"
        user = self.users.get(token)
        return (403, b"{}") if user is None or path != "/hub/api/user" else (200, json.dumps(user).encode())


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    state = FakeHub()

    class Handler(Quiet):
        def do_GET(self) -> None:
            status, body = state.answer(self.path, self.headers["Authorization"].removeprefix("token "))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as address:
        state.url = f"{address}/hub/api"
        monkeypatch.setenv("MAESTRO_SERVICE_HUB", state.url)
        yield state


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_users_of_the_hub_submit_and_see_their_own_jobs(hub: FakeHub, tmp_path: Path) -> None:
    with listening(tmp_path / "service") as site, site.http() as http:
        assert http.get(ME, headers=bearer(ANNA)).json() == {"name": "anna", "role": "researcher", "by": "hub"}
        job = http.post(JOBS, json=SMALL, headers=bearer(ANNA)).json()
        assert job["owner"] == "anna"
        assert http.get(f"{JOBS}/{job['id']}", headers={"Authorization": f"token {ANNA}"}).status_code == 200
        assert http.get(f"{JOBS}/{job['id']}", headers=bearer(ADA)).status_code == 404
        assert hub.asked == [ANNA, ADA], "an answer of the hub is used again"
        site.service.users.add("ada", "admin", PASSWORD)
        assert http.get(ME, headers=bearer(ADA)).json()["role"] == "admin"


def test_others_do_not_get_in(hub: FakeHub, tmp_path: Path) -> None:
    with listening(tmp_path / "service") as site, site.http() as http:
        assert http.get(ME).status_code == 401, "with a hub nobody is let in without a login"
        for token in (NARROW, SERVICE, ODD, WRONG):
            assert http.get(ME, headers=bearer(token)).status_code == 401
        before = len(hub.asked)
        for text in ("mk_12345678_" + "x" * 43, "a.b.c", "x" * 300, "short", "x y" * 20):
            assert http.get(ME, headers=bearer(text)).status_code == 401
        assert len(hub.asked) == before, "only what may be a token of the hub is sent there"


def test_a_revoked_token_ends_and_an_unreachable_hub_is_reported(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(tmp_path / "service") as site, site.http() as http:
        assert http.get(ME, headers=bearer(ANNA)).status_code == 200
        del hub.users[ANNA]
        assert http.get(ME, headers=bearer(ANNA)).status_code == 200
        monkeypatch.setattr(hubs.time, "monotonic", lambda now=hubs.time.monotonic: now() + 61.0)
        assert http.get(ME, headers=bearer(ANNA)).status_code == 401
        hub.broken = True
        answer = http.get(ME, headers=bearer(ADA))
        assert answer.status_code == 503
        assert "JupyterHub" in answer.json()["detail"]
        assert ADA not in answer.text
        assert http.get("/healthz").status_code == 200


def test_with_a_hub_other_machines_may_be_listened_to(hub: FakeHub, tmp_path: Path) -> None:
    assert Service(tmp_path / "one").has_logins
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MAESTRO_SERVICE_HUB")
        assert not Service(tmp_path / "two").has_logins
        with pytest.raises(SettingsError, match="no users yet"):
            serve(tmp_path / "two", address="0.0.0.0")
    assert httpx.get(f"{hub.url}/user", headers={"Authorization": f"token {WRONG}"}).status_code == 403
