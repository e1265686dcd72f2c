"""Names of settings: variables, plug-ins, and what is not a setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro._core import registry
from maestro.config import load_settings
from maestro.config.settings import PluginServer
from maestro.errors import SettingsError
from tests.support.settings import write_settings


def test_what_is_wrong_in_the_environment_is_named(project: Path) -> None:
    with pytest.raises(SettingsError, match=r"MAESTRO_SEARCH_SEED: search\.seed is 'x'; give a whole number"):
        load_settings(env={"MAESTRO_SEARCH_SEED": "x"})
    assert load_settings(env={"MAESTRO_STOER": "x"}).unknown == ("MAESTRO_STOER",)


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package with a source that is called ACME-ONE."""
    info = tmp_path / "site" / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[maestro.sources]\nACME-ONE = acme:open\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()


def test_a_plug_in_has_an_address_and_a_login(project: Path, acme: None) -> None:
    write_settings(project, "servers:\n  acme-one:\n    url: http://here/\n")
    settings = load_settings(env={"MAESTRO_ACME_ONE_PASSWORD": "hunter2", "MAESTRO_ACME_TWO_URL": "http://x"})
    assert settings.servers.plugins == {"acme-one": PluginServer("http://here", None, "hunter2")}
    assert settings.unknown == ("MAESTRO_ACME_TWO_URL",)
    shown = {name: (value, origin) for name, value, origin, _ in settings.items()}
    assert shown["servers.acme-one.url"] == ("http://here", f"{project / 'maestro.yaml'}:3")
    assert shown["servers.acme-one.password"] == ("(set)", "MAESTRO_ACME_ONE_PASSWORD")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("servers: {acme-on: {url: 'http://x'}}", "allowed here: acme-one, binance, .* Did you mean 'acme-one'"),
        ("servers: {acme-one: {urls: 'http://x'}}", "allowed here: password, url, user. Did you mean 'url'"),
        ("servers: {acme-one: {password: x}}", "must not be in a file; set MAESTRO_ACME_ONE_PASSWORD"),
        ("servers: {acme-one: {url: x}}", "give a URL"),
    ],
)
def test_what_is_wrong_about_a_plug_in_is_named(project: Path, acme: None, text: str, message: str) -> None:
    write_settings(project, text)
    with pytest.raises(SettingsError, match=message):
        load_settings(env={})
