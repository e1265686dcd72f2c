"""Users with their roles, passwords and API keys."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import Any

from maestro.errors import AccessError, SettingsError, nearest
from maestro.service.accounts.login_throttle import LoginThrottle
from maestro.service.jobs import Database

ROLES = ("viewer", "researcher", "admin")
"""What a user may do: read; read and submit; everything, also with the jobs of others."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_SHORTEST = 10


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, and how that is known: ``key``, ``token``, ``cookie``, ``hub`` or ``local``."""

    name: str
    role: str
    by: str

    @property
    def owner(self) -> str | None:
        """Whose jobs this user may see; None is everybody's."""
        return None if self.role == "admin" else self.name

    def has_role(self, role: str) -> bool:
        """Whether this user may do what a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Users:
    """Users in the service's database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._throttle = LoginThrottle()
        self._hashing = threading.BoundedSemaphore(2)

    @staticmethod
    def is_valid_name(name: str) -> bool:
        """Whether a user may have this name."""
        return _NAME.fullmatch(name) is not None

    def exist(self) -> bool:
        """Whether there is any user; without one the service is for one person on this machine."""
        return self.database.row("SELECT 1 FROM users LIMIT 1") is not None

    def check_new(self, name: str, role: str) -> None:
        """Refuse a user who cannot be added.

        Raises
        ------
        SettingsError
            A name that is taken or has other characters, an unknown role.
        """
        if not self.is_valid_name(name):
            raise SettingsError(f"{name!r} is not a user name; give letters, digits and . _ @ -, at most 64.")
        if role not in ROLES:
            raise SettingsError(f"role={role!r} is unknown; allowed: {', '.join(ROLES)}.")
        if self.role(name) is not None:
            raise _taken(name)

    def add(self, name: str, role: str, password: str) -> None:
        """Add a user.

        Raises
        ------
        SettingsError
            A name that is taken or has other characters, an unknown role, a password that is too short.
        """
        self.check_new(name, role)
        if not _SHORTEST <= len(password) <= 256:
            raise SettingsError(f"the password has {len(password)} characters; give {_SHORTEST} to 256.")
        try:
            with self.database.writing() as connection:
                connection.execute(
                    "INSERT INTO users (name, role, password, created) VALUES (?, ?, ?, ?)",
                    (name, role, _hasher().hash(password), time.time()),
                )
        except sqlite3.IntegrityError:
            raise _taken(name) from None

    def remove(self, name: str) -> None:
        """Remove a user with all keys and sessions; their jobs and runs stay."""
        with self.database.writing() as connection:
            if not connection.execute("DELETE FROM users WHERE name = ?", (name,)).rowcount:
                known = [one for one, _ in self.names()]
                raise SettingsError(
                    f"there is no user {name!r}; there are: {', '.join(known) or 'none'}.{nearest(name, known)}"
                )

    def names(self) -> list[tuple[str, str]]:
        """Names and roles."""
        return [(row["name"], row["role"]) for row in self.database.rows("SELECT name, role FROM users ORDER BY name")]

    def role(self, name: str) -> str | None:
        """Role of a user; None where there is none of that name."""
        row = self.database.row("SELECT role FROM users WHERE name = ?", (name,))
        return None if row is None else str(row["role"])

    def log_in(self, name: str, password: str, address: str) -> str:
        """Check a password; returns the role.

        Raises
        ------
        AccessError
            Wrong, tried too often, or too many logins at this moment; `error.status` is the HTTP status.
        """
        wait = self._throttle.wait(name, address)
        if wait:
            raise access_error(f"too many failed logins; try again in {wait:.0f} s.", 429)
        if not self._hashing.acquire(blocking=False):
            raise access_error("too many logins at this moment; try again in a second.", 503)
        try:
            row = self.database.row("SELECT role, password FROM users WHERE name = ?", (name,))
            right = _matches(_NOBODY if row is None else row["password"], password[:257])
        finally:
            self._hashing.release()
        if row is None or not right:
            self._throttle.failed(name, address)
            raise access_error("wrong name or password.", 401)
        self._throttle.succeeded(name)
        return str(row["role"])

    def make_key(self, user: str, label: str = "") -> str:
        """Make an API key; it is shown this once, and kept as a hash."""
        if self.role(user) is None:
            raise SettingsError(f"there is no user {user!r}; add one with maestro user add.")
        ident, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO keys (id, user, label, secret, created) VALUES (?, ?, ?, ?, ?)",
                (ident, user, label, _digest(secret), time.time()),
            )
        return f"mk_{ident}_{secret}"

    def keys(self, user: str) -> list[dict[str, Any]]:
        """Ids and labels of a user's API keys."""
        rows = self.database.rows("SELECT id, label, created FROM keys WHERE user = ? ORDER BY created", (user,))
        return [dict(row) for row in rows]

    def revoke_key(self, user: str, ident: str) -> bool:
        """Revoke an API key; returns whether there was one."""
        with self.database.writing() as connection:
            return bool(connection.execute("DELETE FROM keys WHERE id = ? AND user = ?", (ident, user)).rowcount)

    def of_key(self, key: str) -> Caller | None:
        """Who an API key belongs to; None for a key that is none, or is revoked."""
        match = re.fullmatch(r"mk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})", key)
        row = match and self.database.row(
            "SELECT keys.secret, users.name, users.role FROM keys JOIN users ON users.name = keys.user "
            "WHERE keys.id = ?",
            (match[1],),
        )
        if not match or not row or not hmac.compare_digest(row["secret"], _digest(match[2])):
            return None
        return Caller(row["name"], row["role"], "key")


def access_error(message: str, status: int) -> AccessError:
    """Return an error that says with which HTTP status a request is refused."""
    error = AccessError(message)
    error.status = status  # type: ignore[attr-defined]
    return error


def _taken(name: str) -> SettingsError:
    return SettingsError(f"there is a user {name} already; remove that one first, or take another name.")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _hasher() -> Any:
    from argon2 import PasswordHasher  # at these costs 44 ms and 19 MiB

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def _matches(hashed: str, password: str) -> bool:
    from argon2.exceptions import VerifyMismatchError

    try:
        return bool(_hasher().verify(hashed, password))
    except VerifyMismatchError:
        return False


_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$zoOedCoh418N3Srx1kc7Ew$"
    "XS9l+OTmz96yZaoUPLIF9J/AzBNztH9j5qVDg11ckJI"
)  # verified for unknown names, so that an answer takes as long as for known ones
