"""The attacks on a service, as a table: what is sent, and with which statuses it may be refused."""

from __future__ import annotations

import base64
import gzip
import json
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from maestro.service.accounts import read_or_make_keys
from tests.service.conftest import SMALL
from tests.service.web.conftest import PASSWORD, Site
from tests.support.patience import GIVE_UP

JOBS, AUTH, RESULTS = "/api/v2/optimizations", "/api/v2/auth", "/api/v2/results"
EVIL = "https://evil.example"


@dataclass
class Door:
    """A way to a service: directly, or through nginx."""

    site: Site
    port: int
    job: str
    """Of anna, and done."""
    run: str
    http: httpx.Client
    output: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, user: str = "", *, bearer: str = "", cookie: str = "", **given: Any) -> int:
        """Send a request; returns its status."""
        headers = dict(given.pop("headers", {}))
        if user or bearer:
            headers["Authorization"] = f"Bearer {bearer or self.site.keys[user]}"
        if cookie:
            headers["Cookie"] = f"maestro_session={cookie}"
        answer = self.http.request(method, path, headers=headers, **given)
        self.http.cookies.clear()
        self.output.append(answer.text)
        return answer.status_code

    def raw(self, text: bytes) -> int:
        """Send bytes; returns the status of the answer, 0 where the connection is closed without one."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=GIVE_UP) as plain:
            plain.sendall(text)
            answer = b""
            try:
                while b"\r\n\r\n" not in answer and (part := plain.recv(65_536)):
                    answer += part
            except ConnectionResetError:
                pass
        self.output.append(answer.decode("latin-1"))
        found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
        return int(found[1]) if found else 0

    def socket(self, query: str = "", **headers: str) -> int:
        """Open the WebSocket of anna's job; returns the status."""
        address = f"ws://127.0.0.1:{self.port}{JOBS}/{self.job}/ws{query}"
        try:
            with connect(address, additional_headers=headers, proxy=None) as found:
                found.recv()
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    def token(self, algorithm: str = "HS256", key: str = "", head: dict[str, Any] | None = None, **changed: Any) -> str:
        """Return an access token of the admin, signed as it should be but for what is changed."""
        kid, secret = next(iter(read_or_make_keys(self.site.service.folder).items()))
        now = int(time.time())
        claims = {"sub": "ada", "use": "access", "iat": now, "exp": now + 600, "jti": "j", "aud": "maestro",
                  "iss": "maestro", **changed}  # fmt: skip
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, key or secret, algorithm=algorithm, headers={"kid": kid, **(head or {})})

    def session(self, user: str, seconds: float = 600.0) -> str:
        """Return the cookie of a session."""
        return self.site.service.tokens.sign(user, "session", seconds)

    def ticket(self) -> str:
        """Return a ticket of anna for her job."""
        return self.site.service.tokens.make_ticket("anna", self.job)


def _unsigned(door: Door) -> str:
    parts = door.token().split(".")
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "x"}).encode()).rstrip(b"=").decode()
    return f"{head}.{parts[1]}."


def _swapped(door: Door) -> str:
    """A valid token of ben whose claims were exchanged for those of the admin."""
    own, wanted = door.token(sub="ben").split("."), door.token().split(".")
    return ".".join([own[0], wanted[1], own[2]])


TOKENS: dict[str, Callable[[Door], str]] = {
    "forged": lambda door: door.token(key="x" * 64),
    "claims of another": _swapped,
    "unsigned": _unsigned,
    "expired": lambda door: door.token(iat=int(time.time()) - 90, exp=int(time.time()) - 60),
    "issued in the future": lambda door: door.token(nbf=int(time.time()) + 3600),
    "wrong audience": lambda door: door.token(aud="other"),
    "wrong issuer": lambda door: door.token(iss="other"),
    "right key, other algorithm": lambda door: door.token("HS512"),
    "unknown key": lambda door: door.token(head={"kid": "nope"}),
    "path as key": lambda door: door.token(head={"kid": "../../../../dev/null"}, key="\0" * 32),
    "key from elsewhere": lambda door: door.token(key="y" * 64, head={"jku": f"{EVIL}/keys", "jwk": {"k": "eQ"}}),
    "session as token": lambda door: door.session("ada"),
    "refresh token as token": lambda door: door.site.service.tokens.begin("ada"),
    "without expiry": lambda door: door.token(exp=None),
    "without id": lambda door: door.token(jti=None),
    "of nobody": lambda door: door.token(sub="nobody"),
    "user as object": lambda door: door.token(head={"crit": ["x"]}, key="z" * 64),
    "oversized": lambda door: door.token(pad="x" * 4_000),
    "key with a quote": lambda door: "mk_' OR 1=1 --_" + "x" * 43,
    "password": lambda door: PASSWORD,
}
"""Bearers that are no login; each is refused with 401."""

