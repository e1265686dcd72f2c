"""The server: one uvicorn process, which listens on loopback only until there are users."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from pathlib import Path

from maestro.errors import SettingsError
from maestro.service.web.application import make_application
from maestro.service.web.state import Service

log = logging.getLogger("maestro.service.web")

HEADER_SECONDS = 15.0
"""Longest time for the headers of a request."""


def serve(
    folder: Path,
    runs_dir: Path | None = None,
    *,
    address: str = "127.0.0.1",
    port: int = 8400,
    tls: tuple[Path, Path] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; open streams end within three seconds.

    Raises
    ------
    SettingsError
        The address is not this machine's own, and there are no users yet.
    """
    import uvicorn

    service = Service(folder, runs_dir)
    if not service.has_logins:
        if not _is_loopback(address):
            raise SettingsError(
                f"--address {address} can be reached from other machines, and there are no users yet, so anyone "
                "could submit jobs; add a user (maestro user add NAME --role admin), or listen on 127.0.0.1."
            )
        log.warning("no users: requests need no login; add a user with maestro user add NAME")
    certificate, key = tls or (None, None)
    config = uvicorn.Config(
        make_application(service), host=address, port=port, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=3, proxy_headers=False, ws_max_size=4096, ws_ping_interval=20.0, lifespan="on",
        limit_concurrency=2000, ssl_certfile=certificate, ssl_keyfile=key, http=protocol(),
    )  # fmt: skip
    uvicorn.Server(config).run()


def protocol(seconds: float = HEADER_SECONDS) -> type[asyncio.Protocol]:
    """Return the HTTP protocol of uvicorn, which closes a connection whose headers take longer than `seconds`."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class InTime(HttpToolsProtocol):
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            if self._late is None:  # a further request on this connection
                self._wait()

        def on_headers_complete(self) -> None:
            self._arrived()
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._arrived()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._late = self.loop.call_later(seconds, self._close)

        def _arrived(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _close(self) -> None:
            self._late = None
            if not self.transport.is_closing():
                words = b"the headers took too long; send them faster."
                self.transport.write(
                    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n"
                    b"connection: close\r\n\r\n%s" % (len(words), words)
                )
                self.transport.close()

    return InTime


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
