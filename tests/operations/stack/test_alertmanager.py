"""An alert that fires in a real Prometheus arrives at the webhook of a real Alertmanager."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from maestro.data.stores.questdb_server import free_port
from maestro.errors import ServiceError, SettingsError
from maestro.operations.stack import commands
from maestro.operations.stack.configuration import write_prometheus
from maestro.operations.stack.programs import find_programs
from tests.support.patience import GIVE_UP
from tests.support.programs import ROOT

EXAMPLE = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"


def test_a_firing_alert_arrives_at_the_webhook(tmp_path: Path) -> None:
    try:
        programs = find_programs(["prometheus", "alertmanager"])
    except ServiceError as error:
        pytest.skip(str(error))
    received: queue.Queue[dict[str, Any]] = queue.Queue()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Webhook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    processes = []
    try:
        routes = tmp_path / "alertmanager.yml"
        assert "http://127.0.0.1:9099/" in EXAMPLE.read_text()
        routes.write_text(EXAMPLE.read_text().replace("127.0.0.1:9099", f"127.0.0.1:{server.server_port}"))
        port, nobody = free_port(), free_port()
        configuration = write_prometheus(tmp_path, nobody, f"127.0.0.1:{port}")
        configuration.write_text(configuration.read_text().replace("15s", "1s"))
        rules = tmp_path / "rules.yml"
        rules.write_text(rules.read_text().replace("for: 1m", "for: 0s"))
        for name, command in (
            ("alertmanager", commands.alertmanager(routes, tmp_path / "a", port)),
            ("prometheus", commands.prometheus(configuration, tmp_path / "p", free_port())),
        ):
            with open(tmp_path / f"{name}.log", "wb") as log:
                processes.append(subprocess.Popen([programs[name], *command], stdout=log, stderr=subprocess.STDOUT))
        output = received.get(timeout=GIVE_UP)
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        server.shutdown()
        thread.join()
        server.server_close()
    [alert] = output["alerts"]
    assert (output["status"], output["receiver"]) == ("firing", "team")
    assert alert["labels"]["alertname"] == "MaestroApiDown"
    assert "maestro stack status" in alert["annotations"]["action"]


def test_an_alertmanager_without_prometheus_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maestro.config import load_settings
    from maestro.operations.stack import ReverseProxy, up

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="needs Prometheus"):
        up(tmp_path / "stack", load_settings(), ReverseProxy(0), without=("prometheus",), alertmanager=EXAMPLE)
    with pytest.raises(SettingsError, match=r"nowhere\.yml is not a file"):
        up(tmp_path / "stack", load_settings(), ReverseProxy(0), alertmanager=tmp_path / "nowhere.yml")
