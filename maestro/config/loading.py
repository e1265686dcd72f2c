"""Settings in force: built in, over them ``maestro.yaml``, over that ``MAESTRO_…`` in the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

from maestro.config.schema import Entry, read_value
from maestro.config.settings import Settings, VenueCosts, costs_schema, schema, variable
from maestro.errors import SettingsError, nearest

FILE = "maestro.yaml"


def load_settings(folder: str | os.PathLike[str] | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Settings in force in a folder.

    Parameters
    ----------
    folder : path, optional
        ``maestro.yaml`` is looked for here and in all folders above; the working directory where it is not given.
    env : mapping, optional
        The environment; the process's own where it is not given.

    Raises
    ------
    SettingsError
        A key that does not exist, a value of the wrong type or out of bounds: the message names file and line, or
        the variable, and what is allowed.
    """
    env = os.environ if env is None else env
    own = tuple(sorted((name, text) for name, text in env.items() if name.startswith("MAESTRO_") and text.strip()))
    file = find_file(folder)
    stat = file.stat() if file else None
    state = (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat else None
    return _load(file, state, own, Path.cwd())


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
        setting = _of_variable(found)
        if setting is None:
            unknown.append(found)
        else:
            origins[setting] = found
            values[setting] = _value(setting, text.strip(), found, here)
    return _built(Settings, "", values, origins=origins, file=file, unknown=tuple(unknown))


def find_file(folder: str | os.PathLike[str] | None = None) -> Path | None:
    """The nearest ``maestro.yaml`` in a folder or above it."""
    here = Path.cwd() if folder is None else Path(folder).absolute()
    return next((place / FILE for place in (here, *here.parents) if (place / FILE).is_file()), None)


def check_name(name: str, where: str) -> bool:
    """Whether a dotted name is a setting (else it is a section of some).

    Raises
    ------
    SettingsError
        It is neither; the message says what there is at that place, and what is nearest.
    """
    section, _, rest = name.partition(".")
    if section == "costs":
        known = list(costs_schema()) if "." in rest else ["a venue's name such as BINANCE or BINANCE-PERPETUAL"]
        venue, _, part = rest.partition(".")
        good = part in ("", *known) and (not venue or bool(re.fullmatch(r"[A-Z0-9][A-Z0-9_-]*", venue)))
        final = bool(part)
    else:
        names = [*schema(), "costs"]
        above = name.rpartition(".")[0]
        level = name.count(".")
        known = sorted({other.split(".")[level] for other in names if not above or other.startswith(f"{above}.")})
        final = name in schema()
        good = final or any(other.startswith(f"{name}.") for other in names)
    if not good:
        guess = nearest(name.rpartition(".")[2], known)
        raise SettingsError(f"{where}: {name!r} is no setting; here are allowed: {', '.join(known)}.{guess}")
    if final and _entry(name).doc.secret:
        raise SettingsError(f"{where}: {name} does not belong into a file; set {variable(name)} in the environment.")
    return final


def _entry(name: str) -> Entry:
    return schema().get(name) or costs_schema()[name.rpartition(".")[2]]


def _value(name: str, raw: Any, where: str, folder: Path) -> Any:
    value = read_value(name, _entry(name), raw, where, folder)
    if name == "store" and not re.match(r"questdbs?://|questdb$|parquet$", value):
        value = value.removeprefix("parquet:")
        return str(folder / Path(value).expanduser())
    return value


def _of_variable(found: str) -> str | None:
    """Dotted name of the setting that a variable sets; None where there is none."""
    for setting in schema():
        if variable(setting) == found:
            return setting
    match = re.fullmatch(r"MAESTRO_COSTS_([A-Z0-9_]+)_(MAKER|TAKER|SLIPPAGE)", found)
    return f"costs.{match[1].replace('_', '-')}.{match[2].lower()}" if match else None


def _built(owner: Any, prefix: str, values: Mapping[str, Any], **more: Any) -> Any:
    """Instance of a settings class with the given values over its defaults."""
    hints = get_type_hints(owner)
    found: dict[str, Any] = dict(more)
    for own in fields(owner):
        name = f"{prefix}{own.name}"
        if is_dataclass(hints[own.name]):
            found[own.name] = _built(hints[own.name], f"{name}.", values)
        elif name in values:
            found[own.name] = values[name]
        elif isinstance(own.default, Path):
            found[own.name] = own.default.expanduser()
    if owner is Settings:
        venues = sorted({name.split(".")[1] for name in values if name.startswith("costs.")})
        found["costs"] = {venue: _built(VenueCosts, f"costs.{venue}.", values) for venue in venues}
        found.setdefault("store", str(Path(Settings().store).expanduser()))
    return owner(**found)
