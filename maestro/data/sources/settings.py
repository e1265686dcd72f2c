"""Where the exchanges are and how hard they may be asked: settings of the sources, each with its variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from maestro.config import load_settings
from maestro.errors import SettingsError

SPOT_URL = "https://api.binance.com"
USDM_URL = "https://fapi.binance.com"


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Settings of the sources; `from_env` reads them from ``MAESTRO_BINANCE_URL``, ``MAESTRO_FETCH_TIMEOUT`` and so on.

    Parameters
    ----------
    binance_url, binance_usdm_url, bitmex_url, binance_archive_url : str
        Base URLs, so that a mirror or a test server can stand in. Where only ``MAESTRO_BINANCE_URL`` is set, it
        stands for the perpetuals too: a stand-in for Binance never lets requests slip through to the real one.
    timeout : float [s]
        Longest wait for one whole answer, its body included.
    tries : int
        Failed answers to one request, one after the other, before the source gives up.
    patience : float [s]
        Longest single wait that is sat out. A longer ban is an error that says until when it lasts.
    concurrency : int
        Requests under way to one host at a time (one, while the host shows any trouble).
    state_dir : Path
        Where bans are remembered over restarts.
    """

    binance_url: str = SPOT_URL
    binance_usdm_url: str = USDM_URL
    bitmex_url: str = "https://www.bitmex.com"
    binance_archive_url: str = "https://data.binance.vision"
    timeout: float = 30.0
    tries: int = 10
    patience: float = 900.0
    concurrency: int = 4
    state_dir: Path = Path("~/.cache/maestro")

    def __post_init__(self) -> None:
        for name in ("binance_url", "binance_usdm_url", "bitmex_url", "binance_archive_url"):
            url = str(getattr(self, name)).rstrip("/")
            if not url.startswith(("http://", "https://")):
                raise SettingsError(
                    f"{_variable(name)}={url!r} is no URL; give one that starts with https:// or http://."
                )
            object.__setattr__(self, name, url)
        for name, low in (("timeout", 0.0), ("tries", 0), ("patience", -1.0), ("concurrency", 0)):
            if not getattr(self, name) > low:
                raise SettingsError(
                    f"{_variable(name)}={getattr(self, name)!r} is too small; give a number above {low:g}."
                )
        object.__setattr__(self, "state_dir", Path(self.state_dir).expanduser())

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> SourceSettings:
        """Read the settings from variables; what is not set has its default.

        Parameters
        ----------
        env : mapping, optional
            Variables; those of the process over the ones of ``maestro.yaml`` where it is not given.

        Raises
        ------
        SettingsError
            A value that is no URL or no number; the message names the variable.
        """
        env = load_settings().environment() if env is None else env
        found: dict[str, object] = {}
        for field in fields(cls):
            text = env.get(_variable(field.name), "").strip()
            if not text:
                continue
            try:
                found[field.name] = _read(text, field.default)
            except ValueError:
                raise SettingsError(f"{_variable(field.name)}={text!r} is no number; give one.") from None
        if "binance_url" in found:
            found.setdefault("binance_usdm_url", found["binance_url"])
        return cls(**found)  # type: ignore[arg-type]


def _read(text: str, default: object) -> object:
    if isinstance(default, int):
        return int(text)
    return float(text) if isinstance(default, float) else text


def _variable(name: str) -> str:
    fetching = name in ("timeout", "tries", "patience", "concurrency")
    return f"MAESTRO_{'FETCH_' if fetching else ''}{name.upper()}"
