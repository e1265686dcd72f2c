"""The alerts fire when they should, and bad values are refused before a file is written."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from maestro.errors import RunError, SettingsError
from maestro.operations.stack import ReverseProxy
from maestro.operations.stack.configuration import write_nginx, write_prometheus
from tests.support.programs import program

UNIT_TESTS = Path(__file__).with_name("rules_test.yml")


def check_rules(folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy(UNIT_TESTS, folder)
    return subprocess.run(
        [program("promtool"), "test", "rules", str(folder / UNIT_TESTS.name)], capture_output=True, text=True
    )


def test_the_alerts_fire_when_they_should(tmp_path: Path) -> None:
    promtool = program("promtool")
    path = write_prometheus(tmp_path, 1234)
    checked = subprocess.run([promtool, "check", "config", str(path)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    done = check_rules(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("found", "planted"),
    [
        ("== 0", "== 1"),
        ("> 600", "> 60000"),
        ("[1h])) > 5", "[1h])) > 500"),
        ("alive == 0", "alive == 1"),
        ("lost > 0", "lost > 2"),
        ("readable == 0", "readable < 0"),
        ("time() - maestro_series", "time() + maestro_series"),
        ("> 26 * 3600", "> 28 * 3600"),
        ("unless on (job, instance) maestro_backup", "unless on (job, instance) maestro_backups"),
        ("< 0.1", "< 0.01"),
        ("< 1024 ^ 3", "< 1024 ^ 2"),
    ],
)
def test_the_unit_tests_find_a_planted_fault(tmp_path: Path, found: str, planted: str) -> None:
    write_prometheus(tmp_path, 1234)
    rules = tmp_path / "rules.yml"
    assert found in rules.read_text()
    rules.write_text(rules.read_text().replace(found, planted, 1))
    assert check_rules(tmp_path).returncode != 0


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("prefix", ["", "/a/b"])
@pytest.mark.parametrize("apps", [None, 7])
def test_nginx_takes_every_configuration(tmp_path: Path, tls: bool, prefix: str, apps: int | None) -> None:
    from maestro.operations.stack.configuration import make_certificate

    nginx = program("nginx")
    if tls:
        program("openssl")
    files = make_certificate(tmp_path, "127.0.0.1") if tls else (None, None)
    old = "" if tls else "http://127.0.0.1:9"
    path = write_nginx(tmp_path, ReverseProxy(1234, "127.0.0.1", prefix, *files, old), 6, apps)
    done = subprocess.run([nginx, "-t", "-e", str(tmp_path / "e"), "-c", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"prefix": "/a/"}, "give a path such as /maestro"),
        ({"prefix": "/a;return 200"}, "give a path such as /maestro"),
        ({"address": "x; y"}, "give a host name"),
        ({"origins": ("https://x",)}, "give HOST:PORT"),
        ({"address": "0.0.0.0"}, "give with --origin HOST:80 under which name"),
        ({"old_api": "ftp://x"}, "give http://HOST:PORT"),
        ({"certificate": Path("x.pem")}, "give both --certificate and --key"),
        ({"certificate": Path("x.pem"), "key": Path("y.pem")}, "x.pem is not a file"),
    ],
)
def test_bad_values_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ReverseProxy(80, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["nginx.conf", "prometheus.yml", "rules.yml"])
def test_no_configuration_of_another_program_is_replaced(tmp_path: Path, name: str) -> None:
    def written() -> None:
        write_nginx(tmp_path, ReverseProxy(port=8443), 1234, None)
        write_prometheus(tmp_path, 1234)

    written()
    written()
    (tmp_path / name).write_text("# own\n")
    with pytest.raises(RunError, match=rf"{name} exists and is not a file that `maestro stack up` wrote"):
        written()
    assert (tmp_path / name).read_text() == "# own\n"
