"""`MLflow`: log finished walk-forwards on an MLflow server, with a nested run for each fold."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from maestro._core.json import as_text, dumps, plain
from maestro.config import load_settings
from maestro.errors import MaestroError, MissingExtraError, ServiceError, SettingsError
from maestro.execution import events as ev
from maestro.reports.page.stored import report_text
from maestro.walkforward.many.progress import Progress
from maestro.walkforward.result import WalkForward

_API, _ARTIFACTS = "/api/2.0/mlflow", "/api/2.0/mlflow-artifacts/artifacts"
_LONGEST, _MOST = 6000, 100
"""Characters of a parameter's value, and parameters or tags of one request, that MLflow accepts."""


class MLflow:
    """A listener that logs walk-forwards on an MLflow server: ``ms.walk_forward(..., progress=[ms.MLflow(url)])``.

    ``[True, ms.MLflow(url)]`` shows the bar too. With `ms.walk_forward_many` each walk-forward that it computes is
    logged.

    The MLflow run has the settings as parameters, the metrics out of sample (``oos_``) and of buy and hold
    (``benchmark_``), the verdict as tags, and the report and the manifest as artifacts. Each fold is a nested run with
    the chosen parameters and its metrics in sample (``is_``) and out of sample. Undefined metrics are left out. A run
    that is there already gets its new verdict and report only.

    A server that does not answer never fails a walk-forward: a warning says what is missing, and `log` adds it later.

    Parameters
    ----------
    url : str, optional
        Address of the server; the setting ``servers.mlflow.url`` if absent. User and password, or a token, are
        settings too (``MAESTRO_MLFLOW_PASSWORD``, ``MAESTRO_MLFLOW_TOKEN``).
    experiment : str, optional
        Created if it does not exist; the setting ``servers.mlflow.experiment`` if absent.
    report : bool
        Whether to make and upload the report.
    timeout : float [s]
        Of one request.
    say : callable, optional
        Takes the sentence about what could not be logged, in place of the warning.

    Raises
    ------
    SettingsError
        No address.
    MissingExtraError
        httpx is not installed.
    """

    def __init__(
        self, url: str | None = None, *, experiment: str | None = None, report: bool = True, timeout: float = 10.0,
        say: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        settings = load_settings().servers.mlflow
        address = url or settings.url
        if not address or not address.startswith(("http://", "https://")):
            raise SettingsError(
                f"url={address!r} is not the address of an MLflow server; give http://HOST:PORT, or set "
                "servers.mlflow.url."
            )
        try:
            import httpx
        except ImportError as error:
            raise MissingExtraError("httpx", "mlflow") from error
        self.url, self.experiment, self._report = address.rstrip("/"), experiment or settings.experiment, report
        self._say = say or _warn
        self._errors: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL)

        def connect() -> Any:
            login = None if settings.user is None else (settings.user, settings.password or "")
            headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
            return httpx.Client(base_url=self.url, timeout=timeout, auth=login, headers=headers)

        self._connect = connect

    def __call__(self, event: ev.Event | Progress) -> None:
        """Listen: log the result when a run is done."""
        wf = event.result if isinstance(event, (ev.RunDone, Progress)) else None
        if wf is None:
            return
        try:
            self.log(wf)
        except (MaestroError, OSError) as error:
            self._say(
                f"run {wf.id} is complete, but MLflow does not have all of it: {error} To add it later: "
                f"ms.MLflow({self.url!r}).log(ms.load_run(...))."
            )

    def log(self, wf: WalkForward) -> str:
        """Log a finished walk-forward; returns the id of its MLflow run.

        Raises
        ------
        ServiceError
            The server does not answer, refuses, or does not store artifacts itself.
        """
        with self._connect() as http:
            server = _Server(http, self.url, self._errors)
            experiment = server.experiment(self.experiment)
            found = server.finished(experiment, wf.id)
            run = found or server.create(experiment, wf.spec.title, _tags(wf), wf.manifest["started"])
            try:
                if not found:
                    self._fill(server, experiment, run, wf)
                self._judge(server, experiment, run, wf)
            except BaseException:
                if not found:
                    server.end(run, "FAILED", patient=False)
                raise
            if not found:
                server.end(run, "FINISHED")
            return run

    def _fill(self, server: _Server, experiment: str, run: str, wf: WalkForward) -> None:
        values = {f"oos_{name}": value for name, value in wf.metrics.items()}
        values |= {f"benchmark_{name}": value for name, value in wf.benchmark.items()}
        values |= {"efficiency": wf.efficiency, "folds": len(wf.folds), "failed_folds": len(wf.failed_folds)}
        if "seconds" in wf.manifest:
            values["seconds"] = wf.manifest["seconds"]
        server.log(run, metrics=values, params=dict(_flat(wf.spec.to_dict())))
        names = list(wf.spec.space)
        for fold in wf.folds.to_dicts():
            tags = {"mlflow.parentRunId": run, "maestro.fold": str(fold["fold"])}
            if fold["error"]:
                tags["maestro.error"] = fold["error"]
            nested = server.create(experiment, f"fold {fold['fold']}", tags, wf.manifest["started"])
            windows = {name: fold[name] for name in ("train_start", "train_end", "test_start", "test_end")}
            chosen = {name: fold[name] for name in names if fold[name] is not None}
            scores = {name: value for name, value in fold.items() if name.startswith(("is_", "oos_"))}
            server.log(nested, metrics=scores, params={**chosen, **windows})
            server.end(nested, "FAILED" if fold["error"] else "FINISHED")

    def _judge(self, server: _Server, experiment: str, run: str, wf: WalkForward) -> None:
        verdict = wf.verdict
        words = [verdict.summary, *(warning.text for warning in verdict.warnings), *wf.notes]
        tags = {
            "maestro.verdict": verdict.conclusion,
            "maestro.verdict.preliminary": str(verdict.preliminary).lower(),
            "mlflow.note.content": "\n\n".join(word for word in words if word),
            **{f"maestro.verdict.{question}": answer for question, answer in verdict.answers.items()},
        }
        server.log(run, tags=tags)
        files = {"manifest.json": dumps(wf.manifest, indent=1), "verdict.json": dumps(verdict.to_dict(), indent=1)}
        if self._report:
            files["report.html"] = report_text(wf)
        for name, text in files.items():
            server.upload(run, name, text)

    def __repr__(self) -> str:
        return f"MLflow({self.url!r}, experiment={self.experiment!r})"


