"""A small server that speaks RethinkDB's wire protocol: the V1_0 handshake with SCRAM-SHA-256, and the terms used.

The terms are those that the migration and the real ``rethinkdb dump`` and ``export`` send; another one is answered as
RethinkDB answers what it does not understand. Connections can be cut after a number of documents.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import socket
import socketserver
import struct
import threading
from typing import Any

V1_0 = 0x34C2BDC3
ITERATIONS = 4096
START, CONTINUE, STOP, NOREPLY_WAIT, SERVER_INFO = 1, 2, 3, 4, 5
ATOM, SEQUENCE, PARTIAL, WAIT_COMPLETE, INFO_REPLY, CLIENT_ERROR, RUNTIME_ERROR = 1, 2, 3, 4, 5, 16, 18
NON_EXISTENCE, QUERY_LOGIC = 3_100_000, 3_000_000
DATUM, MAKE_ARRAY, MAKE_OBJ, DB, TABLE, GET_FIELD, PLUCK = 1, 2, 3, 14, 15, 31, 33
ORDER_BY, COUNT, DB_LIST, TABLE_LIST, INFO, INDEX_STATUS, SUM, BRACKET, MINVAL, MAXVAL, BETWEEN = (
    41, 43, 59, 62, 79, 139, 145, 170, 180, 181, 182,
)  # fmt: skip

Document = dict[str, Any]


class Refused(Exception):
    """A term that cannot be evaluated: its message and error type."""

    def __init__(self, message: str, kind: int = NON_EXISTENCE) -> None:
        super().__init__(message)
        self.kind = kind


class Rows(list[Any]):
    """A selection of documents, which is answered as a stream."""


class OldServer(socketserver.ThreadingTCPServer):
    """Databases of tables of documents, behind a password.

    Parameters
    ----------
    databases : dict of dict of list of documents with ``id``
    user, password : str
    batch : int, documents an answer
    cut_after : list of int
        Connections are cut after so many documents, one number a connection; then they hold.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self,
        databases: dict[str, dict[str, list[Document]]],
        *,
        user: str = "admin",
        password: str = "",
        batch: int = 1_000,
        cut_after: list[int] | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.databases = {
            name: {table: sorted(rows, key=lambda row: str(row["id"])) for table, rows in tables.items()}
            for name, tables in databases.items()
        }
        self.user, self.password, self.batch = user, password, batch
        self.cut_after = cut_after or []
        self.connections = 0
        self.count_offset = 0  # documents that the server counts and does not send
        self.forbidden: set[str] = set()

    @property
    def port(self) -> int:
        """The driver port."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Address without a database."""
        return f"rethinkdb://{self.user}:{self.password}@127.0.0.1:{self.port}"

    def __enter__(self) -> OldServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    # -- terms ------------------------------------------------------------------------------

    def evaluate(self, term: Any) -> Any:
        """Value of a term as the driver sends it: ``[number, arguments, options]``, or plain JSON."""
        if isinstance(term, dict):
            return {name: self.evaluate(value) for name, value in term.items()}
        if not isinstance(term, list):
            return term
        kind, arguments, options = [*term, [], {}][:3] if len(term) > 1 else [term[0], [], {}]
        if kind == MAKE_ARRAY:
            return [self.evaluate(one) for one in arguments]
        if kind in (MINVAL, MAXVAL):
            return (kind,)
        values = [self.evaluate(one) for one in arguments]
        if kind == DB_LIST:
            return [*self.databases, "rethinkdb"]
        if kind == DB:
            if values[0] not in self.databases and values[0] != "rethinkdb":
                raise Refused(f"Database `{values[0]}` does not exist.")
            return ("db", values[0])
        if kind == TABLE_LIST:
            return list(self.databases[values[0][1]])
        if kind == TABLE:
            return self._table(values[0][1], values[1])
        if kind == INFO:
            return values[0].info
        if kind == INDEX_STATUS:
            return []
        if kind == COUNT:
            return len(values[0]) + self.count_offset
        if kind == SUM:
            return sum(values[0])
        if kind in (BRACKET, GET_FIELD):
            return values[0][values[1]]
        if kind == PLUCK:
            return Rows({name: row[name] for name in values[1]} for row in values[0])
        if kind == ORDER_BY:
            assert options == {"index": "id"}
            return values[0]  # they lie in the order of their keys
        if kind == BETWEEN:
            rows, low, high = values
            assert options.get("left_bound") == "open"
            assert high == (MAXVAL,)
            return Rows(row for row in rows if str(row["id"]) > str(low))
        raise Refused(f"Term {kind} is not spoken here.", QUERY_LOGIC)

    def _table(self, database: str, name: str) -> Rows:
        if database == "rethinkdb":
            return self._system(name)
        if name not in self.databases[database]:
            raise Refused(f"Table `{database}.{name}` does not exist.")
        if name in self.forbidden:
            raise Refused(f"User `{self.user}` does not have the required `read` permission.", 6_000_000)
        rows = Rows(self.databases[database][name])
        rows.info = {  # type: ignore[attr-defined]
            "db": {"id": "0b7ffc01", "name": database, "type": "DB"},
            "doc_count_estimates": [len(rows)], "id": "5e1b0a11", "indexes": [], "name": name, "primary_key": "id",
            "type": "TABLE",
        }  # fmt: skip
        return rows

    def _system(self, name: str) -> Rows:
        if name == "table_config":
            return Rows({"db": db, "name": table} for db, tables in self.databases.items() for table in tables)
        if name == "server_status":
            return Rows([{"process": {"version": "rethinkdb 2.3.6~0jessie (GCC 4.9.2)"}}])
        raise Refused(f"Table `rethinkdb.{name}` does not exist.")


