"""Parser of ``maestro.yaml``: dotted names, values and lines; errors name the line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maestro.config.names import check_name
from maestro.errors import SettingsError


def read_file(path: Path) -> list[tuple[str, Any, int]]:
    """Return every setting of the file: dotted name, value as YAML has it, line.

    Raises
    ------
    SettingsError
        Text that is not YAML, a key that does not exist or is repeated, a section without settings; the message names
        the line.
    """
    import yaml

    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        try:
            node = loader.get_single_node()
            return [] if node is None else list(_walk(path, loader, node, ""))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"{path}:{line}: this is not valid YAML: {error.problem}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}:1: this is not valid YAML: {str(error).splitlines()[0]}.") from None
    except RecursionError:
        raise SettingsError(f"{path}:1: lists or mappings are nested too deeply; settings have two levels.") from None


def _walk(path: Path, loader: Any, node: Any, prefix: str) -> Iterator[tuple[str, Any, int]]:
    line = node.start_mark.line + 1
    if node.id != "mapping":
        where = f"the section {prefix.rstrip('.')!r}" if prefix else "the file"
        raise SettingsError(f"{path}:{line}: {where} holds {_shown(node)}; give settings as `name: value`.")
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.id != "scalar":
            raise SettingsError(f"{path}:{line}: a key must be a name, not {_shown(key)}.")
        name = f"{prefix}{key.value.upper() if prefix == 'costs.' else key.value}"
        if name in seen:
            raise SettingsError(f"{path}:{line}: {name!r} is already set in line {seen[name]}; keep one of them.")
        seen[name] = line
        if check_name(name, f"{path}:{line}"):
            yield name, loader.construct_object(value, deep=True), line
        elif value.tag != "tag:yaml.org,2002:null":  # a section whose lines are all commented out
            yield from _walk(path, loader, value, f"{name}.")


def _shown(node: Any) -> str:
    return f"{node.value!r}" if node.id == "scalar" else f"a {node.id}"
