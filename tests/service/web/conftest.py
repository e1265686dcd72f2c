"""A real server in a thread, on a free port of this machine, with users or without, and a worker where it is asked."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from maestro.service.web.application import make_application
from maestro.service.web.server import HEADER_SECONDS, protocol
from maestro.service.web.state import Service
from maestro.service.worker import Worker
from tests.support.patience import GIVE_UP

PASSWORD = "correct horse battery"


@dataclass
class Site:
    """A service that listens."""

    service: Service
    port: int
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def http(self, user: str | None = None, **options: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.keys[user]}"} if user else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=GIVE_UP, **options)

    def work(self) -> None:
        """Run all jobs that wait."""
        Worker(self.service.database, self.service.runs_dir).run(until_empty=True)


@contextmanager
def listening(folder: Path, port: int = 0, header_seconds: float = HEADER_SECONDS) -> Iterator[Site]:
    service = Service(folder)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(
            make_application(service), log_config=None, access_log=False, timeout_graceful_shutdown=3,
            ws_max_size=4096, ws="websockets-sansio", http=protocol(header_seconds),
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield Site(service, listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(GIVE_UP)
            service.database.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Site]:
    """A service without users."""
    with listening(tmp_path / "service") as site:
        yield site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A service with an admin ada, researchers anna and ben, and a viewer vic, who have API keys."""
    with listening(tmp_path / "service") as found:
        for name, role in (("ada", "admin"), ("anna", "researcher"), ("ben", "researcher"), ("vic", "viewer")):
            found.service.users.add(name, role, PASSWORD)
            found.keys[name] = found.service.users.make_key(name, "test")
        yield found


@pytest.fixture
def restartable(tmp_path: Path) -> Callable[[int], Any]:
    """Opens a service again and again in one folder."""
    return lambda port=0: listening(tmp_path / "service", port)
