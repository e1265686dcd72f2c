"""The commands of the parts: on this machine only unless another address is given, and then behind a login."""

from __future__ import annotations

from pathlib import Path

from maestro.operations.stack import commands


def test_parts_listen_on_this_machine_only_by_default() -> None:
    assert commands.api(8400) == ["serve", "--port", "8400"]
    assert commands.api(8400, "0.0.0.0") == ["serve", "--port", "8400", "--address", "0.0.0.0"]
    assert "--web.listen-address=127.0.0.1:9090" in commands.prometheus(Path("c"), Path("d"), 9090)
    assert "--web.listen-address=127.0.0.1:9093" in commands.alertmanager(Path("c"), Path("d"), 9093)


def test_apps_on_another_address_declare_a_login_in_front() -> None:
    near = commands.apps(5006, "/apps", ["a:1", "b:2"])
    assert near == ["app", "--no-show", "--port", "5006", "--prefix", "/apps", "--origin", "a:1", "--origin", "b:2"]
    far = commands.apps(5006, "/apps", ["a:1"], "0.0.0.0")
    assert far[-3:] == ["--address", "0.0.0.0", "--i-have-a-login-in-front"]