class _Server:
    """The calls of MLflow's REST interface that are needed."""

    def __init__(self, http: Any, url: str, errors: tuple[type[Exception], ...]) -> None:
        self._http, self._url, self._errors = http, url, errors

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Send a request; returns the answer's JSON, None if there is no such thing."""
        try:
            answer = self._http.request(method, path, **options)
        except self._errors as error:
            raise ServiceError(
                f"{self._url} does not answer ({error or type(error).__name__}); is an MLflow server running there?"
            ) from error
        try:
            found = answer.json() if answer.content else {}
        except ValueError:
            found = {}
        if answer.status_code >= 400:
            body = found if isinstance(found, dict) else {}
            if body.get("error_code") in ("RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"):
                return None
            words = body.get("message") or f"HTTP {answer.status_code} without a message of MLflow"
            raise ServiceError(f"{self._url} refuses {path.removeprefix(_API)}: {words}")
        return found

    def _part(self, found: Any, *names: str) -> Any:
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        if found is None:
            raise ServiceError(f"{self._url} answers without {names[-1]}; is this the address of an MLflow server?")
        return found

    def experiment(self, name: str) -> str:
        """Id of an experiment, which is created if there is none; two programs may do so at once."""
        where = {"experiment_name": name}
        found = self.ask("GET", f"{_API}/experiments/get-by-name", params=where)
        if found is None:
            self.ask("POST", f"{_API}/experiments/create", json={"name": name})
            found = self.ask("GET", f"{_API}/experiments/get-by-name", params=where)
        if self._part(found, "experiment").get("lifecycle_stage") != "active":
            raise ServiceError(
                f"the experiment {name!r} of {self._url} was deleted; restore it there, or set another "
                "(servers.mlflow.experiment)."
            )
        return str(self._part(found, "experiment", "experiment_id"))

    def finished(self, experiment: str, ident: str) -> str | None:
        """MLflow's id of a run of ours that is there as a whole."""
        which = f"tags.`maestro.run` = '{ident}' and attributes.status = 'FINISHED'"
        query = {"experiment_ids": [experiment], "filter": which, "max_results": 1}
        runs = (self.ask("POST", f"{_API}/runs/search", json=query) or {}).get("runs", [])
        return str(runs[0]["info"]["run_id"]) if runs else None

    def create(self, experiment: str, name: str, tags: Mapping[str, str], started: str) -> str:
        """Create a run; returns its id."""
        at = int(datetime.fromisoformat(started).timestamp() * 1000)
        body = {"experiment_id": experiment, "run_name": name, "start_time": at, "tags": pairs(tags)}
        return str(self._part(self.ask("POST", f"{_API}/runs/create", json=body), "run", "info", "run_id"))

    def log(
        self, run: str, *, metrics: Mapping[str, float | None] | None = None, params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Add metrics that are defined, parameters and tags to a run."""
        now = int(time.time() * 1000)
        finite: list[Any] = [
            {"key": key, "value": float(value), "timestamp": now, "step": 0}
            for key, value in (metrics or {}).items()
            if value is not None and abs(value) < float("inf")
        ]
        parts = [
            {kind: all_of[k : k + _MOST]}
            for kind, all_of in (("metrics", finite), ("params", pairs(params or {})), ("tags", pairs(tags or {})))
            for k in range(0, len(all_of), _MOST)
        ]
        for part in parts:
            self.ask("POST", f"{_API}/runs/log-batch", json={"run_id": run, **part})

    def end(self, run: str, status: str, *, patient: bool = True) -> None:
        """Close a run; without patience, errors are ignored as another one is being reported."""
        body = {"run_id": run, "status": status, "end_time": int(time.time() * 1000)}
        try:
            self.ask("POST", f"{_API}/runs/update", json=body)
        except ServiceError:
            if patient:
                raise

    def upload(self, run: str, name: str, text: str) -> None:
        """Store a file with a run, through the server."""
        found = self.ask("GET", f"{_API}/runs/get", params={"run_id": run})
        uri = str(self._part(found, "run", "info", "artifact_uri"))
        scheme, _, path = uri.partition(":")
        if scheme != "mlflow-artifacts":
            raise ServiceError(
                f"{self._url} does not store artifacts itself ({uri}); start it with "
                "--serve-artifacts, or give report=False."
            )
        place = f"{_ARTIFACTS}/{path.lstrip('/').removesuffix('/')}/{name}"
        self.ask("PUT", place, content=text.encode(), headers={"Content-Type": "application/octet-stream"})


def _tags(wf: WalkForward) -> dict[str, str]:
    return {
        "mlflow.source.name": "maestro",
        "maestro.run": wf.id,
        "maestro.strategy": wf.spec.strategy,
        "maestro.series": wf.spec.bars.name,
        "maestro.version": as_text(wf.manifest["versions"].get("maestro", "")),
    }


def _flat(spec: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by dotted names; windows are in the folds, and what is empty says nothing."""
    for key, value in spec.items():
        name = f"{before}{key}"
        if name in ("windows", "space.fixed") or value in (None, {}, [], ""):
            continue
        if isinstance(value, Mapping) and not name.startswith("space.search."):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def pairs(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return keys and values as MLflow takes them; what is too long is cut, and says so."""
    found = []
    for key, value in values.items():
        text = as_text(plain(value))
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST - 40]} … (cut; whole in manifest.json)"
        found.append({"key": key, "value": text})
    return found


def _warn(words: str) -> None:
    warnings.warn(words, RuntimeWarning, stacklevel=4)
