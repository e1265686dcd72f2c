"""Every file of deploy and .github passes its linter, and each linter finds a fault that is planted."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import LINTERS, ROOT, program

SCHEMAS = LINTERS.parent / "kubernetes-schemas"
KUBECONFORM = ("-strict", "-schema-location", f"{SCHEMAS}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json")
# Host names of requests are passed on with their port, which the check of a WebSocket's origin needs.
GIXY = ("--skips", "host_spoofing")
YAMLLINT = ("-c", str(ROOT / "deploy" / "yamllint.yaml"))
COMPOSE, NGINX, MANIFEST = "deploy/compose.yaml", "deploy/nginx/nginx.conf", "deploy/kubernetes/maestro.yaml"
CI = ".github/workflows/ci.yml"

LINTED = [
    ("hadolint", (), "deploy/Dockerfile", "WORKDIR /src", "WORKDIR src"),
    ("hadolint", (), "deploy/nginx/Dockerfile", "unprivileged:1.28.0-alpine3.21", "unprivileged:latest"),
    ("check-jsonschema", ("--builtin-schema", "vendor.compose-spec"), COMPOSE, "healthcheck:", "health_check:"),
    ("kubeconform", KUBECONFORM, MANIFEST, "replicas: 1", "replica: 1"),
    ("gixy", GIXY, NGINX, "ssl_protocols TLSv1.2", "ssl_protocols TLSv1 TLSv1.2"),
    ("gixy", GIXY, NGINX, "location /handbook/ {", "location /handbook {"),
    ("actionlint", (), CI, "runs-on: ubuntu-latest", "runs-on: ubuntu-oldest"),
    ("yamllint", YAMLLINT, COMPOSE, "  worker:\n", "  api:\n"),
    ("yamllint", YAMLLINT, MANIFEST, "  replicas: 1\n", "  replicas: 1\n  replicas: 2\n"),
]  # fmt: skip
"""Linter, its options, a file, and a fault: text of the file and what is planted in its place."""


def lint(name: str, options: tuple[str, ...], path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program(name), *options, str(path)], capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize(("name", "options", "file", "found", "planted"), LINTED)
def test_a_file_passes_its_linter_and_a_planted_fault_is_found(
    tmp_path: Path, name: str, options: tuple[str, ...], file: str, found: str, planted: str
) -> None:
    done = lint(name, options, ROOT / file)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (ROOT / file).read_text()
    assert found in text
    changed = tmp_path / Path(file).name
    changed.write_text(text.replace(found, planted, 1))
    assert lint(name, options, changed).returncode != 0


def test_amtool_takes_the_routes_of_alerts_and_finds_a_planted_fault(tmp_path: Path) -> None:
    if shutil.which("amtool") is None:
        pytest.skip(
            "amtool is not installed; `tools/setup_test_services` installs it (package prometheus-alertmanager)"
        )
    file = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
    done = subprocess.run(["amtool", "check-config", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    changed = tmp_path / file.name
    changed.write_text(file.read_text().replace("receiver: team", "receiver: nobody", 1))
    assert subprocess.run(["amtool", "check-config", str(changed)], capture_output=True).returncode != 0


def test_every_file_is_linted() -> None:
    deploy = ROOT / "deploy"
    yaml = [*deploy.rglob("*.yaml"), *deploy.rglob("*.yml"), *(ROOT / ".github").rglob("*.yml")]
    assert len(yaml) > 6
    done = subprocess.run(
        [program("yamllint"), "-c", str(deploy / "yamllint.yaml"), *map(str, yaml)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    names = {Path(file) for _, _, file, _, _ in LINTED}
    docker = {path.relative_to(ROOT) for path in deploy.rglob("Dockerfile")}
    manifests = {path.relative_to(ROOT) for path in (deploy / "kubernetes").iterdir()}
    assert docker | manifests <= names
    done = subprocess.run([program("actionlint")], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_prometheus_takes_the_configuration_of_the_containers(tmp_path: Path) -> None:
    promtool = program("promtool")
    folder = ROOT / "deploy" / "prometheus"
    rules = subprocess.run([promtool, "check", "rules", str(folder / "rules.yml")], capture_output=True, text=True)
    assert rules.returncode == 0, rules.stderr
    shutil.copytree(folder, tmp_path / "p")
    path = tmp_path / "p" / "prometheus.yml"
    text = path.read_text().replace("/etc/prometheus/", f"{tmp_path}/p/").replace("/run/secrets/", f"{tmp_path}/")
    (tmp_path / "metrics_key").touch()
    path.write_text(text)
    done = subprocess.run([promtool, "check", "config", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path.write_text(text.replace("scrape_interval: 15s", "scrape_interval: often"))
    assert subprocess.run([promtool, "check", "config", str(path)], capture_output=True).returncode != 0
