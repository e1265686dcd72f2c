"""Authentication of requests: API key, token or cookie, or the single user of a service without accounts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from maestro.client.connection import COOKIE
from maestro.service.accounts import Caller
from maestro.service.accounts.users import access_error
from maestro.service.jobs.job import LOCAL as NOBODY
from maestro.service.specification import SpecificationError
from maestro.service.web.guard import on_loopback
from maestro.service.web.state import Service

LOCAL = Caller(NOBODY, "admin", "local")
LEVELS = 20
"""Levels of objects and lists within each other in a body."""
_DEEP = f"the body is nested deeper than {LEVELS} levels; send one object with plain values."


def identify(service: Service, connection: HTTPConnection) -> Caller | None:
    """Return who makes a request; None without a valid login."""
    kind, _, credential = connection.headers.get("authorization", "").partition(" ")
    if kind:
        if kind.lower() != "bearer":
            return None
        if credential.startswith("mk_"):
            return service.users.of_key(credential)
        return _of(service, credential, "access", "token")
    if not service.has_logins:
        client = connection.client.host if connection.client else None
        near = on_loopback(client, connection.headers.get("host", "")) and "x-forwarded-for" not in connection.headers
        return LOCAL if near else None
    cookie = connection.cookies.get(COOKIE)
    return _of(service, cookie, "session", "cookie") if cookie else None


async def recognise(service: Service, connection: HTTPConnection) -> Caller | None:
    """Return who makes a request, also by a token of the JupyterHub, which may have to be asked; None without a login.

    Raises
    ------
    AccessError
        The hub does not answer.
    """
    found = identify(service, connection)
    kind, _, credential = connection.headers.get("authorization", "").partition(" ")
    hub = service.hub
    if found is None and hub is not None and kind.lower() in ("bearer", "token") and hub.looks_like_token(credential):
        return await run_in_threadpool(hub.caller, credential)
    return found


def _of(service: Service, token: str, use: str, by: str) -> Caller | None:
    claims = service.tokens.check(token, use)
    role = claims and service.users.role(claims.user)
    return Caller(claims.user, role, by) if claims and role else None


def require(service: Service, role: str) -> Callable[[Request], Caller]:
    """Return a dependency that lets users with a role in.

    Raises
    ------
    AccessError
        No valid login (401), or another role (403).
    """

    async def caller(request: Request) -> Caller:
        found = await recognise(service, request)
        if found is None:
            raise access_error("no valid login; send Authorization: Bearer with an API key or a token, or log in.", 401)
        if not found.has_role(role):
            raise access_error(f"{found.name} is a {found.role}, and this needs a {role}; ask an admin.", 403)
        return found

    return caller  # type: ignore[return-value]


async def document_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in a body.

    Raises
    ------
    SpecificationError
        It is not JSON, contains NaN or half a character, or is not an object.
    """

    try:
        found = json.loads(await request.body() or b"{}", parse_constant=_refuse, parse_int=_whole)
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # written as \ud800; it could not be answered
        raise SpecificationError("the body has half a character; send whole ones, in UTF-8.") from None
    except RecursionError:
        raise SpecificationError(_DEEP) from None
    except ValueError as error:
        raise SpecificationError(f"the body is not JSON ({error}); send one object.") from None
    if not isinstance(found, dict):
        raise SpecificationError("the body is not a JSON object; send one.")
    if not _is_flat(found, LEVELS):
        raise SpecificationError(_DEEP)
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _whole(digits: str) -> int:
    if len(digits) > 100:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _is_flat(value: Any, levels: int) -> bool:
    """Whether objects and lists are nested at most so many levels deep."""
    if not isinstance(value, (dict, list)):
        return True
    return levels > 0 and all(
        _is_flat(one, levels - 1) for one in (value.values() if isinstance(value, dict) else value)
    )


def text_of(document: dict[str, Any], name: str) -> str:
    """Return a field that must be text."""
    value = document.get(name)
    if not isinstance(value, str):
        raise SpecificationError(f"{name} is missing or no text; give it.", name)
    return value


__all__ = ["COOKIE", "LOCAL", "document_of", "identify", "recognise", "require", "text_of"]
