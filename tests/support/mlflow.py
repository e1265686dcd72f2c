"""A stand-in for an MLflow server: the part of its REST interface that Maestro uses, kept in memory."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from tests.support.loopback import Quiet, serving

_API, _ARTIFACTS = "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts/"


class StandIn:
    """Experiments, runs and files; `refusing` makes it answer 503 to everything after so many requests."""

    def __init__(self) -> None:
        self.experiments: dict[str, str] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.headers: list[dict[str, str]] = []
        self.refusing: int | None = None
        self.artifacts = "mlflow-artifacts:"
        self.url = ""

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        if self.refusing is not None:
            self.refusing -= 1
            if self.refusing < 0:
                return 503, {}
        if path.startswith(_ARTIFACTS) and method == "GET":
            return 200, self.files[path.removeprefix(_ARTIFACTS)]
        if path.startswith(_ARTIFACTS):
            self.files[path.removeprefix(_ARTIFACTS)] = body
            return 200, {}
        given = json.loads(body) if body else query
        name = path.removeprefix(_API).replace("/", "_").replace("-", "_")
        return cast("tuple[int, Any]", getattr(self, name)(given))

    def experiments_get_by_name(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ident = self.experiments.get(given["experiment_name"])
        if ident is None:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}
        return 200, {"experiment": {"experiment_id": ident, "lifecycle_stage": "active"}}

    def experiments_create(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ident = self.experiments.setdefault(given["name"], str(len(self.experiments) + 1))
        return 200, {"experiment_id": ident}

    def runs_create(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ident = uuid.uuid4().hex
        info = {
            "run_id": ident, "run_name": given["run_name"], "status": "RUNNING",
            "experiment_id": given["experiment_id"],
            "artifact_uri": f"{self.artifacts}/{given['experiment_id']}/{ident}/artifacts",
        }  # fmt: skip
        self.runs[ident] = {"info": info, "data": {"metrics": [], "params": [], "tags": given["tags"]}}
        return 200, {"run": self.runs[ident]}

    def runs_get(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {"run": self.runs[given["run_id"]]}

    def runs_update(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.runs[given["run_id"]]["info"]["status"] = given["status"]
        return 200, {}

    def runs_log_batch(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        for kind in ("metrics", "params", "tags"):
            for pair in given.get(kind, []):
                if kind == "params" and len(pair["value"]) > 6000:
                    return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": f"{pair['key']} is too long"}
                kept = self.runs[given["run_id"]]["data"][kind]
                kept[:] = [one for one in kept if one["key"] != pair["key"]] + [pair]
        return 200, {}

    def runs_search(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        wanted = given.get("filter", "")
        tag = re.search(r"tags\.`?([\w.]+)`? = '(\w+)'", wanted)
        found = [
            run
            for run in self.runs.values()
            if run["info"]["experiment_id"] in given["experiment_ids"]
            and ("FINISHED" not in wanted or run["info"]["status"] == "FINISHED")
            and (not tag or {"key": tag[1], "value": tag[2]} in run["data"]["tags"])
        ]
        return 200, {"runs": found}


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A stand-in that listens on a free port of this machine."""
    state = StandIn()

    class Handler(Quiet):
        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.headers.append(dict(self.headers))
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            status, document = state.answer(self.command, parts.path, query, body)
            answer = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = handle_any

    with serving(Handler) as state.url:
        yield state
