"""Problem details: which status an error has, and where the rule ends and the remedy begins."""

from __future__ import annotations

import asyncio
import errno
import json
import math
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from maestro.errors import (
    AccessError,
    BarsError,
    JobError,
    MaestroError,
    QuotaError,
    RunError,
    ServiceError,
    SettingsError,
)
from maestro.service.accounts.users import access_error
from maestro.service.specification import SpecificationError
from maestro.service.web.problems import TYPE, answer, handle_errors, problem
from maestro.service.web.tables import RunUnavailable


def read(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.body)
    return found


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (SpecificationError("trials=0; give more.", "trials", 0), 422, {}),
        (AccessError("not allowed; ask an admin."), 403, {}),
        (access_error("no login; log in.", 401), 401, {"www-authenticate": "Bearer"}),
        (access_error("too often; wait.", 429), 429, {"retry-after": "5"}),
        (access_error("too many; wait.", 503), 503, {"retry-after": "5"}),
        (QuotaError("2 open jobs; cancel one."), 429, {"retry-after": "30"}),
        (JobError("there is no job; list them."), 404, {}),
        (ServiceError("the Idempotency-Key was used; take a new key."), 409, {}),
        (ServiceError("the disk is full; make room."), 503, {}),
        (ServiceError("/secret/folder of all/service.db: the disk is full; make room."), 503, {}),
        (RunUnavailable("run x was removed; submit it again.", 410), 410, {}),
        (RunError("/secret/folder is damaged"), 500, {}),
        (SettingsError("no such setting; see the docs."), 422, {}),
        (BarsError("no such series; fetch it."), 422, {}),
    ],
)
def test_each_error_has_its_status(error: MaestroError, status: int, headers: dict[str, str]) -> None:
    found = answer(error)
    document = read(found)
    assert found.media_type == TYPE
    assert found.status_code == document["status"] == status
    assert {name: found.headers.get(name) for name in ("www-authenticate", "retry-after")} == {
        "www-authenticate": None, "retry-after": None, **headers,
    }  # fmt: skip
    assert document["title"] != "Error"
    assert document["remedy"]
    assert "/secret/folder" not in found.body.decode()


def test_a_very_long_value_is_cut_out_of_the_words() -> None:
    document = json.loads(bytes(problem(422, f"x={'1' * 5000} is too long; give less.", field="x", value="1").body))
    assert document["rule"].startswith("x=1111")
    assert document["rule"].endswith("1 is too long")
    assert len(document["rule"]) < 1100
    assert document["remedy"] == "give less."
    assert document["detail"] == f"{document['rule']}; give less."


def test_rule_and_remedy_are_the_parts_of_the_detail() -> None:
    document = read(problem(422, "a rule; a remedy; more of it.", field="cash", value=math.nan))
    assert (document["rule"], document["remedy"]) == ("a rule", "a remedy; more of it.")
    assert (document["field"], document["value"]) == ("cash", None)
    short = read(problem(418, "a rule"))
    assert (short["rule"], short["remedy"], short["title"]) == ("a rule", None, "Error")
    assert "field" not in short


def ask(method: str, path: str) -> httpx.Response:
    """Send a request to an application whose endpoints fail, each in another way."""
    app = FastAPI()
    handle_errors(app)
    failures = {
        "full": OSError(errno.ENOSPC, "No space left on device"), "system": PermissionError(13, "Permission denied"),
        "unexpected": KeyError("secret"), "ours": JobError("there is no job; list them."),
    }  # fmt: skip

    @app.get("/fail/{how}")
    def fail(how: str) -> None:
        raise failures[how]

    @app.get("/number/{value}")
    def number(value: int) -> int:
        return value

    @app.post("/number/{value}")
    def write(value: int) -> int:
        return value

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.request(method, path)

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("how", "status", "words"),
    [
        ("full", 507, "the disk of the service is full"), ("system", 500, "(Permission denied)"),
        ("unexpected", 500, "its log has the cause"), ("ours", 404, "there is no job"),
    ],
)  # fmt: skip
def test_failures_of_an_endpoint_are_problem_details(how: str, status: int, words: str) -> None:
    found = ask("GET", f"/fail/{how}")
    assert (found.status_code, found.headers["content-type"]) == (status, TYPE)
    assert words in found.json()["detail"]
    assert "secret" not in found.text


def test_bad_parameters_and_methods_are_problem_details() -> None:
    bad = ask("GET", "/number/x").json()
    assert (bad["status"], bad["field"], bad["value"]) == (422, "value", "x")
    other = ask("DELETE", "/number/1")
    assert (other.status_code, other.headers["allow"]) == (405, "GET, POST")
    assert ask("GET", "/nowhere").json()["title"] == "Not found"
