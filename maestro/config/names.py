"""Valid names of settings, in a file and in the environment; an invalid one is reported with the nearest valid one."""

from __future__ import annotations

import re

from maestro._core.registry import plugin_names
from maestro.config.schema import Entry
from maestro.config.settings import costs_schema, plugin_schema, schema, variable
from maestro.errors import SettingsError, nearest

PLUGIN_GROUPS = ("maestro.sources", "maestro.stores")
_VENUE = re.compile(r"[A-Z0-9][A-Z0-9_-]*")


def check_name(name: str, where: str) -> bool:
    """Whether a dotted name is a setting; if not, it is a section of some.

    Raises
    ------
    SettingsError
        It is neither; the message lists what is allowed there, with the nearest name.
    """
    known = _allowed(name)
    last = name.rpartition(".")[2]
    if last not in known and not (name.count(".") == 1 and name.startswith("costs.") and _VENUE.fullmatch(last)):
        allowed = known or ["a venue's name such as BINANCE or BINANCE-PERPETUAL"]
        raise SettingsError(
            f"{where}: {name!r} is not a setting; allowed here: {', '.join(allowed)}.{nearest(last, allowed)}"
        )
    entry = entry_of(name)
    if entry is not None and entry.doc.secret:
        raise SettingsError(f"{where}: {name} must not be in a file; set {variable(name)} in the environment.")
    return entry is not None


def entry_of(name: str) -> Entry | None:
    """Return the entry of a setting by its dotted name; None where it is none."""
    if name in schema():
        return schema()[name]
    section, _, rest = name.partition(".")
    _, _, part = rest.partition(".")
    if section == "costs":
        return costs_schema().get(part)
    return plugin_schema().get(part) if section == "servers" and _is_plugin(rest.partition(".")[0]) else None


def setting_of(found: str) -> str | None:
    """Return the dotted name of the setting that a variable sets; None where there is none."""
    for setting in schema():
        if variable(setting) == found:
            return setting
    if match := re.fullmatch(r"MAESTRO_COSTS_([A-Z0-9_]+)_(MAKER|TAKER|SLIPPAGE)", found):
        return f"costs.{match[1].replace('_', '-')}.{match[2].lower()}"
    parts = "|".join(plugin_schema()).upper()
    if match := re.fullmatch(rf"MAESTRO_([A-Z0-9_]+)_({parts})", found):
        for plugin in plugins():
            if variable(f"servers.{plugin}.x") == f"MAESTRO_{match[1]}_X":
                return f"servers.{plugin}.{match[2].lower()}"
    return None


def plugins() -> list[str]:
    """Names of the sources and stores that plug-ins bring, in small letters."""
    return sorted({name.lower() for group in PLUGIN_GROUPS for name in plugin_names(group)})


def _is_plugin(name: str) -> bool:
    return not any(known.startswith(f"servers.{name}.") for known in schema()) and name in plugins()


def _allowed(name: str) -> list[str]:
    """Names that are allowed in the place of the last part of a dotted name."""
    above, _, last = name.rpartition(".")
    if above == "costs":
        return []
    if above.startswith("costs."):
        return list(costs_schema())
    names = [*schema(), "costs.VENUE.taker"]
    found = {other.removeprefix(f"{above}." if above else "").split(".")[0] for other in names
             if not above or other.startswith(f"{above}.")}  # fmt: skip
    if above == "servers" and last not in found:  # plug-ins are looked up only for a name that is not built in
        found.update(plugins())
    elif not found and above.startswith("servers."):
        found.update(plugin_schema())
    return sorted(found)
