"""OpenAPI descriptions of errors and small bodies, shared by all endpoints."""

from __future__ import annotations

from typing import Any

from maestro.service.web.problems import TYPE

_FIELDS: dict[str, dict[str, Any]] = {
    "type": {"type": "string"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string", "description": "the rule, and what to do"},
    "rule": {"type": "string"},
    "remedy": {"type": ["string", "null"]},
    "field": {"type": "string", "description": "the field that cannot be used"},
    "value": {"description": "what came"},
}
PROBLEM: dict[str, Any] = {
    "type": "object", "required": ["type", "title", "status", "detail", "rule", "remedy"], "properties": _FIELDS,
}  # fmt: skip
"""Schema of problem details (RFC 9457)."""


def body_of(*required: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Addition to the description of an endpoint whose body is an object of texts."""
    schema = {
        "type": "object", "required": list(required),
        "properties": {name: {"type": "string"} for name in (*required, *optional)},
    }  # fmt: skip
    return {"requestBody": {"required": bool(required), "content": {"application/json": {"schema": schema}}}}


def content_of(*kinds: str, status: int = 200, words: str = "What was asked for") -> dict[int | str, dict[str, Any]]:
    """Responses of an endpoint that answers with one of several media types."""
    return {status: {"description": words, "content": {kind: {} for kind in kinds}}}


def with_errors(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document in which every endpoint has the errors that it may give, as problem details."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # of FastAPI, which are never sent
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    content = {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    descriptions = {
        "4XX": "The request is refused: what came, the rule, and what to do",
        "5XX": "The service cannot answer now: why, and what to do",
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"] |= {
                code: {"description": words, "content": content} for code, words in descriptions.items()
            }
    return document
