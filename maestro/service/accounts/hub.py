"""JupyterHub users, who log in with their hub token."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict

from maestro.service.accounts.users import Caller, Users, access_error

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
_SCOPES = ("access:services", "access:services!service=maestro")
_KEPT, _MOST = 60.0, 1000
"""Seconds for which an answer of the hub is used again, and how many answers are kept."""
ROLE = "researcher"
"""Role of users of the hub who are not users of the service."""


class Hub:
    """Asks a JupyterHub whose a token is.

    Parameters
    ----------
    url : str
        Address of the hub's API, ``http://127.0.0.1:8081/hub/api`` for instance.
    users : Users
        Users of the service: one with the name of a user of the hub decides the role.
    timeout : float [s]
    """

    def __init__(self, url: str, users: Users, *, timeout: float = 5.0) -> None:
        import httpx

        self.url, self._users = url.rstrip("/"), users
        self._http = httpx.Client(timeout=timeout, trust_env=False)
        self._errors: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError)
        self._known: OrderedDict[str, tuple[float, str | None]] = OrderedDict()
        self._lock = threading.Lock()

    @staticmethod
    def looks_like_token(text: str) -> bool:
        """Whether a credential has the form of a hub's token; ours have a dot or begin with ``mk_``."""
        return not text.startswith("mk_") and _TOKEN.fullmatch(text) is not None

    def caller(self, token: str) -> Caller | None:
        """Return the user of a token; None if the hub does not know it or does not let it in here.

        A token that is revoked at the hub is refused at most 60 seconds later.

        Raises
        ------
        AccessError
            The hub does not answer (503).
        """
        key, now = hashlib.sha256(token.encode()).hexdigest(), time.monotonic()
        with self._lock:
            until, name = self._known.get(key, (0.0, None))
        if until <= now:
            name = self._ask(token)
            with self._lock:
                self._known[key] = (now + _KEPT, name)
                self._known.move_to_end(key)
                while len(self._known) > _MOST:
                    self._known.popitem(last=False)
        return None if name is None else Caller(name, self._users.role(name) or ROLE, "hub")

    def _ask(self, token: str) -> str | None:
        try:
            answer = self._http.get(f"{self.url}/user", headers={"Authorization": f"token {token}"})
            if answer.status_code in (401, 403):
                return None
            answer.raise_for_status()
            found = answer.json()
            name, kind, scopes = found["name"], found["kind"], found["scopes"]
        except self._errors as error:
            raise access_error("the JupyterHub that knows this token does not answer; try again later.", 503) from error
        allowed = kind == "user" and any(scope in scopes for scope in _SCOPES)
        return str(name) if allowed and Users.is_valid_name(str(name)) else None
