"""Requests to a service; its problem details become Maestro's errors."""

from __future__ import annotations

import logging
import time
from typing import Any

from maestro.config import load_settings
from maestro.errors import AccessError, JobError, MissingExtraError, QuotaError, RunError, ServiceError, SettingsError
from maestro.version import __version__

COOKIE = "maestro_session"
"""Name of the cookie that a browser holds after a login."""
_LOG = logging.getLogger("maestro.client")
_SILENT = 1.0  # s; a restart of the service may be shorter
_ERRORS = {401: AccessError, 403: AccessError, 404: JobError, 410: RunError, 422: SettingsError, 429: QuotaError}


class Connection:
    """HTTP connection to one service.

    Parameters
    ----------
    url, key : str, optional
        The settings ``service.url`` and ``service.key`` if not given.
    session : str
        Value of a browser's cookie, whose login is used in place of the key.
    timeout : float [s]
    patience : float [s]
        How long a service that is away is asked again, so that its restart ends nothing.
    """

    def __init__(self, url: str | None, key: str | None, *, timeout: float, patience: float, session: str = "") -> None:
        usual_url, usual_key = configured()
        address = url or usual_url
        if not address or not address.startswith(("http://", "https://")):
            raise SettingsError(
                f"url={address!r} is not the address of a service; give http://HOST:PORT, or set service.url."
            )
        try:
            import httpx
        except ImportError as error:
            raise MissingExtraError("httpx", "service") from error
        self.url, self.key, self.patience = address.rstrip("/"), key or usual_key, patience
        self._session = session
        self._errors: tuple[type[Exception], ...] = (httpx.TransportError,)
        self._http = httpx.Client(
            base_url=self.url, timeout=timeout, headers={"User-Agent": f"maestro/{__version__}", **self.headers}
        )

    @property
    def headers(self) -> dict[str, str]:
        """The header with the login, if there is one."""
        if self._session:
            return {"Cookie": f"{COOKIE}={self._session}"}
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Send a request until the service answers; returns the answer.

        Raises
        ------
        AccessError, JobError, QuotaError, SettingsError
            The service refuses, in its own words.
        ServiceError
            It does not answer, or answers with a fault of its own.
        """
        begun = time.monotonic()
        end, pause, warned = begun + self.patience, 0.1, False
        while True:
            try:
                answer = self._http.request(method, path, **options)
            except self._errors as error:
                if time.monotonic() + pause > end:
                    raise ServiceError(
                        f"{self.url} does not answer ({error or type(error).__name__}); is maestro serve running there?"
                    ) from error
                if not warned and time.monotonic() - begun > _SILENT:
                    warned = True
                    _LOG.warning("%s does not answer; retrying for up to %.0f s", self.url, self.patience)
                time.sleep(pause)
                pause = min(2 * pause, 2.0)
                continue
            if answer.status_code < 400:
                return answer
            raise _error(answer)

    def check_version(self) -> None:
        """Refuse a service of another version, whose run ids and numbers may differ."""
        theirs = self.ask("GET", "/healthz").json().get("version")
        if theirs != __version__:
            raise ServiceError(
                f"{self.url} has Maestro {theirs}, and this is {__version__}; install the same version here: "
                f'pip install "maestro-research=={theirs}".'
            )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def configured() -> tuple[str | None, str | None]:
    """Address and key that the settings give."""
    settings = load_settings().service
    return settings.url, settings.key


def _error(answer: Any) -> Exception:
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"HTTP {answer.status_code} without problem details; is this address a Maestro service?"
    return _ERRORS.get(answer.status_code, ServiceError)(detail)
