"""Locations of the external programs that a stack starts; one error names all missing ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from maestro.errors import ServiceError

_PACKAGES = {"nginx": "nginx-light", "prometheus": "prometheus", "openssl": "openssl",
             "alertmanager": "prometheus-alertmanager"}  # fmt: skip
_WITHOUT = {
    "nginx": "--without nginx", "prometheus": "--without prometheus", "openssl": "--certificate with --key",
    "alertmanager": "no --alertmanager",
}  # fmt: skip


def find_programs(names: Sequence[str]) -> dict[str, str]:
    """Return the path of each program.

    Raises
    ------
    ServiceError
        Some are not installed.
    """
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = {name: shutil.which(name, path=places) or shutil.which(_PACKAGES[name], path=places) for name in names}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise ServiceError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed. On Debian: apt-get install "
            f"{' '.join(_PACKAGES[name] for name in missing)}; or start without "
            f"{'it' if len(missing) == 1 else 'them'}: {', '.join(_WITHOUT[name] for name in missing)}."
        )
    return {name: path for name, path in found.items() if path is not None}
