"""Maestro without the modules, signals and functions that only POSIX systems have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHOUT_POSIX = """
import importlib.abc, os, signal, sys

MODULES = {"crypt", "fcntl", "grp", "nis", "pty", "pwd", "readline", "resource", "spwd", "syslog", "termios", "tty"}
SIGNALS = {"SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGTSTP", "SIGUSR1", "SIGUSR2"}
FUNCTIONS = {"fchown", "getloadavg", "killpg", "mkfifo", "sched_getaffinity", "sched_setaffinity", "sched_setscheduler",
             "setsid", "statvfs"}

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in MODULES & set(sys.modules):
    del sys.modules[name]
sys.meta_path.insert(0, Block())
for module, names in ((signal, SIGNALS), (os, FUNCTIONS)):
    for name in names & set(dir(module)):
        delattr(module, name)
"""
IMPORT_ALL = """
import importlib, pkgutil
import maestro

names = [found.name for found in pkgutil.walk_packages(maestro.__path__, "maestro.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names))
"""
WALK_FORWARD = """
import sys, threading
import maestro as ms
from maestro.errors import RunCancelled
from maestro.execution.events import FoldDone

runs, bars = sys.argv[1], ms.load_sample("AAPL")
cancel = threading.Event()

def stop(event):
    if isinstance(event, FoldDone):
        cancel.set()

def run(**options):
    return ms.walk_forward(bars, "EmaCrossStrategy", trials=5, executor="serial", runs_dir=runs, **options)

if __name__ == "__main__":
    try:
        run(progress=stop, cancel=cancel)
    except RunCancelled as error:
        print(error)
    resumed = run()
    stored = ms.load_run(resumed.id, runs)
    assert stored.metrics["sharpe_ratio"] == resumed.metrics["sharpe_ratio"] == float(sys.argv[2])
    assert stored.equity.equals(resumed.equity)
    print(resumed.id)
"""
LOCK = """
import sys, time
from pathlib import Path
from maestro._core.locks import locked
with locked(Path(sys.argv[1]), lambda holder: SystemExit(f"held by {holder}")):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start Python without what POSIX adds; `filelock` warns that only its soft lock is left."""
    command = [sys.executable, "-W", "error", "-W", "ignore:only soft file lock", "-c", WITHOUT_POSIX + code]
    return subprocess.Popen(
        [*command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def run(code: str, *arguments: object) -> str:
    process = start(code, *arguments)
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output


def test_every_module_is_imported() -> None:
    assert int(run(IMPORT_ALL)) >= len(list((ROOT / "maestro").rglob("*.py"))) - 1  # without the package itself


def test_a_walk_forward_is_stored_interrupted_resumed_and_loaded(tmp_path: Path) -> None:
    import maestro as ms

    here = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", trials=5, executor="serial")
    output = run(WALK_FORWARD, tmp_path, here.metrics["sharpe_ratio"]).splitlines()
    assert "1 of 9 folds" in output[0]
    assert output[-1] == here.id
    assert not list(tmp_path.rglob("*.held"))


def test_a_lock_excludes_others_names_its_holder_and_is_free_when_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = start(LOCK, path, 3600)
    assert first.stdout is not None
    assert first.stderr is not None
    try:
        assert first.stdout.readline() == "held\n"
        second = start(LOCK, path, 0)
        assert f"held by process {first.pid} on " in second.communicate()[1]
        assert second.returncode != 0
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
        first.stderr.close()
    assert run(LOCK, path, 0) == "held\n"
