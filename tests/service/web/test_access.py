"""Who gets in, and the attacks that do not."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import jwt
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from maestro.errors import SettingsError
from maestro.service.accounts import read_or_make_keys
from maestro.service.web import guard
from maestro.service.web.server import serve
from tests.service.conftest import SMALL
from tests.service.web.conftest import PASSWORD, Site
from tests.support.accessibility import violations
from tests.support.patience import GIVE_UP

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


def test_tokens_end_by_logout_and_refresh_tokens_work_once(site: Site) -> None:
    first = log_in(site, "anna").json()
    assert me(site, first["access_token"]) == 200
    with site.http() as http:
        second = http.post(f"{AUTH}/refresh", json={"refresh_token": first["refresh_token"]})
        assert second.status_code == 200
        assert http.post(f"{AUTH}/refresh", json={"refresh_token": first["refresh_token"]}).status_code == 401
        stolen = http.post(f"{AUTH}/refresh", json={"refresh_token": second.json()["refresh_token"]})
        assert stolen.status_code == 401, "the whole family ends where a token is used twice"
        bearer = {"Authorization": f"Bearer {first['access_token']}"}
        assert http.post(f"{AUTH}/logout", headers=bearer).status_code == 204
    assert me(site, first["access_token"]) == 401


def test_keys_are_made_used_and_revoked_and_kept_as_hashes(site: Site) -> None:
    with site.http("anna") as http:
        key = http.post(f"{AUTH}/keys", json={"label": "notebook"}).json()["key"]
        assert me(site, key) == 200
        listed = http.get(f"{AUTH}/keys").json()
        assert [one["label"] for one in listed] == ["test", "notebook"]
        assert key.split("_", 2)[2] not in json.dumps(listed)
        with site.http("ben") as other:
            assert other.delete(f"{AUTH}/keys/{listed[1]['id']}").status_code == 404
        assert http.delete(f"{AUTH}/keys/{listed[1]['id']}").status_code == 204
    assert me(site, key) == 401
    content = b"".join(path.read_bytes() for path in site.service.folder.glob("service.db*"))
    assert key.split("_", 2)[2].encode() not in content
    assert PASSWORD.encode() not in content


def test_guessing_is_slowed_and_does_not_tell_who_exists(site: Site) -> None:
    known, unknown = log_in(site, "anna", "wrong password"), log_in(site, "nobody", "wrong password")
    assert known.status_code == unknown.status_code == 401
    assert known.json()["detail"] == unknown.json()["detail"]
    codes = [log_in(site, "anna", f"guess {k}").status_code for k in range(8)]
    assert codes[:4] == [401] * 4
    assert codes[-1] == 429
    refused = log_in(site, "anna")
    assert refused.status_code == 429, "also the right password must wait"
    assert "retry-after" in refused.headers


def test_the_login_page_sets_a_cookie_that_pages_of_other_sites_cannot_use(site: Site) -> None:
    form = {"username": "anna", "password": PASSWORD, "next": "/docs"}
    with site.http() as http:
        assert "Password" in http.get("/login?next=/docs").text
        assert http.post("/login", data={**form, "password": "no"}).status_code == 401
        assert http.post("/login", data=form, headers={"Origin": "https://evil.example"}).status_code == 403
        answer = http.post("/login", data=form, headers={"Origin": site.url})
        assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert http.get(f"{AUTH}/check").headers["x-maestro-user"] == "anna"
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            assert http.post(JOBS, json=SMALL, headers=headers).status_code == 403
        assert http.post(JOBS, json=SMALL, headers={"Origin": site.url}).status_code == 202
        for onward in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
            assert http.post("/login", data={**form, "next": onward}).headers["location"] == "/docs"
        script = http.get("/login?next=/%22%3E%3Cscript%3E", headers={"Cookie": ""}).text
        assert "<script" not in script
        onward = "/apps/walk_forward?trials=5&seed=3&params=%7B%22fast%22%3A5%7D"  # as nginx appends it
        for given in (onward, quote(onward, safe="")):
            page = http.get(f"/login?next={given}", headers={"Cookie": ""}).text
            kept = unescape(re.findall('name="next" value="([^"]*)"', page)[0])
            answer = http.post("/login", data={**form, "next": kept})
            assert parse_qs(urlsplit(answer.headers["location"]).query) == {
                "trials": ["5"], "seed": ["3"], "params": ['{"fast":5}']
            }  # fmt: skip
        assert http.post(f"{AUTH}/logout").status_code == 204
        assert http.get(f"{AUTH}/check").status_code == 401


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


def test_large_slow_and_compressed_requests_are_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.3)
    with site.http("anna") as http:
        assert http.post(JOBS, content=b"x" * (guard.BODY + 1)).status_code == 413
        assert http.post(JOBS, content=(b"x" * 65_536 for _ in range(8))).status_code == 413
        assert http.post(JOBS, content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}).status_code == 415
        assert http.get(JOBS, headers={"X-Long": "x" * 20_000}).status_code in (400, 431)
        assert http.get(JOBS, headers={"Authorization": "Bearer " + "x" * 5_000}).status_code == 401
    with socket.create_connection(("127.0.0.1", site.port)) as slow:
        slow.sendall(
            f"POST {JOBS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.keys['anna']}\r\n"
            "Content-Length: 100\r\n\r\n{".encode()
        )
        slow.settimeout(GIVE_UP)
        assert b" 408 " in slow.recv(1000)


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


def test_without_users_no_other_address_is_listened_on(tmp_path: Path) -> None:
    for address in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(SettingsError, match="maestro user add"):
            serve(tmp_path, address=address)


@pytest.mark.browser
def test_the_login_page_by_axe(site: Site, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{site.url}/login")
    assert violations(page) == []
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()
    assert violations(page) == []
    page.close()
