"""One matrix of attacks, sent to a service directly and through a real nginx: refused, and answers reveal nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from maestro.operations.stack.configuration import ReverseProxy, write_nginx
from maestro.service.accounts import login_throttle
from maestro.service.web.application import openapi
from tests.service.conftest import SMALL
from tests.service.web.attacks import (
    AUTH,
    BODIES,
    EVIL,
    FOREIGN,
    IDS,
    JOBS,
    PATHS,
    RESULTS,
    SERIES,
    SUBMISSION,
    TOKENS,
    Door,
    smuggled,
)  # fmt: skip
from tests.service.web.conftest import PASSWORD, Site, listening
from tests.support.patience import GIVE_UP
from tests.support.programs import program

pytestmark = pytest.mark.skipif(os.name != "posix", reason="nginx is started as on POSIX")
USERS = {"ada": "admin", "anna": "researcher", "ben": "researcher", "vic": "viewer", "gus": "viewer", "una": "viewer"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with listening(tmp_path_factory.mktemp("attacked") / "service") as found:
        for name, role in USERS.items():
            found.service.users.add(name, role, PASSWORD)
            found.keys[name] = found.service.users.make_key(name, "test")
        yield found


@pytest.fixture(scope="module")
def behind_nginx(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of an nginx with the configuration of the stack; only its patience and its rate are changed."""
    nginx, folder = program("nginx"), tmp_path_factory.mktemp("nginx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    path = write_nginx(folder, ReverseProxy(port), site.port, None)
    text = path.read_text(encoding="utf-8")
    for usual, changed in (
        ("client_body_timeout 15s", "client_body_timeout 1s"),
        ("client_header_timeout 15s", "client_header_timeout 1s"),
        ("rate=50r/s", "rate=5000r/s"),
    ):
        assert usual in text
        text = text.replace(usual, changed)
    path.write_text(text, encoding="utf-8")
    with subprocess.Popen([nginx, "-e", str(folder / "errors"), "-c", str(path)]) as process:
        end = time.monotonic() + GIVE_UP
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None, (folder / "errors").read_text()
                assert time.monotonic() < end
                time.sleep(0.05)
        yield port
        process.terminate()
    assert process.returncode == 0


@pytest.fixture(scope="module")
def finished(site: Site) -> tuple[str, str]:
    """Job and run of anna."""
    with site.http("anna") as http:
        job = http.post(JOBS, json=SMALL).json()
    site.work()
    return job["id"], job["run"]


@pytest.fixture(params=["directly", "through nginx"])
def door(request: pytest.FixtureRequest, site: Site, finished: tuple[str, str]) -> Iterator[Door]:
    port = site.port if request.param == "directly" else request.getfixturevalue("behind_nginx")
    jobs = len(site.service.queue.jobs(limit=1000))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=GIVE_UP) as http:
        found = Door(site, port, *finished, http)
        yield found
    secrets = (str(site.service.folder), "root:x:", PASSWORD, "SQLite format", "Traceback", *site.keys.values())
    assert [word for word in secrets if any(word in text for text in found.output)] == []
    assert len(site.service.queue.jobs(limit=1000)) == jobs, "an attack has submitted a job"


def refused(found: dict[str, int], *allowed: int) -> None:
    assert {name: status for name, status in found.items() if status not in allowed} == {}


def test_logins_are_let_in(door: Door) -> None:
    assert door.ask("GET", f"{AUTH}/me", "anna") == 200
    assert door.ask("GET", f"{AUTH}/me", bearer=door.token()) == 200
    assert door.ask("GET", f"{AUTH}/me", cookie=door.session("ada")) == 200
    assert door.ask("GET", f"{RESULTS}/{door.run}", "anna") == 200
    assert (
        door.ask("POST", f"{JOBS}/{door.job}/cancel", cookie=door.session("anna"), headers={"Origin": door.url}) == 200
    )
    assert door.socket(f"?ticket={door.ticket()}") == 101
    assert door.socket(Cookie=f"maestro_session={door.session('anna')}", Origin=door.url) == 101


