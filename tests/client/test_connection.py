"""The connection to a service: its refusals become errors, it is asked again while it is away, and logins are sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from maestro.client import connection as module
from maestro.client.connection import COOKIE, Connection
from maestro.errors import AccessError, JobError, MaestroError, QuotaError, RunError, ServiceError, SettingsError
from maestro.version import __version__


def test_the_address_and_the_key_come_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_SERVICE_URL", "http://example.test:1/")
    monkeypatch.setenv("MAESTRO_SERVICE_KEY", "secret")
    connection = Connection(None, None, timeout=1.0, patience=0.0)
    assert (connection.url, connection.headers) == ("http://example.test:1", {"Authorization": "Bearer secret"})


def connected(handler: Any, patience: float = 0.0) -> Connection:
    """A connection whose requests a function answers."""
    made = Connection("http://example.test/", "secret", timeout=1.0, patience=patience)
    made._http.close()
    made._http = httpx.Client(base_url=made.url, transport=httpx.MockTransport(handler))
    return made


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AccessError), (403, AccessError), (404, JobError), (409, ServiceError), (410, RunError),
        (422, SettingsError), (429, QuotaError), (500, ServiceError), (503, ServiceError),
    ],
)  # fmt: skip
def test_a_refusal_is_an_error_in_the_words_of_the_service(status: int, error: type[MaestroError]) -> None:
    refusing = connected(lambda request: httpx.Response(status, json={"detail": "a rule; a remedy."}))
    with pytest.raises(error, match=r"^a rule; a remedy\.$") as refused:
        refusing.ask("GET", "/x")
    assert type(refused.value) is error


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"', b"{}"])
def test_an_answer_without_problem_details_is_no_service(body: bytes) -> None:
    other = connected(lambda request: httpx.Response(502, content=body))
    with pytest.raises(ServiceError, match="HTTP 502 without problem details; is this address a Maestro service"):
        other.ask("GET", "/x")


def test_a_service_that_is_away_is_asked_again_until_patience_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now, asked = [0.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(now[0])
        if now[0] < 3.0:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={})

    assert connected(refuse, patience=10.0).ask("GET", "/x").status_code == 200
    assert asked == pytest.approx([0.0, 0.1, 0.3, 0.7, 1.5, 3.1])
    (message,) = caplog.messages
    assert message.endswith("does not answer; retrying for up to 10 s")
    now[0] = 0.0
    with pytest.raises(ServiceError, match=r"does not answer \(refused\); is maestro serve running there"):
        connected(refuse, patience=1.0).ask("GET", "/x")
    assert now[0] <= 1.0


def test_another_version_is_refused() -> None:
    connected(lambda request: httpx.Response(200, json={"version": __version__})).check_version()
    with pytest.raises(ServiceError, match=r'pip install "maestro-research==0\.0\.1"'):
        connected(lambda request: httpx.Response(200, json={"version": "0.0.1"})).check_version()


def test_the_login_of_a_browser_goes_before_the_key() -> None:
    made = Connection("http://example.test", "secret", timeout=1.0, patience=0.0, session="abc")
    assert made.headers == {"Cookie": f"{COOKIE}=abc"}
    made.close()


@pytest.mark.parametrize("url", ["example.test", "ftp://example.test", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="not the address of a service; give http://HOST:PORT"):
        Connection(url, None, timeout=1.0, patience=0.0)
