"""Starts the parts of a stack in order, each once the previous one is healthy, and stops them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from maestro._core.locks import locked
from maestro.config import Settings
from maestro.data.stores import questdb_server
from maestro.errors import ServiceError, SettingsError
from maestro.operations.stack import commands
from maestro.operations.stack.configuration import ReverseProxy, write_nginx, write_prometheus
from maestro.operations.stack.programs import find_programs
from maestro.operations.stack.state import FILE, Part, end, read, start_time, write
from maestro.service.accounts import Users
from maestro.service.jobs import Database

READY = 180.0  # s for one part to become healthy; the apps take 5 on an idle machine
OPTIONAL = ("apps", "nginx", "prometheus")
_left_running: list[subprocess.Popen[bytes]] = []  # started to outlive this process, which still has to reap them


class _Stack:
    """The parts that have been started so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: list[Part] = []

    def start(self, name: str, command: Sequence[str | Path], url: str, says: str = "", **environment: str) -> None:
        """Start a part and wait until it is healthy: its URL answers, or its log has some words."""
        log = self.folder / f"{name}.log"
        with open(log, "wb") as target:
            process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=target, stderr=subprocess.STDOUT,
                start_new_session=True, env={**os.environ, **environment},
            )  # fmt: skip
        _left_running.append(process)
        part = Part(name, process.pid, start_time(process.pid), url, str(log))
        self.parts.append(part)
        write(self.folder, self.parts)
        give_up = time.monotonic() + READY
        while not (part.healthy and says in log.read_text(errors="replace")):
            ended = process.poll() is not None
            if ended or time.monotonic() > give_up:
                tail = " ".join(log.read_text(errors="replace").split("\n")[-6:]).strip()
                raise ServiceError(
                    f"{name} {'ended at once' if ended else f'was not healthy within {READY:g} s'}; {log} ends: {tail}"
                )
            time.sleep(0.1)


def up(
    folder: Path,
    settings: Settings,
    proxy: ReverseProxy,
    *,
    workers: int = 1,
    schedule: Sequence[str] = (),
    without: Sequence[str] = (),
    alertmanager: Path | None = None,
) -> list[Part]:
    """Start everything; if one part does not become healthy, those before it are stopped.

    The order is QuestDB (if bars are kept in it), API, workers, schedule, apps, nginx, Alertmanager, Prometheus.

    Parameters
    ----------
    schedule : sequence of str
        Options of `maestro schedule`, which is left out without any.
    alertmanager : Path, optional
        Configuration of an Alertmanager, which is started with it and to which Prometheus sends its alerts.

    Raises
    ------
    SettingsError
        An unknown part in `without`, an Alertmanager without Prometheus or without its file, or no users although nginx
        lets others in.
    ServiceError
        The stack is up already, a program is missing, or a part does not become healthy.
    """
    unknown = set(without) - set(OPTIONAL)
    if unknown:
        raise SettingsError(f"--without {min(unknown)}: there is no such part; there are: {', '.join(OPTIONAL)}.")
    if alertmanager is not None and "prometheus" in without:
        raise SettingsError("--alertmanager needs Prometheus, which sends the alerts; leave out --without prometheus.")
    if alertmanager is not None and not alertmanager.is_file():
        raise SettingsError(f"--alertmanager {alertmanager} is not a file; deploy/alertmanager has an example.")
    wanted = [name for name in ("nginx", "prometheus") if name not in without]
    programs = find_programs([*wanted, *(["alertmanager"] if alertmanager is not None else [])])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _held(folder):
        running = [part.name for part in read(folder) if part.runs]
        if running:
            raise ServiceError(f"{', '.join(running)} of {folder} run already; `maestro stack down` stops them.")
        database = Database(settings.service.folder)
        try:
            if "nginx" in programs and not Users(database).exist():
                raise SettingsError(
                    "there are no users, so that nobody could log in; add one (maestro user add NAME --role admin), or "
                    "start without the reverse proxy: --without nginx."
                )
        finally:
            database.close()
        stack = _Stack(folder)
        try:
            _start(stack, settings, proxy, workers, schedule, without, programs, alertmanager)
        except BaseException:
            _stop(folder, stack.parts)
            raise
        return stack.parts


