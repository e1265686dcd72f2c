"""The OpenAPI document, and the page of the documentation that is made from it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from maestro.service.web.application import openapi

GENERATOR = Path(__file__).parents[3] / "docs" / "generate_pages.py"


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    return openapi(tmp_path)


def test_every_endpoint_is_described(document: dict[str, Any]) -> None:
    found = [one for methods in document["paths"].values() for one in methods.values()]
    assert len(found) > 20
    assert not [one for one in found if not one.get("summary") or not one.get("tags")]


def test_the_page_of_endpoints_has_all_of_them(document: dict[str, Any]) -> None:
    spec = importlib.util.spec_from_file_location("generate_pages", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    page = generator.endpoints_page(document)
    for address, methods in document["paths"].items():
        for method in methods:
            assert f"### `{method.upper()} {address}`" in page
    assert "| `wait` | query | number | `0.0` | seconds to wait for an event |" in page
    assert '| `format` | query | string | `"json"` | `json`, `arrow`, `parquet` |' in page
