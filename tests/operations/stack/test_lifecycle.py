"""The whole stack as a user starts it: through nginx, in a browser, asked by Prometheus, and gone at the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import yaml
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from maestro.config import load_settings
from maestro.errors import ServiceError, SettingsError
from maestro.operations.stack import ReverseProxy, down, status, up
from maestro.operations.stack.lifecycle import OPTIONAL
from maestro.operations.stack.state import read, start_time
from maestro.runs import list_runs
from maestro.service.accounts import Users
from maestro.service.jobs import Database
from tests.service.conftest import SMALL
from tests.support.patience import GIVE_UP, GIVE_UP_MS
from tests.support.programs import program

ROOT = Path(__file__).parents[3]
PASSWORD = "correct horse battery"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are started as on POSIX")


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "maestro", "stack", *words], cwd=folder, capture_output=True, text=True
    )


def prepare(folder: Path) -> str:
    """Write settings and add a user; returns an API key."""
    (folder / "maestro.yaml").write_text(
        "store: store\nruns_dir: runs\nledger_dir: ledger\nservice:\n  folder: service\nbackup:\n  folder: backups\n"
    )
    database = Database(folder / "service")
    users = Users(database)
    users.add("ada", "admin", PASSWORD)
    key = users.make_key("ada", "test")
    database.close()
    return key


def running(groups: list[int]) -> list[str]:
    """Processes of these groups, without those that ended and were not waited for."""
    done = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in done.stdout.splitlines()]
    return [row[2] for row in rows if int(row[0]) in groups and not row[1].startswith("Z")]


class Site:
    def __init__(self, folder: Path, key: str, parts: dict[str, Any], url: str) -> None:
        self.folder, self.key, self.parts, self.url = folder, key, parts, url

    def http(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=GIVE_UP, verify=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    for name in ("nginx", "prometheus", "openssl"):
        program(name)
    folder = tmp_path_factory.mktemp("stack")
    key = prepare(folder)
    docs = Path(tempfile.mkdtemp())  # nginx that root starts reads it as nobody, and the folder of the test is closed
    docs.chmod(0o755)
    (docs / "static").mkdir()
    (docs / "index.html").write_text("<h1>Maestro</h1>")
    (docs / "static" / "site.css").write_text("h1 { color: black }")
    wanted = ("--port", "0", "--prefix", "/maestro", "--self-signed", "--docs", str(docs), "--json")
    done = command(folder, "up", *wanted)
    try:
        assert done.returncode == 0, done.stderr
        parts = {part["name"]: part for part in json.loads(done.stdout)["parts"]}
        yield Site(folder, key, parts, parts["nginx"]["url"].removesuffix("/readyz"))
    finally:
        groups = [part.pid for part in read(folder / "stack")]
        ended = command(folder, "down")
        shutil.rmtree(docs)
    assert ended.stdout == "stopped prometheus, nginx, apps, worker-1, api\n"
    give_up = time.monotonic() + GIVE_UP
    while running(groups):
        assert time.monotonic() < give_up, running(groups)
        time.sleep(0.1)
    assert command(folder, "down").returncode == 1


def test_every_part_is_healthy(site: Site) -> None:
    assert list(site.parts) == ["api", "worker-1", "apps", "nginx", "prometheus"]
    done = command(site.folder, "status")
    assert done.returncode == 0
    assert done.stdout.count("healthy") == 5
    output = (site.folder / "stack" / "options").read_text()
    assert re.fullmatch(r"--port 0 --prefix /maestro --self-signed --docs \S+\n", output)
    again = command(site.folder, "up", "--port", "0")
    assert again.returncode == 1
    assert "run already; `maestro stack down` stops them" in again.stderr


def test_one_entrance(site: Site) -> None:
    with site.http() as http:
        assert http.get("/readyz").json() == {"status": "ready"}
        assert http.get("/").headers["location"] == "/maestro/apps/"
        assert http.get("/apps/market").headers["location"] == "/maestro/login?next=/maestro/apps/market"
        assert http.get("/apps/market/ws").status_code == 302
        assert http.get("/metrics").status_code == 404
        assert http.get("/docs").status_code == 200
        assert http.get("/api/v2/strategies").status_code == 401
        old = http.post("/api/v1/optimize", json={})
        assert old.status_code == 410
        assert "/maestro/api/v2/optimizations" in old.json()["detail"]
        assert http.post("/api/v2/optimizations", content=b"x" * 300_000).status_code == 413
        assert http.get("/readyz").headers["strict-transport-security"]
        assert "1.2" not in http.get("/readyz").headers["server"]
        assert httpx.get(site.url.replace("/maestro", "/_login_needed"), verify=False).status_code == 404
        assert httpx.get(site.url.replace("/maestro", "/apps/market"), verify=False).status_code == 404


def test_a_job_runs_and_its_events_stream_through_the_entrance(site: Site) -> None:
    with site.http(Authorization=f"Bearer {site.key}") as http:
        submitted = http.post("/api/v2/optimizations", json=SMALL)
        job, kinds = submitted.json(), []
        assert submitted.headers["location"] == f"/maestro/api/v2/optimizations/{job['id']}"
        with http.stream("GET", f"/api/v2/optimizations/{job['id']}/stream") as answer:
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    kinds.append(line.partition(":")[2].strip())
                if kinds and kinds[-1] in ("done", "failed"):
                    break
        assert kinds[-1] == "done"
        assert "fold" in kinds
        run = http.get(f"/api/v2/optimizations/{job['id']}").json()["run"]
        assert http.get(f"/api/v2/results/{run}").status_code == 200


def test_a_websocket_through_the_entrance_has_every_event(site: Site) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with site.http(Authorization=f"Bearer {site.key}") as http:
        job = http.post("/api/v2/optimizations", json={**SMALL, "trials": 9}).json()["id"]
        address = f"{site.url.replace('https', 'wss')}/api/v2/optimizations/{job}/ws"
        headers = {"Authorization": f"Bearer {site.key}"}
        with connect(address, additional_headers=headers, ssl=trusting, proxy=None) as socket:
            found = [one for one in map(json.loads, socket) if "seq" in one]
        asked = http.get(f"/api/v2/optimizations/{job}/events").json()
    assert [one["seq"] for one in found] == [one["seq"] for one in asked["events"]]
    assert found[-1]["kind"] == "done"
    with pytest.raises(InvalidStatus, match=r"HTTP 40[13]"):
        connect(address, ssl=trusting, proxy=None)


def test_the_documentation_is_served(site: Site) -> None:
    with site.http() as http:
        page, style = http.get("/handbook/"), http.get("/handbook/static/site.css")
        assert http.get("/handbook/../service/service.db").status_code == 404
        assert http.get("/handbook/nowhere.html").status_code == 404
    assert page.text == "<h1>Maestro</h1>"
    assert page.headers["content-type"] == "text/html"
    assert page.headers["content-security-policy"]
    assert style.headers["content-type"] == "text/css"


def test_logins_are_limited(site: Site) -> None:
    with site.http() as http:
        answers = [http.get("/login?next=/maestro/").status_code for _ in range(40)]
    assert 200 in answers
    assert 429 in answers
    time.sleep(5)  # so that the next test may log in


@pytest.mark.browser
def test_a_browser_goes_the_whole_way_under_the_content_policy(site: Site, browser: Any) -> None:
    page = browser.new_page(ignore_https_errors=True)
    page.set_default_timeout(GIVE_UP_MS)
    output: list[str] = []
    page.on("console", lambda message: output.append(message.text) if message.type == "error" else None)
    page.goto(f"{site.url}/")
    page.fill("#u", "ada")
    page.fill("#p", PASSWORD)
    page.click("button")
    page.wait_for_url(f"{site.url}/apps/")
    page.get_by_text("Recent runs").first.wait_for()
    for name in ("market", "backtest"):
        page.goto(f"{site.url}/apps/{name}")
        page.get_by_role("link", name="Walk-forward").first.wait_for()
        page.wait_for_load_state("networkidle")
    fields = {"splitter": SMALL["splitter"], "trials": SMALL["trials"], "seed": 3}
    before = list_runs(site.folder / "runs")  # of other tests
    page.goto(f"{site.url}/apps/walk_forward?{urlencode(fields)}")
    page.get_by_role("button", name="Start").click()
    give_up = time.monotonic() + GIVE_UP
    while not len(runs := list_runs(site.folder / "runs").filter(status="done").join(before, on="id", how="anti")):
        assert time.monotonic() < give_up, page.inner_text("body")
        page.wait_for_timeout(200)
    page.get_by_role("button", name="Report").click()
    report = page.frame_locator("iframe[title=Report]")
    report.locator("[data-figures=drawn]").first.wait_for(state="attached")
    page.goto(f"{site.url}/apps/runs")
    page.get_by_text(runs["id"][0]).first.wait_for()
    page.get_by_text(f"{site.url}/apps/runs").first.wait_for()  # the frozen link, with https
    page.goto(f"{site.url}/docs")
    page.get_by_text("/api/v2/optimizations").first.wait_for()
    page.goto(f"{site.url}/handbook/")
    page.get_by_role("heading", name="Maestro").wait_for()
    page.close()
    assert not output


@pytest.mark.browser
def test_a_run_goes_on_after_its_tab_is_closed_and_is_found_elsewhere(site: Site, browser: Any) -> None:
    def visit(path: str) -> Any:
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(GIVE_UP_MS)
        page.goto(f"{site.url}{path}")
        page.fill("#u", "ada")
        page.fill("#p", PASSWORD)
        page.click("button")
        return page

    asked = {"splitter": "rolling:4,2,1", "search": "random", "trials": 20_000, "seed": 5}
    first = visit(f"/apps/walk_forward?{urlencode(asked)}")
    first.get_by_role("button", name="Start").click()
    with site.http(Authorization=f"Bearer {site.key}") as http:

        def job() -> dict[str, Any]:
            found = http.get("/api/v2/optimizations").json()["jobs"]
            return next((dict(one) for one in found if one["spec"]["seed"] == 5), {"state": "none"})

        give_up = time.monotonic() + GIVE_UP
        while job()["state"] not in ("running", "done"):
            assert time.monotonic() < give_up, first.inner_text("body")
            time.sleep(0.1)
        first.context.close()
        second = visit("/apps/")
        second.get_by_text("My jobs").wait_for()
        second.get_by_role("link", name="Open EmaCrossStrategy on AAPL").first.click()
        second.get_by_role("button", name="Report").wait_for()
        give_up = time.monotonic() + GIVE_UP
        while job()["state"] != "done":
            assert time.monotonic() < give_up, second.inner_text("body")
            time.sleep(0.1)
        assert job()["owner"] == "ada", "the visitor, though the apps have no key"
        run = job()["run"]
    second.get_by_role("button", name="Report").click()
    second.frame_locator("iframe[title=Report]").locator("[data-figures=drawn]").first.wait_for(state="attached")
    assert (site.folder / "runs" / run / "manifest.json").is_file()
    assert (site.folder / "service" / "runs" / run / "manifest.json").is_file()
    second.context.close()


def expressions() -> list[str]:
    """Every expression of the dashboard and of the alerts."""
    panels = json.loads((ROOT / "deploy" / "grafana" / "maestro.json").read_text())["panels"]
    [group] = yaml.safe_load((ROOT / "maestro/operations/stack/templates/rules.yml").read_text())["groups"]
    of_rules = [rule["expr"] for rule in group["rules"]]
    return [*(target["expr"] for panel in panels for target in panel["targets"]), *of_rules]


def unknown_names(address: str, expression: str) -> set[str]:
    """Ask Prometheus an expression; returns the metrics in it that no target has."""
    answer = httpx.get(f"{address}/api/v1/query", params={"query": expression}, timeout=GIVE_UP)
    assert answer.status_code == 200, answer.text
    known = {one["metric"] for one in httpx.get(f"{address}/api/v1/targets/metadata", timeout=GIVE_UP).json()["data"]}
    names = set(re.findall(r"\bmaestro_\w+", expression))
    ends = ("", "_total", "_bucket", "_count", "_sum")
    return {name for name in names if not {name.removesuffix(end) for end in ends} & known and name not in known}


def test_prometheus_knows_every_metric_of_the_dashboard(site: Site) -> None:
    address = site.parts["prometheus"]["url"].removesuffix("/-/ready")
    give_up = time.monotonic() + GIVE_UP
    while not httpx.get(f"{address}/api/v1/targets/metadata", timeout=GIVE_UP).json()["data"]:
        assert time.monotonic() < give_up, "Prometheus has not scraped the API"
        time.sleep(1)
    asked = expressions()
    assert len(asked) > 30
    for expression in asked:
        assert not unknown_names(address, expression), expression
    assert unknown_names(address, "rate(maestro_http_requests_seconds_count[5m])") == {
        "maestro_http_requests_seconds_count"
    }


def test_a_part_that_ended_is_shown_and_down_ends_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "stack"
    parts = up(folder, load_settings(), ReverseProxy(0), schedule=("--backup", "1d"), without=OPTIONAL)
    try:
        assert [part.name for part in parts] == ["api", "worker-1", "schedule"]
        assert [output for _, output in status(folder)] == ["healthy", "healthy", "healthy"]
        give_up = time.monotonic() + GIVE_UP
        while not list((tmp_path / "backups").glob("maestro-*.tar.*")):
            assert time.monotonic() < give_up
            time.sleep(0.1)
        os.kill(parts[1].pid, signal.SIGKILL)
        while start_time(parts[1].pid):
            time.sleep(0.05)
        assert [output for _, output in status(folder)] == ["healthy", "ended", "healthy"]
    finally:
        assert down(folder) == ["api", "schedule"]
    assert not [part for part in parts if part.runs]
    assert read(folder) == []


def test_a_start_that_fails_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "stack"
    with pytest.raises(SettingsError, match="there is no such part; there are: apps, nginx, prometheus"):
        up(folder, load_settings(), ReverseProxy(0), without=("grafana",))
    (tmp_path / "maestro.yaml").write_text("service:\n  folder: service\n")
    program("nginx")
    with pytest.raises(SettingsError, match="there are no users"):
        up(folder, load_settings(), ReverseProxy(0), without=("apps", "prometheus"))
    prepare(tmp_path)
    started: list[int] = []
    from maestro.operations.stack import lifecycle

    def fail(*_: object) -> Path:
        started.extend(part.pid for part in read(folder))
        raise ServiceError("no room")

    monkeypatch.setattr(lifecycle, "write_nginx", fail)
    with pytest.raises(ServiceError, match="no room"):
        up(folder, load_settings(), ReverseProxy(0), without=("apps", "prometheus"))
    assert len(started) == 2
    assert not [pid for pid in started if start_time(pid)]
    assert read(folder) == []
