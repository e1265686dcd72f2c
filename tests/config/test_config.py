"""Settings: where they are found, what wins, what is refused with its line, and the costs of venues."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro._core import registry
from maestro.cli import _run
from maestro.config import VENUES, load_settings, make_settings, venue
from maestro.config.settings import PluginServer, schema, variable
from maestro.data.stores import CachedStore, ParquetStore, QuestDBStore, RecentStore, configured_store, open_store
from maestro.engine import Costs
from maestro.errors import SettingsError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below another one; the working directory is the lower one."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    for name in [variable(setting) for setting in schema()]:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "maestro.yaml").write_text(text)


def test_without_a_file_everything_is_built_in(project: Path) -> None:
    settings = load_settings(env={})
    assert settings.file is None
    assert {origin for _, _, origin, _ in settings.items()} == {"built in"}
    assert settings.search.trials == 100
    assert "~" not in settings.store


def test_the_nearest_file_above_is_taken_and_lines_are_its_origins(project: Path) -> None:
    write(project, "store: rows\nservers:\n  questdb:\n    user: reader\ncache: {max_age: 15m, memory: 2GB}\n")
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
    write(project / "notebooks", "store: near")
    assert load_settings(env={}).store == str(project / "notebooks" / "near")


def test_a_changed_file_is_read_again(project: Path) -> None:
    write(project, "search: {trials: 10}")
    assert load_settings(env={}).search.trials == 10
    write(project, "search: {trials: 2000}")
    assert load_settings(env={}).search.trials == 2000


def test_the_environment_wins(project: Path) -> None:
    write(project, "search: {trials: 10, seed: 4}\nservers: {binance: {url: 'http://one'}}")
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


def test_every_variable_is_of_one_setting_and_sets_it(project: Path) -> None:
    names = [variable(name) for name in schema()]
    assert len(set(names)) == len(names)
    raw = {"bool": "false", "int": "7", "float": "7", "str": "seven", "Path": "/seven", "url": "http://seven"}
    for name, entry in schema().items():
        text = raw.get(entry.doc.unit, raw[entry.kind.__name__])
        settings = load_settings(env={variable(name): text})
        changed = [row[0] for row in settings.items() if row[2] != "built in"]
        assert changed == [name, *(["servers.binance.usdm_url"] if name == "servers.binance.url" else [])]
        assert settings != load_settings(env={})


def test_a_mirror_of_binance_serves_the_perpetuals_too_unless_they_have_their_own(project: Path) -> None:
    write(project, "servers: {binance: {url: 'http://mirror/'}}")
    settings = load_settings(env={})
    assert (settings.servers.binance.url, settings.servers.binance.usdm_url) == ("http://mirror", "http://mirror")
    origins = {name: origin for name, _, origin, _ in settings.items()}
    assert origins["servers.binance.usdm_url"] == origins["servers.binance.url"] == f"{project / 'maestro.yaml'}:1"
    env = {"MAESTRO_BINANCE_USDM_URL": "http://own"}
    assert load_settings(env=env).servers.binance.usdm_url == "http://own"


def test_settings_are_made_of_values_alone(project: Path) -> None:
    write(project, "search: {trials: 7}")
    settings = make_settings({"servers.bitmex.url": "http://x", "fetch.timeout": "2m", "state_dir": project})
    assert (settings.servers.bitmex.url, settings.fetch.timeout, settings.state_dir) == ("http://x", 120.0, project)
    assert settings.search.trials == 100  # no file is read
    with pytest.raises(SettingsError, match=r"'fetch.timout' is not a setting.*Did you mean 'fetch.timeout'"):
        make_settings({"fetch.timout": 1})
    with pytest.raises(SettingsError, match=r"given: fetch.tries is 0; give a number of at least 1"):
        make_settings({"fetch.tries": 0})


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("store: a\nstoer: b", 2, r"'stoer' is not a setting; .*Did you mean 'store'"),
        ("search:\n  trails: 5", 2, r"'search.trails' is not a setting; allowed here: method, seed, trials, workers"),
        ("search:\n  trials: many", 2, "search.trials is 'many'; give a whole number"),
        ("search:\n  trials: 1.5", 2, "give a whole number"),
        ("search:\n  trials: true", 2, "give a whole number"),
        ("search:\n  trials: 0", 2, "give a number of at least 1"),
        ("search: 5", 1, "the section 'search' holds '5'"),
        ("store:\n  path: x", 1, "store is {'path': 'x'}; give a folder"),
        ("store:", 1, "store is None; give a folder"),
        ("\n\ncache:\n\n  max_age: soon", 5, "give seconds, or a time such as 90s"),
        ("cache: {memory: 5TB}", 1, "give bytes, or a size"),
        ("cache: {enabled: perhaps}", 1, "give true or false"),
        ("servers:\n  questdb:\n    password: x", 3, "must not be in a file; set MAESTRO_QUESTDB_PASSWORD"),
        ("servers:\n  kdb: {}", 2, "'servers.kdb' is not a setting; allowed here: binance, bitmex, ccxt, mlflow,"),
        ("costs:\n  BINANCE: {takr: 0.1}", 2, "Did you mean 'taker'"),
        ("costs:\n  BINANCE: {taker: 0.75}", 2, "at least -0.01 and below 0.5"),
        ("costs:\n  BINANCE: {taker: .nan}", 2, "give a number"),
        ("costs:\n  'A B': {taker: 0.1}", 2, "is not a setting"),
        ("costs:\n  BINANCE: 0.1", 2, "the section 'costs.BINANCE' holds '0.1'"),
        ("store: a\nsearch: {}\nstore: b", 3, "'store' is already set in line 1"),
        ("- store", 1, "the file holds a sequence"),
        ("? [a]\n: b", 1, "a key must be a name"),
        ("a: [1\nb: 2", 2, "this is not valid YAML"),
        (f"a: {'[' * 3_000}{']' * 3_000}", 1, "nested too deeply"),
        ("store: *nowhere", 1, "this is not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(project: Path, text: str, line: int, said: str) -> None:
    write(project, text)
    with pytest.raises(SettingsError, match=said) as caught:
        load_settings(env={})
    assert str(caught.value).startswith(f"{project / 'maestro.yaml'}:{line}: ")


def test_what_is_wrong_in_the_environment_is_named(project: Path) -> None:
    with pytest.raises(SettingsError, match=r"MAESTRO_SEARCH_SEED: search\.seed is 'x'; give a whole number"):
        load_settings(env={"MAESTRO_SEARCH_SEED": "x"})
    assert load_settings(env={"MAESTRO_STOER": "x"}).unknown == ("MAESTRO_STOER",)


def test_empty_files_and_sections_are_fine(project: Path) -> None:
    for text in ("", "# nothing yet\n", "search:\n  # trials: 5\ncosts:\n"):
        write(project, text)
        assert load_settings(env={}).search.trials == 100


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
    write(project, "servers:\n  acme-one:\n    url: http://here/\n")
    settings = load_settings(env={"MAESTRO_ACME_ONE_PASSWORD": "hunter2", "MAESTRO_ACME_TWO_URL": "http://x"})
    assert settings.servers.plugins == {"acme-one": PluginServer("http://here", None, "hunter2")}
    assert settings.unknown == ("MAESTRO_ACME_TWO_URL",)
    shown = {name: (value, origin) for name, value, origin, _ in settings.items()}
    assert shown["servers.acme-one.url"] == ("http://here", f"{project / 'maestro.yaml'}:3")
    assert shown["servers.acme-one.password"] == ("(set)", "MAESTRO_ACME_ONE_PASSWORD")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("servers: {acme-on: {url: 'http://x'}}", "allowed here: acme-one, binance, .* Did you mean 'acme-one'"),
        ("servers: {acme-one: {urls: 'http://x'}}", "allowed here: password, url, user. Did you mean 'url'"),
        ("servers: {acme-one: {password: x}}", "must not be in a file; set MAESTRO_ACME_ONE_PASSWORD"),
        ("servers: {acme-one: {url: x}}", "give a URL"),
    ],
)
def test_what_is_wrong_about_a_plug_in_is_named(project: Path, acme: None, text: str, said: str) -> None:
    write(project, text)
    with pytest.raises(SettingsError, match=said):
        load_settings(env={})


# -- what they are used for -----------------------------------------------------------------


def test_a_store_is_opened_as_configured(project: Path) -> None:
    settings = load_settings(env={"MAESTRO_STORE": str(project / "rows")})
    store = open_store(None, settings)
    assert isinstance(store, RecentStore)
    assert isinstance(store.store, ParquetStore)
    assert store.store.root == store.root == project / "rows"
    env = {"MAESTRO_STORE": "questdb", "MAESTRO_QUESTDB_URL": "http://here:9001", "MAESTRO_CACHE_PATH": str(project)}
    store = open_store(None, load_settings(env={**env, "MAESTRO_CACHE_MAX_AGE": "5m"}))
    assert isinstance(store, RecentStore)
    assert isinstance(store.store, CachedStore)
    assert store.store.max_age == 300
    assert store.name == "questdb:http://here:9001"
    assert isinstance(open_store(None, load_settings(env=env), cached=False), QuestDBStore)
    store = open_store("questdbs://me:p%40ss@there", load_settings(env={**env, "MAESTRO_CACHE_ENABLED": "false"}))
    assert isinstance(store.store, QuestDBStore)  # type: ignore[attr-defined]
    assert store.name == "questdb:https://there:9000"
    assert "p@ss" not in repr(store)
    assert open_store("parquet:x", settings).name == f"parquet:{Path.cwd() / 'x'}"
    assert open_store("parquet", settings).name == f"parquet:{Path.home() / '.local/share/maestro'}"


@pytest.mark.parametrize("target", ["postgres://x", "questdb://", "questdb://h/path", "questdb:h", "", "parquet:"])
def test_no_such_store(project: Path, target: str) -> None:
    with pytest.raises(SettingsError, match=r"store .*[Gg]ive"):
        open_store(target)


def test_the_configured_store_stays_while_the_settings_do(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "store: rows")
    store = configured_store()
    assert configured_store() is store
    monkeypatch.setenv("MAESTRO_STORE", "other")
    assert configured_store() is not store


def test_costs_of_every_venue_have_a_date_and_a_source() -> None:
    for known in VENUES.values():
        assert -0.001 < known.maker <= known.taker < 0.002
        assert known.date.startswith("202")
        assert known.source
    markets = {(name.split("-")[0], known.market) for name, known in VENUES.items()}
    assert markets == {(name, market) for name in ("BINANCE", "BITMEX", "BYBIT") for market in ("spot", "perpetual")}


def test_costs_of_a_venue_are_those_of_the_file_where_it_has_some(project: Path) -> None:
    assert Costs.of("binance") == Costs.of("BINANCE-SPOT") == Costs(fee=0.001, slippage=0.0005)
    assert Costs.of("BYBIT-PERPETUAL", maker=True) == Costs(fee=0.0002, slippage=0.0005)
    write(project, "costs:\n  BINANCE-SPOT: {taker: 0.00075}\n  desk: {taker: 0.0001, slippage: 0}\n")
    assert Costs.of("BINANCE") == Costs(fee=0.00075, slippage=0.0005)
    assert Costs.of("BINANCE", maker=True) == Costs(fee=0.001, slippage=0.0005)
    assert venue("BINANCE").source.endswith("maestro.yaml:2")
    assert Costs.of("DESK") == Costs(fee=0.0001, slippage=0.0)
    with pytest.raises(SettingsError, match=r"no costs are known for 'KRAKN'.*DESK.*costs.KRAKN.taker"):
        Costs.of("KRAKN")


# -- the command ----------------------------------------------------------------------------


def test_config_shows_values_and_origins(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, "search:\n  trials: 250")
    monkeypatch.setenv("MAESTRO_SEARHC_SEED", "1")
    assert _run(["config"]) == 0
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if line.startswith("search.trials"))
    assert row.split() == ["search.trials", "250", "maestro.yaml:2"]
    assert "Did you mean 'MAESTRO_SEARCH_SEED'" in " ".join(shown.split())
    assert _run(["config", "search", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in found["settings"]] == [
        "search.method",
        "search.trials",
        "search.seed",
        "search.workers",
    ]
    assert found["settings"][1]["variable"] == "MAESTRO_SEARCH_TRIALS"
    assert _run(["config", "nothing"]) == 2
    assert "no setting's name holds 'nothing'" in capsys.readouterr().err


def test_config_shows_the_venues(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, "costs: {DESK: {taker: 0.0001}}")
    assert _run(["config", "--venues", "--json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(found) == [*VENUES, "DESK"]
    assert found["BITMEX"]["date"] == VENUES["BITMEX"].date
    assert _run(["config", "--venues"]) == 0
    assert "0.01 %" in capsys.readouterr().out


def test_a_wrong_file_ends_the_command_with_two(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, "storr: x")
    assert _run(["config"]) == 2
    assert "maestro.yaml:1: 'storr' is not a setting" in capsys.readouterr().err


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
