"""The processes of a stack: which exist, whether they run, and how to stop them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from maestro._core.atomic import write_atomic
from maestro.errors import ServiceError

FILE = "stack.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A process of the stack.

    Attributes
    ----------
    name : str
    pid : int
    began : str
        When the process began, as the system has it: another process with the same number has another one.
    url : str
        Where it is asked whether it is healthy; empty for a worker.
    log : str
    """

    name: str
    pid: int
    began: str
    url: str
    log: str

    @property
    def runs(self) -> bool:
        """Whether the process runs."""
        return bool(self.began) and start_time(self.pid) == self.began

    @property
    def healthy(self) -> bool:
        """Whether it runs and, if it can be asked, answers."""
        return self.runs and (not self.url or answers(self.url))


def read(folder: Path) -> list[Part]:
    """Return the parts in the order of their start; none without a stack.

    Raises
    ------
    ServiceError
        The file is damaged.
    """
    try:
        return [Part(**one) for one in json.loads((folder / FILE).read_text())]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise ServiceError(
            f"{folder / FILE} is damaged ({error}); end the processes of the stack by hand, then remove the file."
        ) from error


def write(folder: Path, parts: list[Part]) -> None:
    """Remember the parts."""
    write_atomic(folder / FILE, json.dumps([asdict(part) for part in parts], indent=1).encode())


def status(folder: Path) -> list[tuple[Part, str]]:
    """Return each part with ``healthy``, ``does not answer`` or ``ended``."""
    return [(part, "healthy" if part.healthy else "does not answer" if part.runs else "ended") for part in read(folder)]


def start_time(pid: int) -> str:
    """Return when a process began; empty if there is none, or it has ended and was not waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
    done = subprocess.run(["ps", "-p", str(pid), "-o", "lstart="], capture_output=True, text=True)
    return done.stdout.strip()


def answers(url: str) -> bool:
    """Whether a GET is answered with a status below 400; redirects and certificates are not looked at."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # of this machine's own nginx
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _Stay())
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=10) as answer:
            return bool(answer.status < 400)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 400
    except OSError:
        return False


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def end(part: Part, wait: float = 20.0) -> bool:
    """End a part and everything that it started; returns whether it had to be killed."""
    if not part.runs:
        _signal(part.pid, signal.SIGKILL, only_children=True)
        return False
    os.kill(part.pid, signal.SIGTERM)
    give_up = time.monotonic() + wait
    while part.runs and time.monotonic() < give_up:
        time.sleep(0.05)
    killed = part.runs
    _signal(part.pid, signal.SIGKILL)  # the rest of its session
    while part.runs:
        time.sleep(0.05)
    return killed


def _signal(group: int, number: int, *, only_children: bool = False) -> None:
    if only_children and start_time(group):
        return  # another process has the number now
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
