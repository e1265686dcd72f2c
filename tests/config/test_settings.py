"""All settings: one variable each, which sets it."""

from __future__ import annotations

from pathlib import Path

from maestro.config import load_settings
from maestro.config.settings import schema, variable


def test_without_a_file_everything_is_built_in(project: Path) -> None:
    settings = load_settings(env={})
    assert settings.file is None
    assert {origin for _, _, origin, _ in settings.items()} == {"built in"}
    assert settings.search.trials == 100
    assert "~" not in settings.store


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
