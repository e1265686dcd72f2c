"""The catalogue: strategies with the JSON schema of their parameters, and the names of series."""

from __future__ import annotations

import maestro as ms
from maestro.service.web.catalogue import _described, _schema
from maestro.strategies.parameters import Bool, Choice, Float, Int
from tests.service.web.conftest import Site
from tests.service.web.test_access import JOBS


def test_the_catalogue_and_the_description(alone: Site) -> None:
    with alone.http() as http:
        names = [one["name"] for one in http.get("/api/v2/strategies").json()]
        assert names[:22] == ms.strategies()
        schema = http.get("/api/v2/strategies/RSIStrategy").json()["parameters"]["properties"]
        assert all({"type", "default", "description"} <= one.keys() for one in schema.values())
        assert http.get("/api/v2/strategies/RSIStrateg").json()["detail"].endswith("Did you mean 'RSIStrategy'?")
        assert "sample:AAPL" in http.get("/api/v2/series").json()
        description = http.get("/openapi.json").json()
        body = description["paths"][JOBS]["post"]["requestBody"]["content"]["application/json"]
        assert {"usual", "of 2020"} <= body["examples"].keys()
        assert http.get("/readyz").json() == {"status": "ready"}


def test_limits_and_searched_ranges_of_a_parameter_are_apart() -> None:
    length = _schema(Int(10, 5, 50, step=5, minimum=2, doc="bars"))
    assert length == {
        "description": "bars", "type": "integer", "default": 10, "minimum": 2,
        "x-search": {"low": 5, "high": 50, "step": 5, "log": False},
    }  # fmt: skip
    factor = _schema(Float(0.01, 0.001, 0.1, log=True))
    assert factor["type"] == "number"
    assert factor["x-search"]["log"] is True
    assert factor["description"], "a parameter without a text is described by its range"
    assert _schema(Bool(True))["default"] is True
    assert _schema(Choice("a", ["a", "b"]))["enum"] == ["a", "b"]


def test_every_strategy_can_be_described() -> None:
    for name in ms.strategies():
        found = _described(name)
        assert found["name"] == name
        assert found["summary"]
        assert found["parameters"]["additionalProperties"] is False