def test_tokens_that_are_no_login(door: Door) -> None:
    refused({name: door.ask("GET", f"{AUTH}/me", bearer=make(door)) for name, make in TOKENS.items()}, 401)
    refused({name: door.ask("POST", JOBS, bearer=make(door), json=SUBMISSION) for name, make in TOKENS.items()}, 401)
    cookies = {
        "token": door.token(), "key": door.site.keys["ada"], "expired": door.session("ada", -60), "empty": '""',
        "traversal": "../../service.key", "refresh": door.site.service.tokens.begin("ada"),
    }  # fmt: skip
    refused({name: door.ask("GET", f"{AUTH}/me", cookie=one) for name, one in cookies.items()}, 401)
    for header in ("X-Maestro-User", "X-Forwarded-User", "Remote-User", "X-Forwarded-For", "X-Real-IP"):
        assert door.ask("GET", f"{AUTH}/me", headers={header: "ada"}) == 401
    long = {"header": {"X-Long": "x" * 40_000}, "login": {"Authorization": f"Bearer {'x' * 20_000}"}}
    refused({name: door.ask("GET", f"{AUTH}/me", headers=given) for name, given in long.items()}, 400, 401, 414, 431)


def test_logins_that_were_ended(door: Door) -> None:
    tokens = door.site.service.tokens
    revoked, first = tokens.sign("vic", "access", 60), tokens.begin("vic")
    assert door.ask("POST", f"{AUTH}/logout", bearer=revoked) == 204
    assert door.ask("GET", f"{AUTH}/me", bearer=revoked) == 401
    assert door.ask("POST", f"{AUTH}/refresh", json={"refresh_token": first}) == 401
    used = tokens.begin("vic")
    assert door.ask("POST", f"{AUTH}/refresh", json={"refresh_token": used}) == 200
    assert door.ask("POST", f"{AUTH}/refresh", json={"refresh_token": used}) == 401
    key = door.site.service.users.make_key("vic", "lost")
    assert door.ask("GET", f"{AUTH}/me", bearer=key) == 200
    ident = next(one["id"] for one in door.site.service.users.keys("vic") if one["label"] == "lost")
    assert door.ask("DELETE", f"{AUTH}/keys/{ident}", "ben") == 404
    assert door.ask("DELETE", f"{AUTH}/keys/{ident}", "vic") == 204
    assert door.ask("GET", f"{AUTH}/me", bearer=key) == 401


def test_pages_of_other_sites(door: Door) -> None:
    cookie = door.session("anna")
    for name, headers in FOREIGN.items():
        assert door.ask("POST", JOBS, cookie=cookie, headers=headers, json=SUBMISSION) == 403, name
        assert door.ask("POST", f"{JOBS}/{door.job}/cancel", cookie=cookie, headers=headers) == 403, name
        assert door.ask("POST", f"{AUTH}/keys", cookie=cookie, headers=headers, json={}) == 403, name
    form = {"username": "anna", "password": PASSWORD, "next": "/docs"}
    assert door.ask("POST", "/login?next=/docs", data=form, headers={"Origin": EVIL}) == 403
    assert door.socket(Cookie=f"maestro_session={cookie}", Origin=EVIL) == 403
    assert door.socket(Origin=door.url) == 403
    assert door.socket(Authorization=f"Bearer {door.site.keys['ben']}") == 403


def test_tickets_work_once_and_for_one_job(door: Door) -> None:
    ticket = door.ticket()
    assert door.socket(f"?ticket={ticket}") == 101
    assert door.socket(f"?ticket={ticket}") == 403
    other = door.site.service.tokens.make_ticket("anna", "another")
    refused({one: door.socket(f"?ticket={one}") for one in (other, "x", "%00", "x" * 3_000, door.token())}, 403)
    assert door.ask("POST", f"{AUTH}/ticket", "ben", json={"job": door.job}) == 404
    assert door.ask("POST", f"{AUTH}/ticket", "ben", json={"job": {"$ne": ""}}) == 422
    assert door.ask("POST", f"{AUTH}/keys", "ben", json={"label": {}}) == 422