class _Connection(socketserver.BaseRequestHandler):
    server: OldServer
    request: socket.socket

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._streams: dict[int, list[list[Any]]] = {}  # the next one last
        self._sent = 0
        number, self.server.connections = self.server.connections, self.server.connections + 1
        cuts = self.server.cut_after
        self._cut = cuts[number] if number < len(cuts) else None
        with contextlib.suppress(ConnectionError, EOFError):
            if self._shake_hands():
                while True:
                    token, length = struct.unpack("<QL", self._take(12))
                    self._answer(token, json.loads(self._take(length)))

    # -- the handshake ----------------------------------------------------------------------

    def _shake_hands(self) -> bool:
        if struct.unpack("<L", self._take(4))[0] != V1_0:
            self.request.sendall(b"ERROR: Received an unsupported protocol version.\n\0")
            return False
        asked = json.loads(self._line())
        self._say({"success": True, "min_protocol_version": 0, "max_protocol_version": 0, "server_version": "2.3.6"})
        if asked["authentication_method"] != "SCRAM-SHA-256":
            return self._refuse(11, "Unsupported authentication method")
        first = asked["authentication"].removeprefix("n,,")
        reported = dict(part.split("=", 1) for part in first.split(","))
        salt = hashlib.sha256(self.server.user.encode()).digest()[:16]
        nonce = reported["r"] + secrets.token_urlsafe(12)
        challenge = f"r={nonce},s={base64.b64encode(salt).decode()},i={ITERATIONS}"
        self._say({"success": True, "authentication": challenge})
        final = json.loads(self._line())["authentication"]
        without_proof, _, proof = final.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac("sha256", self.server.password.encode(), salt, ITERATIONS)
        signed = ",".join((first, challenge, without_proof)).encode()
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        wanted = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        known = reported["n"].replace("=2C", ",").replace("=3D", "=") == self.server.user
        if not known or not hmac.compare_digest(base64.b64decode(proof), wanted):
            return self._refuse(12, "Wrong password" if known else "Unknown user")
        server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        self._say({"success": True, "authentication": f"v={base64.b64encode(server).decode()}"})
        return True

    def _refuse(self, code: int, message: str) -> bool:
        self._say({"success": False, "error": message, "error_code": code})
        return False

    def _say(self, message: Document) -> None:
        self.request.sendall(json.dumps(message).encode() + b"\0")

    def _line(self) -> bytes:
        while b"\0" not in self._buffer:
            self._more()
        line, _, self._buffer = self._buffer.partition(b"\0")
        return line

    def _take(self, length: int) -> bytes:
        while len(self._buffer) < length:
            self._more()
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken

    def _more(self) -> None:
        chunk = self.request.recv(65_536)
        if not chunk:
            raise EOFError
        self._buffer += chunk

    # -- queries ----------------------------------------------------------------------------

    def _answer(self, token: int, query: list[Any]) -> None:
        if query[0] == NOREPLY_WAIT:
            self._reply(token, WAIT_COMPLETE, [])
        elif query[0] == SERVER_INFO:
            self._reply(token, INFO_REPLY, [{"id": "1", "name": "old", "proxy": False}])
        elif query[0] == STOP:
            self._streams.pop(token, None)
            self._reply(token, SEQUENCE, [])
        elif query[0] == CONTINUE:
            self._stream(token)
        else:
            try:
                value = self.server.evaluate(query[1])
            except Refused as error:
                self._reply(token, RUNTIME_ERROR, [str(error)], {"e": error.kind, "b": []})
                return
            if isinstance(value, Rows):
                size = self.server.batch
                batches = [value[at : at + size] for at in range(0, len(value), size)] or [[]]
                self._streams[token] = batches[::-1]
                self._stream(token)
            else:
                self._reply(token, ATOM, [value])

    def _stream(self, token: int) -> None:
        stream = self._streams.get(token)
        if stream is None:  # the driver asks ahead, also behind the end
            self._reply(token, CLIENT_ERROR, [f"Token {token} not in stream cache."], {"b": []})
            return
        batch = stream.pop()
        if not stream:
            del self._streams[token]
        self._sent += len(batch)
        if self._cut is not None and self._sent > self._cut:
            self.request.shutdown(socket.SHUT_RDWR)
            raise EOFError
        self._reply(token, PARTIAL if stream else SEQUENCE, batch)

    def _reply(self, token: int, kind: int, values: list[Any], more: Document | None = None) -> None:
        body = json.dumps({"t": kind, "r": values, "n": [], **(more or {})}).encode()
        self.request.sendall(struct.pack("<QL", token, len(body)) + body)
