"""The schema of a submission describes the fields that are read, and its examples are accepted."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from maestro.service.specification import Specification
from maestro.service.web.schema import BODY, SPECIFICATION

BODY_JSON = BODY["requestBody"]["content"]["application/json"]
EXAMPLES = {name: example["value"] for name, example in BODY_JSON["examples"].items()}


def test_every_field_of_a_submission_is_described() -> None:
    described = SPECIFICATION["properties"]
    assert {one.name for one in fields(Specification)} < described.keys()
    assert all(field["description"] for field in described.values())
    assert described["trials"] == {"description": "parameter sets per fold", "type": "integer", "default": 100}
    assert described["fee"]["type"] == "number"
    assert "type" not in described["select"], "text, a list or an object"
    assert "default" not in described["data"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_read_and_have_the_required_fields(name: str) -> None:
    example: dict[str, Any] = EXAMPLES[name]
    assert set(SPECIFICATION["required"]) <= example.keys()
    assert any(set(one["required"]) <= example.keys() for one in SPECIFICATION["anyOf"])
    assert Specification.of(example).strategy == example["strategy"]