def test_jobs_and_runs_of_others(door: Door) -> None:
    job, run = f"{JOBS}/{door.job}", f"{RESULTS}/{door.run}"
    tables = ("equity", "trades", "folds", "trials", "orders", "bars", "manifest", "report", "verdict")
    paths = [job, f"{job}/events", f"{job}/events?after=0&wait=0", f"{job}/stream", run, f"{run}?schema=v1"]
    paths += [f"{run}/{table}" for table in tables]
    refused({path: door.ask("GET", path, "ben") for path in paths}, 404)
    refused({path: door.ask("GET", path) for path in paths}, 401)
    assert door.ask("POST", f"{job}/cancel", "ben") == 404
    assert door.ask("POST", f"{job}/cancel", "vic") == 403
    assert door.ask("POST", JOBS, "vic", json=SUBMISSION) == 403
    assert door.ask("POST", JOBS, "ben", json={**SUBMISSION, "priority": 5}) == 422
    assert door.ask("POST", JOBS, "ben", json={**SUBMISSION, "owner": "anna"}) == 422
    if door.port != door.site.port:  # directly, this machine may read them
        assert door.ask("GET", "/metrics", "ben") == 404


def test_addresses_with_hostile_names(door: Door, tmp_path: Path) -> None:
    found = {}
    for path, operations in openapi(tmp_path)["paths"].items():
        for method in operations if "{" in path and not path.endswith("/stream") else ():
            for one in IDS:
                address = path
                for name in ("ident", "run", "name", "table"):
                    address = address.replace(f"{{{name}}}", one)
                found[f"{method} {address}"] = door.ask(method.upper(), address, "ada")
    assert len(found) > 200
    assert {name: status for name, status in found.items() if not 300 <= status < 500} == {}


def test_paths_that_lead_out(door: Door) -> None:
    key = f"Authorization: Bearer {door.site.keys['ada']}"
    sent = {path: f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{key}\r\n\r\n".encode("latin-1") for path in PATHS}
    refused({path: door.raw(text) for path, text in sent.items()}, 400, 401, 404, 405, 422)


@pytest.mark.parametrize("path", [JOBS, f"{JOBS}/estimate"])
def test_submissions_of_files_and_bombs(door: Door, path: str) -> None:
    refused({data: door.ask("POST", path, "anna", json={**SUBMISSION, "data": data}) for data in SERIES}, 422)
    sent = {name: door.ask("POST", path, "anna", content=one[0], headers=one[1]) for name, one in BODIES.items()}
    refused(sent, 413, 415, 422)
    chunks = (b" " * 65_536 for _ in range(8))
    assert door.ask("POST", path, "anna", content=chunks) == 413


def test_requests_without_a_clear_end(door: Door) -> None:
    found = {name: door.raw(text) for name, text in smuggled(f"{RESULTS}/{door.run}").items()}
    refused(found, 0, 400, 401, 411, 413, 501)
    assert not any('"metrics"' in text for text in door.output)


def test_guesses_of_a_password(door: Door, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()  # stands still, so that no wait ends on a slow machine
    monkeypatch.setattr(login_throttle, "time", SimpleNamespace(monotonic=lambda: now))
    user = "gus" if "directly" in request.node.name else "una"

    def guess(number: int) -> int:
        spoofed = {"X-Forwarded-For": f"10.0.0.{number}"}
        return door.ask(
            "POST", f"{AUTH}/token", json={"username": user, "password": f"guess {number}"}, headers=spoofed
        )

    with ThreadPoolExecutor(16) as pool:  # at once, from as many addresses as an attacker likes to name
        found = list(pool.map(guess, range(30)))
    found += [guess(number) for number in range(30, 40)]
    assert set(found) - {503} == {401, 429}, "503: too many at once"
    assert found.count(401) <= 7
    assert door.ask("POST", f"{AUTH}/token", json={"username": user, "password": PASSWORD}) == 429


def test_bodies_and_headers_that_never_end(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro.service.web.guard.BODY_SECONDS", 0.5)
    head = f"POST {JOBS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.site.keys['anna']}\r\n"
    assert door.raw(f"{head}Content-Length: 100\r\n\r\n{{".encode()) in (0, 408)
    assert door.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n5\r\n{{".encode()) in (0, 408)
