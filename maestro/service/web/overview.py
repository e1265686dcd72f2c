"""The page ``/docs``: all endpoints with their descriptions; it loads nothing from other hosts."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

from maestro._core.markup import Markup, html, joined

_STYLE = (
    "body{font:16px system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}"
    "td{padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}code{white-space:nowrap}"
)


def pages(app: FastAPI) -> APIRouter:
    """Return the page of an application's endpoints."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def show() -> HTMLResponse:
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return HTMLResponse(overview(app.openapi()), headers=policy)

    return router


def overview(document: dict[str, Any]) -> str:
    """HTML of the endpoints in an OpenAPI document, by their tags."""
    by_tag: dict[str, Markup] = {}
    for address, methods in document["paths"].items():
        for method, one in methods.items():
            row = html("<tr><td><code>{} {}</code></td><td>{}</td></tr>", method.upper(), address, one["summary"])
            by_tag[one["tags"][0]] = by_tag.get(one["tags"][0], Markup("")) + row
    parts = Markup("").join(
        html("<h2>{}</h2><table>{}</table>", tag.capitalize(), rows) for tag, rows in by_tag.items()
    )
    paragraphs = joined("<p>{}</p>", document["info"]["description"].split("\n\n"))
    return str(
        html(
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Maestro: endpoints</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><style>{}</style></head>'
            '<body><h1>Maestro {}</h1>{}<p><a href="openapi.json">openapi.json</a> has the parameters, the fields '
            "of a submission and examples.</p>{}</body></html>",
            Markup(_STYLE), document["info"]["version"], paragraphs, parts,
        )
    )  # fmt: skip