def _start(
    stack: _Stack,
    settings: Settings,
    proxy: ReverseProxy,
    workers: int,
    schedule: Sequence[str],
    without: Sequence[str],
    programs: dict[str, str],
    alertmanager: Path | None,
) -> None:
    maestro = [sys.executable, "-m", "maestro"]
    folder, questdb = stack.folder, settings.servers.questdb
    if settings.store == "questdb" and not questdb_server.answers(questdb.url, questdb.user, questdb.password):
        jar = questdb_server.find_jar(questdb.home, questdb.jar)
        if jar is None:
            raise ServiceError(f"QuestDB's jar is not in {questdb.home}; `maestro data questdb start` fetches it.")
        port = int(questdb.url.rpartition(":")[2])
        server = questdb_server.QuestDBServer(
            questdb.home / "root", jar, port=port, user=questdb.user, password=questdb.password
        )
        started = questdb_server.start(questdb.home, server)
        if server.process is not None:
            _left_running.append(server.process)
        stack.parts.append(Part("questdb", started.pid, start_time(started.pid), "", started.log))
        write(folder, stack.parts)
    api_port = questdb_server.free_port()
    stack.start("api", [*maestro, *commands.api(api_port)], f"http://127.0.0.1:{api_port}/readyz")
    for number in range(1, workers + 1):
        stack.start(f"worker-{number}", [*maestro, *commands.worker()], "", says="worker started")
    if schedule:
        stack.start("schedule", [*maestro, *commands.schedule(schedule)], "", says="schedule started")
    apps_port = None
    if "apps" not in without:
        apps_port = questdb_server.free_port()
        prefix = f"{proxy.prefix}/apps"
        stack.start(
            "apps",
            [*maestro, *commands.apps(apps_port, prefix, (f"{proxy.address}:{proxy.port}",
                                                          f"localhost:{proxy.port}", *proxy.origins))],
            f"http://127.0.0.1:{apps_port}{prefix}/runs", MAESTRO_SERVICE_URL=f"http://127.0.0.1:{api_port}",
        )  # fmt: skip
    if "nginx" in programs:
        path = write_nginx(folder, proxy, api_port, apps_port)
        stack.start("nginx", [programs["nginx"], "-p", folder, *commands.nginx(path)], f"{proxy.url}/readyz")
    alerts = ""
    if alertmanager is not None:
        port = questdb_server.free_port()
        alerts = f"127.0.0.1:{port}"
        command = commands.alertmanager(alertmanager.absolute(), folder / "alertmanager", port)
        stack.start("alertmanager", [programs["alertmanager"], *command], f"http://{alerts}/-/ready")
    if "prometheus" in programs:
        port = questdb_server.free_port()
        command = commands.prometheus(write_prometheus(folder, api_port, alerts), folder / "prometheus", port)
        stack.start("prometheus", [programs["prometheus"], *command], f"http://127.0.0.1:{port}/-/ready")


def down(folder: Path) -> list[str]:
    """Stop everything, the last part first; returns the names of what ran.

    Raises
    ------
    ServiceError
        The stack is being started or stopped by another process.
    """
    if not (folder / FILE).is_file():
        return []
    with _held(folder):
        return _stop(folder, read(folder))


def _stop(folder: Path, parts: list[Part]) -> list[str]:
    ran = [part.name for part in parts if part.runs]
    for part in reversed(parts):
        end(part)
    ended = {part.pid for part in parts}
    for process in [one for one in _left_running if one.pid in ended]:
        process.wait()
        _left_running.remove(process)
    (folder / FILE).unlink(missing_ok=True)
    return ran


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    busy = f"the stack of {folder} is being started or stopped"
    with locked(folder / ".lock", lambda holder: ServiceError(f"{busy} by {holder}; wait for it.")):
        yield
