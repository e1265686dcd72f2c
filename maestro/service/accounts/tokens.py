"""Access tokens for 15 minutes, browser sessions for eight hours, rotating refresh tokens, and tickets."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any

from maestro.service.accounts.users import access_error
from maestro.service.jobs import Database

ACCESS, SESSION, REFRESH, TICKET = 900.0, 8 * 3600.0, 14 * 86_400.0, 30.0
"""Seconds that each kind is valid."""
_WHO = "maestro"
_REQUIRED = ["exp", "iat", "sub", "jti", "aud", "iss", "use"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    user: str
    id: str
    expires: float


class Tokens:
    """Makes and checks tokens.

    Parameters
    ----------
    database : Database
        Of refresh tokens and revoked ids.
    keys : dict
        Signing keys by their ids; the first one signs.
    """

    def __init__(self, database: Database, keys: dict[str, str]) -> None:
        self._database, self._keys = database, keys
        self._tickets: dict[str, tuple[str, str, float]] = {}
        self._lock = threading.Lock()

    def sign(self, user: str, use: str, lifetime: float) -> str:
        """Return a signed token for a use, ``access`` or ``session``."""
        import jwt

        now = time.time()
        kid = next(iter(self._keys))
        claims = {
            "sub": user, "use": use, "iat": int(now), "exp": int(now + lifetime), "jti": secrets.token_hex(8),
            "aud": _WHO, "iss": _WHO,
        }  # fmt: skip
        return jwt.encode(claims, self._keys[kid], algorithm="HS256", headers={"kid": kid})

    def check(self, token: str, use: str) -> Claims | None:
        """Return the claims of a token; None for one that is forged, expired, revoked or for another use."""
        import jwt

        if len(token) > 4096:
            return None
        try:
            key = self._keys.get(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=["HS256"], audience=_WHO, issuer=_WHO, options={"require": _REQUIRED}
            )
        except (jwt.PyJWTError, ValueError):
            return None
        if claims["use"] != use or self._database.row("SELECT 1 FROM revoked WHERE id = ?", (str(claims["jti"]),)):
            return None
        return Claims(str(claims["sub"]), str(claims["jti"]), float(claims["exp"]))

    def revoke(self, claims: Claims) -> None:
        """Make a token invalid before its time."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM revoked WHERE expires < ?", (time.time(),))
            connection.execute("INSERT OR IGNORE INTO revoked (id, expires) VALUES (?, ?)", (claims.id, claims.expires))

    def begin(self, user: str) -> str:
        """Return the first refresh token of a family."""
        return self._refresh(user, secrets.token_hex(8))

    def renew(self, refresh: str) -> tuple[str, str]:
        """Exchange a refresh token, once; returns the user and the next one.

        Raises
        ------
        AccessError
            Unknown, expired or used before; after the latter the whole family is invalid, as one of two has stolen it.
        """
        hashed = hashlib.sha256(refresh.encode()).hexdigest()
        with self._database.writing() as connection:
            row = connection.execute("SELECT * FROM refresh WHERE secret = ?", (hashed,)).fetchone()
            stolen = row is not None and row["used"]
            if stolen:
                connection.execute("DELETE FROM refresh WHERE family = ?", (row["family"],))
            elif row is not None:
                connection.execute("UPDATE refresh SET used = 1 WHERE secret = ?", (hashed,))
        if row is None or stolen or row["expires"] < time.time():
            raise access_error("this refresh token is not valid; log in again.", 401)
        return row["user"], self._refresh(row["user"], row["family"])

    def forget(self, user: str) -> None:
        """End all refresh tokens of a user."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM refresh WHERE user = ?", (user,))

    def _refresh(self, user: str, family: str) -> str:
        secret = secrets.token_urlsafe(32)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM refresh WHERE expires < ?", (time.time(),))
            connection.execute(
                "INSERT INTO refresh (secret, family, user, expires) VALUES (?, ?, ?, ?)",
                (hashlib.sha256(secret.encode()).hexdigest(), family, user, time.time() + REFRESH),
            )
        return secret

    def make_ticket(self, user: str, job: str) -> str:
        """Return a ticket that opens one stream of one job, once, within 30 seconds."""
        ticket, now = secrets.token_urlsafe(24), time.monotonic()
        with self._lock:
            self._tickets = {name: one for name, one in self._tickets.items() if one[2] > now}
            self._tickets[ticket] = (user, job, now + TICKET)
        return ticket

    def take_ticket(self, ticket: str, job: str) -> str | None:
        """Use a ticket; returns the user, or None for one that is not valid for this job."""
        with self._lock:
            user, of, until = self._tickets.pop(ticket, ("", "", 0.0))
        return user if of == job and until > time.monotonic() else None