IDS = (
    "0", "..", "%2e%2e", "..%2f..%2fservice.db", "..%5c..%5cservice.key", "%00", "' OR 1=1 --", "*", "%", "%25",
    "null", "-1", "9" * 400, "\u202e", "%ff%fe", "<script>", "${jndi:x}", "0123456789abcdef",
    "0123456789abcdef%2f..%2f..%2fservice.key", "con", ".lock", "manifest.json",
)  # fmt: skip
"""Identifiers that name nothing; in an address they find nothing and break nothing."""

PATHS = (
    "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "//etc/passwd",
    f"{RESULTS}/../../service.key", f"{RESULTS}/..%2f..%2fservice.key/manifest", f"{RESULTS}/..%252f..%252fservice.key",
    f"{RESULTS}/%2e%2e%2f%2e%2e%2fservice.db/equity", "/handbook/../service.key", "/apps/..%2fservice.key",
    "/apps/../service.key", "/static/../../service.key", "/api/v2/..;/service.key", "/.git/config", "/service.db",
    f"{JOBS}/..\\..\\service.key", "/docs/../../service.key", f"{RESULTS}/./././../../../service.key",
)  # fmt: skip
"""Addresses that lead out of the service; sent as they are."""

SERIES = (
    "/etc/passwd", "../service.key", "file:///etc/passwd", "prices.parquet", "sample:../x", "http://127.0.0.1/x.csv",
    "questdb://127.0.0.1/x", "A:/../../etc/passwd:1h", "A:..:1h", "\0", "sample:AAPL\0.csv", "store:../x",
)  # fmt: skip
"""Names of series that are files, addresses or stores."""

BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "oversized": (b" " * 300_000, {}),
    "gzip": (gzip.compress(b" " * 10_000_000), {"Content-Encoding": "gzip"}),
    "gzip in gzip": (gzip.compress(gzip.compress(b" " * 10_000_000)), {"Content-Encoding": "gzip, gzip"}),
    "deflate": (b"x\x9c", {"Content-Encoding": "deflate"}),
    "zstd": (b"(\xb5/\xfd", {"Content-Encoding": "zstd"}),
    "deeply nested": (b"[" * 100_000, {}),
    "deep objects": (b'{"a":' * 20_000, {}),
    "huge number": (b'{"data": "sample:AAPL", "strategy": "EmaCrossStrategy", "trials": ' + b"9" * 10_000 + b"}", {}),
    "infinite number": (b'{"data": "sample:AAPL", "strategy": "EmaCrossStrategy", "cash": 1e999}', {}),
    "not a number": (b'{"data": "sample:AAPL", "strategy": "EmaCrossStrategy", "cash": NaN}', {}),
    "no UTF-8": (b'{"data": "\xff\xfe"}', {}),
    "half a character": (b'{"data": "sample:AAPL", "strategy": "\\ud800"}', {}),
    "a list": (b"[]", {}),
    "a strategy that is a file": (b'{"data": "sample:AAPL", "strategy": "/tmp/own.py:Own"}', {}),
    "markup": (b'{"data": "<script>", "strategy": "<script>"}', {}),
}
"""Bodies of a submission that is refused: too large, packed, or not what it should be."""

FOREIGN: dict[str, dict[str, str]] = {
    "origin": {"Origin": EVIL},
    "origin null": {"Origin": "null"},
    "origin that begins alike": {"Origin": "http://127.0.0.1.evil.example"},
    "other port": {"Origin": "http://127.0.0.1:1"},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "form of another site": {"Origin": EVIL, "Content-Type": "text/plain"},
}
"""Headers that a browser sends with a request of another site's page."""


def smuggled(path: str) -> dict[str, bytes]:
    """Requests whose end is not clear, or that are no HTTP/1.1; each carries a second request for an address."""
    inner = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    head = f"POST {JOBS} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
    return {
        "length and chunks": head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
        "two lengths": head + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + inner,
        "length that is no number": head + b"Content-Length: +4\r\n\r\n{}  " + inner,
        "negative length": head + b"Content-Length: -1\r\n\r\n" + inner,
        "unknown coding": head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
        "folded header": head + b"X-A: 1\r\n Content-Length: 4\r\n\r\n" + inner,
        "space before the colon": head + b"Content-Length : 4\r\n\r\n{}  " + inner,
        "nonsense": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n",
    }


SUBMISSION: dict[str, Any] = {**SMALL, "seed": 77}
