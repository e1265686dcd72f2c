"""The service that the apps use: one login for both, so that they act for the visitor who is logged in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import panel as pn

from maestro.config import load_settings

if TYPE_CHECKING:
    from maestro.client import Client


def is_configured() -> bool:
    """Whether the setting ``service.url`` names a service."""
    return load_settings().service.url is not None


def visitors_login() -> str:
    """Cookie of the visitor's login at the service; empty without one, and outside of a served page."""
    from maestro.client.connection import COOKIE

    return str(pn.state.cookies.get(COOKIE, ""))


def service(login: str, runs_dir: str | Path | None = None, *, patience: float = 60.0) -> Client:
    """Return a client of the service that acts for a visitor, or without a login for whoever started the apps.

    Raises
    ------
    ServiceError
        It does not answer, or has another version.
    """
    from maestro.client import Client

    return Client(runs_dir=runs_dir, session=login, patience=patience)
