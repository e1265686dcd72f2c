"""The apps act on the service for the visitor who is logged in, by the cookie of the one login."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import panel as pn
import pytest

from maestro.apps.shared.service import is_configured, service, visitors_login
from maestro.errors import AccessError
from tests.service.web.conftest import PASSWORD, listening


def test_the_login_of_the_visitor_is_that_of_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_configured()
    with listening(tmp_path / "service") as site:
        for name in ("anna", "ben"):
            site.service.users.add(name, "researcher", PASSWORD)
        monkeypatch.setenv("MAESTRO_SERVICE_URL", site.url)
        monkeypatch.setenv("MAESTRO_SERVICE_KEY", site.service.users.make_key("ben"))
        assert is_configured()
        with site.http() as http:
            http.post("/login", data={"username": "anna", "password": PASSWORD})
            cookie = http.cookies["maestro_session"]
        monkeypatch.setattr(pn, "state", SimpleNamespace(cookies={"maestro_session": cookie, "other": "x"}))
        with service(visitors_login(), tmp_path) as client:
            job = client.submit("sample:AAPL", "EmaCrossStrategy", kind="backtest")
            assert job.document["owner"] == "anna"
            assert [event["kind"] for event in _until_queued(job)] == ["queued"]
        with service("", tmp_path) as client:
            assert client.jobs() == [], "without a login: whoever started the apps"
        with service("forged", patience=0.0) as client, pytest.raises(AccessError, match="no valid login"):
            client.jobs()


def _until_queued(job: object) -> list[dict[str, object]]:
    for event in job.events():  # type: ignore[attr-defined]
        return [event]
    return []
