"""Who gets in, and the attacks that do not."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from maestro.service.accounts import read_or_make_keys
from tests.service.conftest import SMALL
from tests.service.web.conftest import PASSWORD, Site

JOBS = "/api/v2/optimizations"
AUTH = "/api/v2/auth"


def log_in(site: Site, name: str, password: str = PASSWORD) -> Any:
    with site.http() as http:
        return http.post(f"{AUTH}/token", json={"username": name, "password": password})


def me(site: Site, token: str) -> int:
    with site.http() as http:
        return http.get(f"{AUTH}/me", headers={"Authorization": f"Bearer {token}"}).status_code


def test_roles(site: Site) -> None:
    with site.http("vic") as viewer, site.http("anna") as researcher, site.http("ada") as admin:
        assert viewer.post(JOBS, json=SMALL).status_code == 403
        assert viewer.get(JOBS).status_code == 200
        job = researcher.post(JOBS, json=SMALL).json()
        assert researcher.post(JOBS, json={**SMALL, "seed": 1, "priority": 5}).json()["field"] == "priority"
        assert admin.post(JOBS, json={**SMALL, "seed": 1, "priority": 5}).status_code == 202
        assert admin.get(f"{JOBS}/{job['id']}").status_code == 200
        assert {one["owner"] for one in admin.get(JOBS).json()["jobs"]} == {"anna", "ada"}


def test_what_others_own_does_not_exist(site: Site) -> None:
    with site.http("anna") as anna, site.http("ben") as ben:
        job = anna.post(JOBS, json=SMALL).json()
        site.work()
        assert anna.get(f"/api/v2/results/{job['run']}").status_code == 200
        here = f"{JOBS}/{job['id']}"
        result = f"/api/v2/results/{job['run']}"
        for path in (here, f"{here}/events", f"{here}/stream", result, f"{result}/equity", f"{result}/report"):
            assert ben.get(path).status_code == 404, path
        assert ben.post(f"{here}/cancel").status_code == 404
        assert ben.post(f"{AUTH}/ticket", json={"job": job["id"]}).status_code == 404
        assert ben.get(JOBS).json()["jobs"] == []


def test_nobody_gets_in_without_a_login(site: Site) -> None:
    with site.http() as http:
        for path in (JOBS, f"{JOBS}/x", "/api/v2/strategies", "/api/v2/results/0123456789abcdef", f"{AUTH}/check"):
            answer = http.get(path)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
        assert http.post(JOBS, json=SMALL).status_code == 401
        assert http.get("/healthz").status_code == 200


def test_tokens_that_are_forged_expired_or_for_something_else_are_refused(site: Site) -> None:
    keys = read_or_make_keys(site.service.folder)
    kid, secret = next(iter(keys.items()))
    now = int(time.time())
    good = {"sub": "ada", "use": "access", "iat": now, "exp": now + 60, "jti": "j", "aud": "maestro", "iss": "maestro"}

    def signed(key: str = secret, algorithm: str = "HS256", kid: str = kid, **changed: Any) -> str:
        claims = {name: value for name, value in {**good, **changed}.items() if value is not None}
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})

    def unsigned() -> str:
        head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": kid}).encode()).rstrip(b"=").decode()
        body = base64.urlsafe_b64encode(json.dumps(good).encode()).rstrip(b"=").decode()
        return f"{head}.{body}."

    assert me(site, signed()) == 200
    bad = {
        "forged": signed(key="x" * 64), "expired": signed(iat=now - 90, exp=now - 60), "audience": signed(aud="other"),
        "issuer": signed(iss="other"), "algorithm": signed(key="y" * 64, algorithm="HS512"),
        "right key, other algorithm": signed(algorithm="HS384"), "no algorithm": unsigned(),
        "unknown key": signed(kid="nope"), "path as key": signed(kid="../../service.key"), "use": signed(use="session"),
        "no expiry": signed(exp=None), "no id": signed(jti=None), "no user": signed(sub=None),
        "nobody": signed(sub="nobody"), "oversized": signed(pad="x" * 4000), "garbage": "a.b.c", "a letter": "x",
        "key": "mk_00000000_" + "x" * 43, "key with a quote": "mk_' OR 1=1_" + "x" * 43,
    }  # fmt: skip
    assert {name for name, token in bad.items() if me(site, token) != 401} == set()


def socket_status(site: Site, job: str, query: str = "", **headers: str) -> int:
    try:
        with connect(
            f"ws://127.0.0.1:{site.port}{JOBS}/{job}/ws{query}", additional_headers=headers, proxy=None
        ) as found:
            found.recv()
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_sockets_want_a_key_our_own_origin_or_a_ticket(site: Site) -> None:
    with site.http("anna") as http:
        job = http.post(JOBS, json=SMALL).json()["id"]
        other = http.post(JOBS, json={**SMALL, "seed": 1}).json()["id"]
        assert socket_status(site, job) == 403
        assert socket_status(site, job, Authorization=f"Bearer {site.keys['anna']}") == 101
        assert socket_status(site, job, "?ticket=nonsense") == 403
        ticket = http.post(f"{AUTH}/ticket", json={"job": job}).json()["ticket"]
        assert socket_status(site, other, f"?ticket={ticket}") == 403
        assert socket_status(site, job, f"?ticket={ticket}") == 403, "a ticket is used up by a wrong use too"
        ticket = http.post(f"{AUTH}/ticket", json={"job": job}).json()["ticket"]
        assert socket_status(site, job, f"?ticket={ticket}") == 101
        assert socket_status(site, job, f"?ticket={ticket}") == 403
    session = site.service.tokens.sign("anna", "session", 60)
    cookie = f"maestro_session={session}"
    assert socket_status(site, job, Cookie=cookie, Origin=site.url) == 101
    assert socket_status(site, job, Cookie=cookie, Origin="https://evil.example") == 403


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/results/..%2f..%2fservice.key/manifest", "/api/v2/results/../../service.key",
        "/api/v2/results/0123456789abcdef/..%2f..%2f..%2fservice.key", "/api/v2/results/%00/equity",
        "/api/v2/optimizations/..%2f..%2fservice.db", "/api/v2/optimizations/' OR 1=1 --",
    ],
)  # fmt: skip
def test_paths_lead_nowhere(site: Site, path: str) -> None:
    with site.http("ada") as http:
        answer = http.get(path)
        assert answer.status_code in (404, 422)
        assert str(site.service.folder) not in answer.text


def test_without_users_only_this_machine_by_its_own_name_gets_in(alone: Site) -> None:
    with alone.http() as http:
        assert http.get(f"{AUTH}/me").json() == {"name": "local", "role": "admin", "by": "local"}
        assert http.get(f"{AUTH}/me", headers={"Host": "evil.example"}).status_code == 401, "DNS rebinding"
        assert http.get(f"{AUTH}/me", headers={"X-Forwarded-For": "8.8.8.8"}).status_code == 401, "a proxy"
        assert http.post(JOBS, json=SMALL, headers={"Origin": "https://evil.example"}).status_code == 403
        alone.service.users.add("ada", "admin", PASSWORD)
        assert http.get(f"{AUTH}/me").status_code == 401, "from the first user on, everybody needs a login"
