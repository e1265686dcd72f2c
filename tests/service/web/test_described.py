"""The OpenAPI document names every error, and an address that has several methods names all of them."""

from __future__ import annotations

from pathlib import Path

from maestro.service.web.application import openapi
from maestro.service.web.described import PROBLEM
from tests.service.web.conftest import Site
from tests.service.web.test_access import AUTH, JOBS


def test_every_endpoint_has_problem_details_as_errors(tmp_path: Path) -> None:
    document = openapi(tmp_path)
    for address, operations in document["paths"].items():
        for method, one in operations.items():
            refused = one["responses"]["4XX"]["content"]
            assert list(refused) == ["application/problem+json"], (address, method)
            assert "422" not in one["responses"], (address, method)
    assert document["components"]["schemas"]["Problem"] == PROBLEM
    results = document["paths"]["/api/v2/results/{run}/{table}"]["get"]["responses"]["200"]["content"]
    assert "application/vnd.apache.parquet" in results
    ticket = document["paths"]["/api/v2/auth/ticket"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert ticket["required"] == ["job"]


def test_errors_have_the_fields_that_are_described(alone: Site) -> None:
    with alone.http() as http:
        answer = http.request("OPTIONS", f"{AUTH}/keys")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
        assert http.request("OPTIONS", f"{JOBS}/estimate").headers["allow"] == "POST"
        unknown = http.get("/api/v2/strategies/RSIStrateg")
        assert unknown.status_code == 404
        for document in (answer.json(), unknown.json()):
            assert set(PROBLEM["required"]) <= set(document) <= set(PROBLEM["properties"])
