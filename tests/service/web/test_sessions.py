"""Logins: tokens, refresh tokens, API keys, the login page and its cookie, and tickets."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.service.conftest import SMALL
from tests.service.web.conftest import PASSWORD, Site
from tests.service.web.test_access import AUTH, JOBS, log_in, me
from tests.support.accessibility import violations


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


def test_login_throttle_is_slowed_and_does_not_tell_who_exists(site: Site) -> None:
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


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_login_page_follows_the_system_and_by_axe(site: Site, browser: Any, theme: str) -> None:
    page = browser.new_page(color_scheme=theme, viewport={"width": 320, "height": 560})
    page.goto(f"{site.url}/login")
    red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0]")
    assert (int(red) < 60) == (theme == "dark")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert violations(page) == []
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()
    assert violations(page) == []
    page.close()
