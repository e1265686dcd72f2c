"""Attacks that need a running service: jobs of others by every way, files as series, used tokens, slow headers."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

import maestro as ms
from maestro.service.accounts import tokens as lives
from tests.service.conftest import SMALL
from tests.service.web.conftest import PASSWORD, Site, listening
from tests.service.web.test_access import AUTH, JOBS, log_in, me, socket_status


def test_jobs_of_others_cannot_be_followed_by_socket_or_with_the_ticket_of_another_job(site: Site) -> None:
    with site.http("anna") as anna, site.http("ben") as ben:
        job = anna.post(JOBS, json=SMALL).json()["id"]
        own = ben.post(JOBS, json={**SMALL, "seed": 1}).json()["id"]
        ticket = ben.post(f"{AUTH}/ticket", json={"job": own}).json()["ticket"]
    assert socket_status(site, job, Authorization=f"Bearer {site.keys['ben']}") == 403
    assert socket_status(site, job, f"?ticket={ticket}") == 403
    cookie = f"maestro_session={site.service.tokens.sign('ben', 'session', 60)}"
    assert socket_status(site, job, Cookie=cookie, Origin=site.url) == 403
    assert socket_status(site, job, Authorization=f"Bearer {site.keys['ada']}") == 101, "an admin may"


def test_a_socket_of_another_site_gets_nothing_even_without_users(alone: Site) -> None:
    with alone.http() as http:
        job = http.post(JOBS, json=SMALL).json()["id"]
    assert socket_status(alone, job) == 101
    assert socket_status(alone, job, Origin="https://evil.example") == 403


def test_tokens_of_one_use_have_no_other(site: Site) -> None:
    pair = log_in(site, "anna").json()
    assert me(site, pair["access_token"]) == 200
    assert me(site, pair["refresh_token"]) == 401
    with site.http() as http:
        for wrong in (pair["access_token"], site.keys["anna"], "", "x" * 5_000):
            assert http.post(f"{AUTH}/refresh", json={"refresh_token": wrong}).status_code in (401, 422)
        for cookie in (pair["access_token"], pair["refresh_token"], site.keys["anna"]):
            assert http.get(f"{AUTH}/me", headers={"Cookie": f"maestro_session={cookie}"}).status_code == 401


def test_a_session_ends_on_every_machine_with_its_logout_and_its_user(site: Site) -> None:
    form = {"username": "anna", "password": PASSWORD, "next": "/docs"}
    with site.http() as http:
        assert http.post("/login", data=form).status_code == 303
        stolen = {"Cookie": f"maestro_session={http.cookies['maestro_session']}"}
    with site.http() as http:
        assert http.get(f"{AUTH}/me", headers=stolen).status_code == 200
        assert http.post(f"{AUTH}/logout", headers=stolen).status_code == 204
        assert http.get(f"{AUTH}/me", headers=stolen).status_code == 401
    token = site.service.tokens.sign("ben", "access", lives.ACCESS)
    site.service.users.remove("ben")
    assert me(site, token) == 401


def test_an_expired_session_is_no_login(site: Site) -> None:
    old = site.service.tokens.sign("anna", "session", -60)
    with site.http() as http:
        assert http.get(f"{AUTH}/me", headers={"Cookie": f"maestro_session={old}"}).status_code == 401


@pytest.mark.parametrize(
    "data", ["/etc/passwd", "../service.key", "prices.parquet", "file:///etc/passwd", "sample:../x"]
)
def test_files_of_the_server_are_no_series(
    alone: Site, tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ms.load("sample:AAPL").write_parquet(tmp_path / "prices.parquet")
    with alone.http() as http:
        for path in (JOBS, f"{JOBS}/estimate"):
            answer = http.post(path, json={**SMALL, "data": data})
            assert (answer.status_code, answer.json()["field"]) == (422, "data")
            assert str(tmp_path) not in answer.text
        assert http.get(JOBS).json()["jobs"] == []


def test_connections_that_never_finish_their_headers_do_not_stop_others(alone: Site) -> None:
    slow = [socket.create_connection(("127.0.0.1", alone.port)) for _ in range(50)]
    try:
        for one in slow:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        time.sleep(0.1)
        with alone.http() as http:
            assert http.get("/healthz").status_code == 200
            assert http.post(JOBS, json=SMALL).status_code == 202
    finally:
        for one in slow:
            one.close()


def test_slow_headers_end_their_connection_and_no_other(tmp_path: Path) -> None:
    with listening(tmp_path / "service", header_seconds=0.5) as site, site.http() as http:
        job = http.post(JOBS, json=SMALL).json()["id"]
        with http.stream("GET", f"{JOBS}/{job}/stream") as stream:  # goes on for longer than headers may take
            lines = stream.iter_lines()
            assert next(lines).startswith("id: ")
            begun, whole = b"GET /healthz HTTP/1.1\r\nX-Slow: ", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
            for sent in (b"", begun, whole + begun):
                with socket.create_connection(("127.0.0.1", site.port)) as slow:
                    slow.settimeout(60)
                    slow.sendall(sent)
                    answer = b""
                    while part := slow.recv(4096):
                        answer += part
                assert answer.count(b"HTTP/1.1 408 ") == 1
                assert answer.count(b"HTTP/1.1 200 ") == sent.count(b"\r\n\r\n")
            site.service.queue.cancel(job)
            assert any("cancelled" in line for line in lines)
