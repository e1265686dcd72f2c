"""Containers, units and pods run the commands of `maestro stack`, hardened, in its order, with its templates."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from maestro.config.settings import schema, variable
from maestro.operations.stack import commands
from maestro.operations.stack.configuration import container_files
from tests.support.command_line import parse
from tests.support.programs import ROOT

DEPLOY = ROOT / "deploy"
SCHEDULED = ["--backup", "1d", "--fetch", "1h", "--keep", "14"]
EVERYWHERE = "0.0.0.0"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return found


@pytest.fixture(scope="module")
def containers() -> dict[str, Any]:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "maestro.yaml").read_text()))
    [pods] = [one for one in documents if one["kind"] == "StatefulSet"]
    return {one["name"]: one for one in pods["spec"]["template"]["spec"]["containers"]}


def test_containers_run_the_commands_of_the_stack(services: dict[str, Any]) -> None:
    wanted = {
        "api": commands.api(8400, EVERYWHERE),
        "worker": commands.worker(),
        "schedule": commands.schedule(SCHEDULED),
        "apps": commands.apps(5006, "/apps", ["${SITE:-localhost:8443}"], EVERYWHERE),
        "nginx": commands.nginx(Path("/etc/nginx/nginx.conf")),
        "prometheus": commands.prometheus(
            Path("/etc/prometheus/prometheus.yml"), Path("/prometheus"), 9090, EVERYWHERE
        ),
        "alertmanager": commands.alertmanager(
            Path("/etc/alertmanager/alertmanager.yml"), Path("/alertmanager"), 9093, EVERYWHERE
        ),
    }
    assert {name: services[name]["command"] for name in wanted} == wanted
    for name in ("api", "worker", "schedule", "apps"):
        parse(services[name]["command"])
    assert services["worker"]["healthcheck"]["test"] == ["CMD", "maestro", "worker", "--check"]
    parse(["worker", "--check"])
    with pytest.raises(Exception, match=r"(?i)no such option"):
        parse(["worker", "--chek"])


def test_pods_and_units_run_the_same(containers: dict[str, Any]) -> None:
    assert {name: one["args"] for name, one in containers.items()} == {
        "api": commands.api(8400, EVERYWHERE),
        "worker-1": commands.worker(),
        "worker-2": commands.worker(),
        "schedule": commands.schedule(SCHEDULED),
        "apps": commands.apps(5006, "/apps", ["maestro.example.org"]),
        "nginx": commands.nginx(Path("/etc/nginx/nginx.conf")),
    }
    units = {}
    for path in (DEPLOY / "systemd").glob("*.service"):
        [line] = re.findall(r"^ExecStart=/opt/maestro/bin/maestro (.*)$", path.read_text(), re.M)
        units[path.stem] = shlex.split(line)
    assert units == {
        "maestro-api": commands.api(8400),
        "maestro-worker@": commands.worker(),
        "maestro-apps": commands.apps(5006, "/apps", ["${SITE}"]),
        "maestro-compare": ["data", "compare", "${OLD_STORE}", "${NEW_STORE}"],
        "maestro-backup": ["backup", "create", "--keep", "14"],
        "maestro-fetch": ["data", "fetch", "--all", "--quiet"],
    }


def order(services: dict[str, Any], name: str) -> Iterator[str]:
    """Services that are started before one."""
    for before in services[name].get("depends_on", {}):
        yield before
        yield from order(services, before)


def test_every_container_is_hardened_limited_and_checked(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        user, group = service["user"].split(":")
        assert int(user) > 0, name
        assert int(group) > 0, name
        assert {"cpus", "memory", "pids"} == service["deploy"]["resources"]["limits"].keys(), name
        assert "healthcheck" in service, name
        assert not re.search(r":latest$|^[^:$]+$", service["image"]), name
        for port in service.get("ports", ()):
            assert "127.0.0.1" in port, name  # open to others only where somebody says so
        assert all(one["condition"] == "service_healthy" for one in service.get("depends_on", {}).values())


def test_the_order_of_the_start_is_that_of_the_stack(services: dict[str, Any]) -> None:
    assert {*order(services, "nginx")} == {"apps", "api", "questdb"}
    assert {*order(services, "worker")} == {*order(services, "schedule")} == {"api", "questdb"}
    assert {*order(services, "grafana")} == {"prometheus", "alertmanager", "api", "questdb"}


def test_the_profiles(services: dict[str, Any]) -> None:
    small = {name for name, one in services.items() if "small" in one["profiles"]}
    full = {name for name, one in services.items() if "full" in one["profiles"]}
    assert small == {"api", "worker", "apps", "nginx"}
    assert full - small == {"questdb", "schedule", "prometheus", "alertmanager", "grafana"}
    assert not services["api"]["depends_on"]["questdb"]["required"]


def test_settings_exist_and_secrets_are_files(services: dict[str, Any]) -> None:
    known = {variable(name): entry.doc.secret for name, entry in schema().items()}
    manifest = (DEPLOY / "kubernetes" / "maestro.yaml").read_text()
    given = {*services["api"]["environment"], *re.findall(r"^  (MAESTRO_\w+):", manifest, re.M)}
    assert len(given) > 9
    for name in given:
        assert name.removesuffix("_FILE") in known, name
        assert known[name.removesuffix("_FILE")] == name.endswith("_FILE"), name
    whole = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    used = {secret for service in services.values() for secret in service.get("secrets", ())}
    assert used == whole["secrets"].keys()
    assert all(secret["file"].startswith("./secrets/") for secret in whole["secrets"].values())


def test_the_image_has_every_extra_that_a_job_may_ask_for() -> None:
    """A backtest may name any engine, a run a tear sheet, and the settings MLflow, a cluster or QuestDB."""
    [given] = re.findall(r'"\.\[(.*)\]"', (DEPLOY / "Dockerfile").read_text())
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(given.split(",")) == known.keys() - {"all", "dev", "docs", "java", "jupyter"}


def test_files_that_containers_mount_are_those_of_the_templates(services: dict[str, Any]) -> None:
    for name, text in container_files().items():
        assert (DEPLOY / name).read_text() == text, f"deploy/{name} is out of date; run tools/write_deploy"
    mounted = {
        path.split(":")[0] for one in services.values() for path in one.get("volumes", ()) if path.startswith("./")
    }
    assert len(mounted) == 5
    assert all((DEPLOY / path).exists() for path in mounted)
    json.loads((DEPLOY / "grafana" / "maestro.json").read_text())
