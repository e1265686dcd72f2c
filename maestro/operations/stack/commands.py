"""The command of each part: the same as a plain process, in a container, under systemd and in a cluster.

Each function returns the words behind ``maestro``, or behind the name of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"


def api(port: int, address: str = LOOPBACK) -> list[str]:
    """``maestro serve``."""
    return ["serve", "--port", str(port), *_address(address)]


def worker() -> list[str]:
    """``maestro worker``."""
    return ["worker"]


def schedule(options: Sequence[str]) -> list[str]:
    """``maestro schedule``."""
    return ["schedule", *options]


def apps(port: int, prefix: str, origins: Sequence[str], address: str = LOOPBACK) -> list[str]:
    """``maestro app``; on another address than this machine's, nginx must ask for the login."""
    words = ["app", "--no-show", "--port", str(port), "--prefix", prefix]
    words += [word for origin in origins for word in ("--origin", origin)]
    return [*words, *_address(address), *(["--i-have-a-login-in-front"] if address != LOOPBACK else [])]


def nginx(configuration: Path) -> list[str]:
    """nginx, in the foreground as its configuration says."""
    return ["-e", "stderr", "-c", str(configuration)]


def prometheus(configuration: Path, data: Path, port: int, address: str = LOOPBACK) -> list[str]:
    """Prometheus."""
    return [
        f"--config.file={configuration}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address={address}:{port}",
    ]


def alertmanager(configuration: Path, data: Path, port: int, address: str = LOOPBACK) -> list[str]:
    """Alertmanager, alone: it looks for no others."""
    return [
        f"--config.file={configuration}",
        f"--storage.path={data}",
        f"--web.listen-address={address}:{port}",
        "--cluster.listen-address=",
    ]


def _address(address: str) -> list[str]:
    return [] if address == LOOPBACK else ["--address", address]
