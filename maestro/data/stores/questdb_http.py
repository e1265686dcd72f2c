"""Connection to a QuestDB server: pooled HTTP for queries, ILP over HTTP for rows, clear errors for every failure."""

from __future__ import annotations

import contextlib
import io
import random
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polars as pl

from maestro.errors import (
    MissingExtraError,
    SettingsError,
    StoreAccessError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    import httpx

_TRIES = 5
_PAUSE = 0.1  # s before the second try, twice as long before each later one
_RESEND = 10_000  # ms for which the ILP client repeats a request that fails on the way
_POOL = 16
_BUSY = 429  # too many connections of a kind: wait for a turn
_NO_TABLE = "table does not exist"
_NO_SPACE = ("no space left", "disk full", "errno=28", "[28]")


class NoTableError(StoreError):
    """The table is not there; for the store that asks, which knows what that means."""


class Connection:
    """One server, with a pool of connections; safe to use from several threads."""

    def __init__(self, url: str, user: str | None, password: str | None, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.path not in ("", "/"):
            raise SettingsError(
                f"{_plain(url)!r} is not the address of a QuestDB server; give http://host:9000 or https://host:port, "
                "and the user and password apart."
            )
        self.host, self.port = parts.hostname, parts.port or 9000
        self.url = f"{parts.scheme}://{self.host}:{self.port}"
        self.secure = parts.scheme == "https"
        self.timeout = timeout
        self._user, self._password = user, password
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the pooled connections; the next question opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def ask(self, sql: str, tries: int = _TRIES) -> list[list[Any]]:
        """Rows of the answer to a short question or command."""
        answer = self._get("/exec", {"query": sql, "nm": "true"}, tries).json()
        return list(answer.get("dataset", ()))

    def rows(self, sql: str) -> pl.DataFrame:
        """Rows of an answer as the server's Parquet export gives them: numbers to the last bit.

        lz4, since what compresses better takes longer than it saves. The connection is closed after it: the server
        lets a few connections export at a time (two on a small machine) and counts those that wait for their next
        question.
        """
        for attempt in range(_TRIES):
            params = {"query": sql, "fmt": "parquet", "compression_codec": "lz4_raw"}
            content = self._get("/exp", params, close=True).content
            try:
                return pl.read_parquet(io.BytesIO(content))
            except pl.exceptions.PolarsError as error:  # the export broke off
                torn = error
            time.sleep(_PAUSE * 2**attempt)
        raise StoreUnavailableError(f"{self.url} answered {_TRIES} times with torn Parquet: {torn}.")

    def _get(self, path: str, params: dict[str, str], tries: int = _TRIES, *, close: bool = False) -> httpx.Response:
        httpx = _httpx()
        headers = {"Connection": "close"} if close else {}
        give_up = time.monotonic() + self.timeout
        for attempt in range(tries):
            if attempt:
                time.sleep(_PAUSE * 2 ** (attempt - 1))
            try:
                response = self._pool().get(path, params=params, headers=headers)
                while response.status_code == _BUSY and time.monotonic() < give_up:
                    time.sleep(random.uniform(0.002, 0.02))
                    response = self._pool().get(path, params=params, headers=headers)
            except (httpx.TransportError, RuntimeError) as error:  # RuntimeError: another thread closed the pool
                if isinstance(error, RuntimeError) and "closed" not in str(error):
                    raise
                failure: StoreError = StoreUnavailableError(
                    f"the QuestDB server at {self.url} does not answer ({error or type(error).__name__}); tried "
                    f"{tries} times. Start it (`maestro data questdb start`), or correct servers.questdb.url."
                )
                continue
            if response.status_code < 500:
                return self._checked(response)
            failure = self.refusal(response.status_code, response.text)
        raise failure

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.status_code == 200:
            return response
        try:
            message = str(response.json().get("error", response.text))
        except ValueError:
            message = response.text
        raise self.refusal(response.status_code, message)

    def refusal(self, status: int | None, message: str) -> StoreError:
        """The error for an answer of the server."""
        low = message.lower()
        if status in (401, 403) or "unauthorized" in low:
            who = f"user {self._user!r}" if self._user else "no user"
            return StoreAccessError(
                f"the QuestDB server at {self.url} refuses {who}: {message.strip() or status}. Set "
                "MAESTRO_QUESTDB_USER and MAESTRO_QUESTDB_PASSWORD to what it was started with."
            )
        if _NO_TABLE in low:
            return NoTableError(message)
        if any(words in low for words in _NO_SPACE):
            return StoreFullError(
                f"the QuestDB server at {self.url} has no space left: {message.strip()}. Make room, then repeat: what "
                "was written stays, and nothing is written twice."
            )
        return StoreError(f"the QuestDB server at {self.url} refuses: {message.strip()}.")

    def _pool(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                httpx = _httpx()
                self._client = httpx.Client(
                    base_url=self.url,
                    auth=(self._user, self._password or "") if self._user else None,
                    timeout=httpx.Timeout(self.timeout, connect=5.0),
                    limits=httpx.Limits(max_connections=_POOL, max_keepalive_connections=_POOL),
                    trust_env=False,
                    verify=self.secure,  # reading the certificates takes longer than reading a year of bars
                )
                weakref.finalize(self, self._client.close)  # where nobody calls `close`
            return self._client

    @contextlib.contextmanager
    def sender(self) -> Iterator[Callable[[str, pl.DataFrame], None]]:
        """A connection for rows: a function that writes a frame to a table in one transaction.

        It returns when the server has the rows in its log. A request that fails on the way is repeated for ten seconds
        by the client; rows with a stamp that is there replace each other, so that one that arrived twice counts once.

        The connection must not outlive the tables it writes to: where one was dropped and made again, the server
        acknowledges rows that it then loses with the old one. So it is for one write, not kept for the next.
        """
        questdb, pandas = _ilp()
        # Opening them often is what its client warns of, and what is wanted here.
        warnings.filterwarnings("ignore", message="questdb.Sender: Detected a burst", category=UserWarning)
        login = {"username": self._user, "password": self._password or ""} if self._user else {}
        protocol = questdb.Protocol.Https if self.secure else questdb.Protocol.Http
        try:
            with questdb.Sender(
                protocol, self.host, self.port, auto_flush=False, retry_timeout=_RESEND, **login
            ) as sender:

                def send(table: str, rows: pl.DataFrame) -> None:
                    columns = {name: rows[name].fill_null(float("nan")).to_numpy() for name in rows.columns[1:]}
                    stamps = rows["timestamp"].to_physical().to_numpy().view("datetime64[us]")
                    frame = pandas.DataFrame({"timestamp": stamps, **columns}, copy=False)
                    sender.dataframe(frame, table_name=table, symbols=False, at="timestamp")
                    sender.flush()

                yield send
        except questdb.QuestDBError as error:
            raise self._ilp_failure(error) from None

    def _ilp_failure(self, error: Any) -> StoreError:
        message, code = str(error), str(getattr(error.code, "name", error.code))
        if code == "AuthError":
            return self.refusal(401, message)
        if code in ("SocketError", "ProtocolVersionError", "CouldNotResolveAddr", "TlsError"):
            return StoreUnavailableError(
                f"the QuestDB server at {self.url} does not take rows: {message.strip()}. Is it running?"
            )
        return self.refusal(None, message)


def _plain(url: str) -> str:
    """The URL without user and password, for messages."""
    return url.rsplit("@", 1)[-1]


def _httpx() -> Any:
    try:
        import httpx
    except ImportError:
        raise MissingExtraError("httpx", "questdb") from None
    return httpx


def _ilp() -> tuple[Any, Any]:
    try:
        import pandas
        import questdb
    except ImportError as error:
        raise MissingExtraError(str(error.name), "questdb") from None
    return questdb, pandas
