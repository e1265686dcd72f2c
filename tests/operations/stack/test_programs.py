"""All programs that a stack lacks are named in one error, with the command that installs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.errors import ServiceError
from maestro.operations.stack import programs


def test_all_missing_programs_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.shutil, "which", lambda name, **_: "/usr/sbin/nginx" if name == "nginx" else None)
    assert programs.find_programs(["nginx"]) == {"nginx": "/usr/sbin/nginx"}
    with pytest.raises(ServiceError) as raised:
        programs.find_programs(["nginx", "prometheus", "openssl"])
    assert str(raised.value) == (
        "prometheus and openssl are not installed. On Debian: apt-get install prometheus openssl; or start without "
        "them: --without prometheus, --certificate with --key."
    )


def test_nginx_is_found_where_only_root_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs.shutil, "which", lambda name, path: asked.append(path) or f"/usr/sbin/{name}")
    assert programs.find_programs(["nginx"]) == {"nginx": "/usr/sbin/nginx"}
    assert asked == [f"{tmp_path}:/usr/sbin:/usr/local/sbin"]
