"""Settings in effect: which file is found, and what overrides what."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.config import load_settings, make_settings
from maestro.errors import SettingsError
from tests.support.settings import write_settings


def test_the_nearest_file_above_is_taken_and_lines_are_its_origins(project: Path) -> None:
    write_settings(project, "store: rows\nservers:\n  questdb:\n    user: reader\ncache: {max_age: 15m, memory: 2GB}\n")
    settings = load_settings(env={})
    assert settings.file == project / "maestro.yaml"
    assert settings.store == str(project / "rows")  # relative to the file, not to the working directory
    assert (settings.servers.questdb.user, settings.cache.max_age, settings.cache.memory) == (
        "reader",
        900.0,
        2 * 2**30,
    )
    origins = {name: origin for name, _, origin, _ in settings.items()}
    assert origins["store"] == f"{project / 'maestro.yaml'}:1"
    assert origins["servers.questdb.user"].endswith("maestro.yaml:4")
    assert origins["cache.memory"].endswith("maestro.yaml:5")
    assert origins["servers.questdb.url"] == "built in"
    write_settings(project / "notebooks", "store: near")
    assert load_settings(env={}).store == str(project / "notebooks" / "near")


def test_a_changed_file_is_read_again(project: Path) -> None:
    write_settings(project, "search: {trials: 10}")
    assert load_settings(env={}).search.trials == 10
    write_settings(project, "search: {trials: 2000}")
    assert load_settings(env={}).search.trials == 2000


def test_the_environment_wins(project: Path) -> None:
    write_settings(project, "search: {trials: 10, seed: 4}\nservers: {binance: {url: 'http://one'}}")
    env = {
        "MAESTRO_SEARCH_TRIALS": "20", "MAESTRO_QUESTDB_PASSWORD": "hunter2", "MAESTRO_CACHE_ENABLED": "no",
        "MAESTRO_CACHE_MAX_AGE": "never", "MAESTRO_STORE": "~/bars", "MAESTRO_SEARCH_WORKERS": "", "HOME_MAESTRO": "x",
    }  # fmt: skip
    settings = load_settings(env=env)
    assert (settings.search.trials, settings.search.seed, settings.search.workers) == (20, 4, None)
    assert settings.cache.enabled is False
    assert settings.cache.max_age is None
    assert settings.store == str(Path.home() / "bars")
    shown = {name: (value, origin) for name, value, origin, _ in settings.items()}
    assert shown["search.trials"] == (20, "MAESTRO_SEARCH_TRIALS")
    assert shown["servers.questdb.password"] == ("(set)", "MAESTRO_QUESTDB_PASSWORD")
    assert "hunter2" not in repr(list(settings.items()))
    assert settings.servers.binance.url == "http://one"


def test_a_mirror_of_binance_serves_the_perpetuals_too_unless_they_have_their_own(project: Path) -> None:
    write_settings(project, "servers: {binance: {url: 'http://mirror/'}}")
    settings = load_settings(env={})
    assert (settings.servers.binance.url, settings.servers.binance.usdm_url) == ("http://mirror", "http://mirror")
    origins = {name: origin for name, _, origin, _ in settings.items()}
    assert origins["servers.binance.usdm_url"] == origins["servers.binance.url"] == f"{project / 'maestro.yaml'}:1"
    env = {"MAESTRO_BINANCE_USDM_URL": "http://own"}
    assert load_settings(env=env).servers.binance.usdm_url == "http://own"


def test_settings_are_made_of_values_alone(project: Path) -> None:
    write_settings(project, "search: {trials: 7}")
    settings = make_settings({"servers.bitmex.url": "http://x", "fetch.timeout": "2m", "state_dir": project})
    assert (settings.servers.bitmex.url, settings.fetch.timeout, settings.state_dir) == ("http://x", 120.0, project)
    assert settings.search.trials == 100  # no file is read
    with pytest.raises(SettingsError, match=r"'fetch.timout' is not a setting.*Did you mean 'fetch.timeout'"):
        make_settings({"fetch.timout": 1})
    with pytest.raises(SettingsError, match=r"given: fetch.tries is 0; give a number of at least 1"):
        make_settings({"fetch.tries": 0})


def test_a_folder_named_as_messages_name_it_is_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_STORE", f"parquet:{tmp_path / 'bars'}")
    assert load_settings().store == str(tmp_path / "bars")


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("from a file\n")
    settings = load_settings(tmp_path, {"MAESTRO_QUESTDB_PASSWORD_FILE": str(path)})
    assert settings.servers.questdb.password == "from a file"
    assert not settings.unknown
    path.write_text("another")
    settings = load_settings(tmp_path, {"MAESTRO_QUESTDB_PASSWORD_FILE": str(path)})
    assert settings.servers.questdb.password == "another"
    both = {"MAESTRO_QUESTDB_PASSWORD_FILE": str(path), "MAESTRO_QUESTDB_PASSWORD": "x"}
    with pytest.raises(SettingsError, match="MAESTRO_QUESTDB_PASSWORD_FILE are both set"):
        load_settings(tmp_path, both)
    with pytest.raises(SettingsError, match=r"MAESTRO_SERVICE_KEY_FILE: .*nowhere cannot be read"):
        load_settings(tmp_path, {"MAESTRO_SERVICE_KEY_FILE": str(tmp_path / "nowhere")})
    assert load_settings(tmp_path, {"MAESTRO_STORE_FILE": "x"}).unknown == ("MAESTRO_STORE_FILE",)
