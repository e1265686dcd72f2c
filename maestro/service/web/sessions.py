"""Endpoints of logins: tokens, refresh, API keys, tickets, the login page, and the check for a proxy."""

from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from maestro._core.markup import Markup, html
from maestro.errors import AccessError
from maestro.service.accounts import Caller, Tokens
from maestro.service.accounts import tokens as lives
from maestro.service.accounts.users import access_error
from maestro.service.web.access import COOKIE, document_of, identify, require, text_of
from maestro.service.web.described import body_of
from maestro.service.web.state import Service

_STYLE = """
:root { color-scheme: light dark; --page: #f1f3f6; --paper: #fff; --ink: #1b1d22; --line: #868d9a; --alarm: #a51d2d; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0e1116; --paper: #171a20; --ink: #e6e8ec; --alarm: #ff8a80; }
}
* { box-sizing: border-box; }
body { font: 16px system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh; margin: 0;
  background: var(--page); color: var(--ink); }
form { background: var(--paper); width: min(360px, 100vw - 24px); padding: 2rem; border-radius: 8px;
  box-shadow: 0 1px 6px #0003; display: grid; gap: .4rem; }
input, button { font: inherit; padding: .5rem .6rem; border: 1px solid var(--line); border-radius: 4px; min-width: 0; }
input { background: transparent; color: inherit; margin-bottom: .6rem; }
input:focus-visible, button:focus-visible { outline: 2px solid #3d94cf; outline-offset: 1px; }
label { font-size: .9rem; }
button { background: #0b4f7d; color: #fff; border: 0; font-weight: 500; margin-top: .4rem; cursor: pointer; }
button:hover { background: #0069a8; }
[role=alert] { color: var(--alarm); margin: 0 0 .4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; margin: 0 0 .6rem; }
"""


def routes(service: Service) -> APIRouter:
    """Return the endpoints."""
    router = APIRouter(prefix="/api/v2/auth", tags=["logins"])
    viewer = Depends(require(service, "viewer"))

    @router.post(
        "/token",
        openapi_extra=body_of("username", "password"),
        summary="Log in with name and password; returns an access and a refresh token",
    )
    async def token(request: Request) -> JSONResponse:
        document = await document_of(request)
        name = text_of(document, "username")
        await run_in_threadpool(service.users.log_in, name, text_of(document, "password"), _address(request))
        return _tokens(service.tokens, name, await run_in_threadpool(service.tokens.begin, name))

    @router.post(
        "/refresh", openapi_extra=body_of("refresh_token"), summary="Exchange a refresh token, once, for the next pair"
    )
    async def refresh(request: Request) -> JSONResponse:
        document = await document_of(request)
        user, following = await run_in_threadpool(service.tokens.renew, text_of(document, "refresh_token"))
        return _tokens(service.tokens, user, following)

    @router.post("/logout", status_code=204, summary="End this session or token, and all refresh tokens")
    async def logout(request: Request, caller: Annotated[Caller, viewer]) -> Response:
        bearer = request.headers.get("authorization", "").partition(" ")[2]
        for text, use in ((bearer, "access"), (request.cookies.get(COOKIE, ""), "session")):
            claims = service.tokens.check(text, use) if text else None
            if claims is not None:
                await run_in_threadpool(service.tokens.revoke, claims)
        await run_in_threadpool(service.tokens.forget, caller.name)
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE)
        return answer

    @router.get("/check", status_code=204, summary="For a proxy (auth_request): 204 with the user's name, or 401")
    async def check(caller: Annotated[Caller, viewer]) -> Response:
        return Response(status_code=204, headers={"X-Maestro-User": caller.name, "X-Maestro-Role": caller.role})

    @router.get("/me", summary="Who this is")
    async def me(caller: Annotated[Caller, viewer]) -> dict[str, str]:
        return {"name": caller.name, "role": caller.role, "by": caller.by}

    @router.get("/keys", summary="The API keys of this user, without their secrets")
    async def keys(caller: Annotated[Caller, viewer]) -> list[dict[str, Any]]:
        return service.users.keys(caller.name)

    @router.post(
        "/keys",
        status_code=201,
        openapi_extra=body_of(optional=("label",)),
        summary="Make an API key, which is shown this once",
    )
    async def make_key(request: Request, caller: Annotated[Caller, viewer]) -> dict[str, str]:
        document = await document_of(request)
        label = text_of(document, "label") if "label" in document else ""
        key = await run_in_threadpool(service.users.make_key, caller.name, label[:100])
        return {"key": key}

    @router.delete("/keys/{ident}", status_code=204, summary="Revoke an API key")
    async def revoke(ident: str, caller: Annotated[Caller, viewer]) -> Response:
        if not await run_in_threadpool(service.users.revoke_key, caller.name, ident):
            raise access_error("there is no such key of this user.", 404)
        return Response(status_code=204)

    @router.post(
        "/ticket", openapi_extra=body_of("job"), summary="A ticket for one WebSocket of one job, valid once within 30 s"
    )
    async def ticket(request: Request, caller: Annotated[Caller, viewer]) -> dict[str, str]:
        job = service.queue.get(text_of(await document_of(request), "job"), caller.owner)
        return {"ticket": service.tokens.make_ticket(caller.name, job.id)}

    return router


