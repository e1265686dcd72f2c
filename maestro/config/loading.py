"""Settings in effect: the defaults, overridden by ``maestro.yaml``, overridden by ``MAESTRO_…`` in the environment.

Own code rather than pydantic-settings: that takes 120 ms to import where this takes 25 in all, and has neither the line
of each value nor the nearest name of an unknown one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

from maestro.config.names import entry_of, setting_of
from maestro.config.schema import read_value
from maestro.config.settings import PluginServer, ServerSettings, Settings, VenueCosts, schema
from maestro.errors import SettingsError, nearest

FILE = "maestro.yaml"
_FOLLOWS = {"servers.binance.usdm_url": "servers.binance.url"}
"""Settings that take the value of another one where only that is set: requests to a mirror never reach the exchange."""


def load_settings(folder: str | os.PathLike[str] | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in effect in a folder.

    Parameters
    ----------
    folder : path, optional
        ``maestro.yaml`` is looked for here and in all folders above; the working directory by default.
    env : mapping, optional
        The environment; that of the process by default.

    Raises
    ------
    SettingsError
        A key that does not exist, a value of the wrong type or out of bounds: the message names file and line, or
        the variable, and what is allowed. A secret's file cannot be read.
    """
    env = os.environ if env is None else env
    own = tuple(sorted(_with_files({k: text for k, text in env.items() if k.startswith("MAESTRO_") and text.strip()})))
    file = find_file(folder)
    stat = file.stat() if file else None
    state = (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat else None
    return _load(file, state, own, Path.cwd())


def make_settings(values: Mapping[str, Any]) -> Settings:
    """Return the defaults with some values set by dotted names, checked as those of a file; nothing else is read.

    Raises
    ------
    SettingsError
        A name that is not a setting, a value of the wrong type or out of bounds.
    """
    found = {}
    for name, value in values.items():
        if entry_of(name) is None:
            raise SettingsError(f"{name!r} is not a setting.{nearest(name, schema())}")
        found[name] = _value(name, value, "given", Path.cwd())
    return _build(found, dict.fromkeys(found, "given"))


def _with_files(env: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield variables and their values; a secret is read from the file that its variable with ``_FILE`` names."""
    for name, text in env.items():
        own = name.removesuffix("_FILE")
        setting = setting_of(own) if own != name else None
        entry = entry_of(setting) if setting is not None else None
        if entry is None or not entry.doc.secret:
            yield name, text
            continue
        if own in env:
            raise SettingsError(f"{own} and {name} are both set; unset one of them.")
        try:
            yield own, Path(text).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise SettingsError(f"{name}: {text} cannot be read ({error}); give a file with the secret.") from None


@lru_cache(maxsize=16)
def _load(file: Path | None, state: object, env: tuple[tuple[str, str], ...], here: Path) -> Settings:
    """Settings of a file in a certain `state` and of an environment."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if file is not None:
        from maestro.config.file import read_file

        for name, raw, line in read_file(file):
            origins[name] = f"{file}:{line}"
            values[name] = _value(name, raw, origins[name], file.parent)
    unknown = []
    for found, text in env:
        setting = setting_of(found)
        if setting is None:
            unknown.append(found)
        else:
            origins[setting] = found
            values[setting] = _value(setting, text.strip(), found, here)
    return _build(values, origins, file=file, unknown=tuple(unknown))


def find_file(folder: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the nearest ``maestro.yaml`` in a folder or above it."""
    here = Path.cwd() if folder is None else Path(folder).absolute()
    return next((place / FILE for place in (here, *here.parents) if (place / FILE).is_file()), None)


def _value(name: str, raw: Any, where: str, folder: Path) -> Any:
    entry = entry_of(name)
    assert entry is not None, name
    return read_value(name, entry, raw, where, folder)


def _build(values: dict[str, Any], origins: dict[str, str], **more: Any) -> Settings:
    for name, followed in _FOLLOWS.items():
        if followed in values and name not in values:
            values[name], origins[name] = values[followed], origins[followed]
    known = {name: values[name] if name in values else _expanded(entry.default) for name, entry in schema().items()}
    servers = ServerSettings(
        **_sections(ServerSettings, "servers.", known), plugins=_named("servers", PluginServer, values)
    )
    return Settings(
        **(_sections(Settings, "", known) | {"servers": servers, "costs": _named("costs", VenueCosts, values)}),
        origins=origins, **more,
    )  # fmt: skip


def _sections(owner: Any, prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a settings class, those that are settings classes themselves built."""
    hints = get_type_hints(owner)
    found = {}
    for own in fields(owner):
        name = f"{prefix}{own.name}"
        if is_dataclass(hints[own.name]) and own.name != "servers":
            found[own.name] = hints[own.name](**_sections(hints[own.name], f"{name}.", values))
        elif name in values:
            found[own.name] = values[name]
    return found


def _named(section: str, owner: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Instances of the sections that the user names: ``costs.VENUE``, ``servers.PLUGIN``."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        if name not in schema() and name.startswith(f"{section}."):
            _, which, part = name.split(".")
            found.setdefault(which, {})[part] = value
    return {which: owner(**parts) for which, parts in sorted(found.items())}


def _expanded(default: Any) -> Any:
    if isinstance(default, Path):
        return default.expanduser()
    return str(Path(default).expanduser()) if isinstance(default, str) and default.startswith("~") else default
