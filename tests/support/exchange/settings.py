"""Settings that send every request to one server on this machine."""

from __future__ import annotations

from pathlib import Path

from maestro.config import Settings, make_settings


def settings_for(url: str, state_dir: Path, **fetch: float) -> Settings:
    """Return settings whose exchanges and archive are at `url`; `fetch` are settings of ``fetch``."""
    servers = {f"servers.{name}": url for name in ("binance.url", "binance.archive_url", "bitmex.url")}
    limits = {f"fetch.{name}": value for name, value in fetch.items()}
    return make_settings({**servers, **limits, "state_dir": state_dir})