def pages(service: Service) -> APIRouter:
    """Return the login page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def show(request: Request) -> Response:
        onward = _safe_target(_wanted(request))
        return RedirectResponse(onward, 303) if identify(service, request) else _page(onward)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
        name, password, onward = (fields.get(key, [""])[0] for key in ("username", "password", "next"))
        try:
            await run_in_threadpool(service.users.log_in, name, password, _address(request))
        except AccessError as error:
            return _page(_safe_target(onward), str(error), int(getattr(error, "status", 401)))
        answer = RedirectResponse(_safe_target(onward), 303)
        secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
        answer.set_cookie(
            COOKIE, service.tokens.sign(name, "session", lives.SESSION), max_age=int(lives.SESSION), httponly=True,
            samesite="lax", secure=secure,
        )  # fmt: skip
        return answer

    return router


def _tokens(tokens: Tokens, user: str, refresh: str) -> JSONResponse:
    access = tokens.sign(user, "access", lives.ACCESS)
    document = {
        "access_token": access, "token_type": "bearer", "expires_in": int(lives.ACCESS), "refresh_token": refresh,
    }  # fmt: skip
    return JSONResponse(document, headers={"Cache-Control": "no-store"})


def _wanted(request: Request) -> str:
    """Return where a login shall lead. nginx appends an address as it came, so its own ``&`` belong to it."""
    before, named, rest = request.url.query.partition("next=/")
    return f"/{rest}" if named and not before else request.query_params.get("next", "/")


def _safe_target(wanted: str) -> str:
    """Where a login leads: a path of this site, and nothing else."""
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return quote(wanted, safe="/?&=%#+:,;@-._~") if plain else "/docs"


def _address(request: Request) -> str:
    """Address of the client: of the proxy's last word, if the request comes from a proxy on this machine."""
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "")
    return forwarded.rpartition(",")[2].strip() if forwarded and peer in ("127.0.0.1", "::1") else peer


def _page(onward: str, wrong: str = "", status: int = 200) -> HTMLResponse:
    body = html(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Maestro: log in</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><style>{}</style></head><body>'
        '<form method="post"><h1>Maestro</h1><p role="alert" {}>{}</p>'
        '<label for="u">Name</label><input id="u" name="username" autocomplete="username" required autofocus>'
        '<label for="p">Password</label>'
        '<input id="p" name="password" type="password" autocomplete="current-password" required>'
        '<input type="hidden" name="next" value="{}"><button>Log in</button></form></body></html>',
        Markup(_STYLE), Markup("" if wrong else "hidden"), wrong, onward,
    )  # fmt: skip
    policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    return HTMLResponse(str(body), status, {"Content-Security-Policy": policy, "Cache-Control": "no-store"})
