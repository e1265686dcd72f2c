"""A Dask cluster: what it costs per walk-forward, what is sent, and what killed workers change (nothing).

``python benchmarks/bench_cluster.py`` starts a scheduler and two workers as processes of their own, in another folder
and with an environment of PATH and HOME alone, and prints two tables. CPU time is compared, not the clock, so that a
busy machine does not change the figures. ``--kills 20`` kills a worker at a random moment so many times while the same
walk-forwards are repeated, starts another one each time, and compares every result with the serial one, bit by bit.
"""

from __future__ import annotations

import argparse
import os
import pickle
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
from distributed import Client

import maestro as ms
from maestro.execution import distributed

TABLES = ("folds", "trials", "equity", "trades")
SETTINGS: dict[str, Any] = {"splitter": "rolling:9,2,1", "trials": 20}


class Cluster:
    """A scheduler and two workers in a folder of their own, with a bare environment."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.count = folder, folder / "scheduler.json", 0
        self.scheduler = self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file))
        self.workers = [self.worker() for _ in range(2)]

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        self.count += 1
        return self._start("worker", "--scheduler-file", str(self.file), "--nthreads", "1", "--no-dashboard",
                           "--no-nanny", "--death-timeout", "60", "--name", f"worker-{self.count}")  # fmt: skip

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        place = self.folder / f"{kind}-{self.count}"
        place.mkdir(exist_ok=True)
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        with open(place / "log", "ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1", *options], cwd=place,
                env=bare, stdout=log, stderr=log,
            )  # fmt: skip

    def cpu(self) -> float:
        """CPU seconds of the scheduler and the workers."""
        return sum(sum(psutil.Process(one.pid).cpu_times()[:2]) for one in (self.scheduler, *self.workers))

    def stop(self) -> None:
        """End all of them."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


class Sent:
    """Counts the bytes of tasks and results while it is entered."""

    def __enter__(self) -> Sent:
        self.out = self.back = 0
        self._pack, self._settle, self._dumps = distributed.dumps_by_value, distributed._settle, pickle.dumps

        def pack(value: Any) -> bytes:
            packed = self._pack(value)
            self.out += len(packed)
            return packed

        def settle(done: Any, own: Any) -> None:
            self._settle(done, own)
            if done.status == "finished":
                self.back += len(self._dumps(own.result(), protocol=5))

        distributed.dumps_by_value, distributed._settle = pack, settle
        return self

    def __exit__(self, *_: object) -> None:
        distributed.dumps_by_value, distributed._settle = self._pack, self._settle


def equal(one: ms.WalkForwards, two: ms.WalkForwards) -> bool:
    """Whether all tables are equal to the bit."""
    return one.table.equals(two.table) and all(
        getattr(wf, name).equals(getattr(two[cell], name)) for cell, wf in one.items() for name in TABLES
    )


def costs(u: ms.Universe, cluster: Cluster, client: Any) -> None:
    """Print what a walk-forward costs on the cluster and here."""
    some = u.select(list(u)[:4])
    ms.walk_forward_many(some, "EmaCrossStrategy", executor="serial", **SETTINGS)  # compiles and imports
    began = time.process_time()
    serial = ms.walk_forward_many(u, "EmaCrossStrategy", executor="serial", **SETTINGS)
    alone = time.process_time() - began
    ms.walk_forward_many(some, "EmaCrossStrategy", executor=client, **SETTINGS)
    own, far, clock = time.process_time(), cluster.cpu(), time.perf_counter()
    with Sent() as sent:
        many = ms.walk_forward_many(u, "EmaCrossStrategy", executor=client, **SETTINGS)
    own, far, clock = time.process_time() - own, cluster.cpu() - far, time.perf_counter() - clock
    assert equal(serial, many)
    n = len(many)
    bars = len(pickle.dumps(dict(u.items()), protocol=5))
    print("| per walk-forward | figure |\n|---|---|")
    print(f"| CPU here, in one process | {1000 * alone / n:.0f} ms |")
    print(f"| CPU of client, scheduler and workers together | {1000 * (own + far) / n:.0f} ms |")
    print(f"| of it in the client | {1000 * own / n:.0f} ms |")
    print(f"| overhead | {1000 * (own + far - alone) / n:.0f} ms |")
    print(f"| task sent | {sent.out / n / 1024:.1f} KiB |")
    print(f"| result sent back | {sent.back / n / 1024:.1f} KiB |")
    print(f"| bars, once for each worker | {bars / len(u) / 1024:.1f} KiB |")
    print(f"| clock, {n} walk-forwards | {clock:.1f} s |\n", flush=True)


def killed(u: ms.Universe, cluster: Cluster, client: Any, kills: int) -> None:
    """Kill workers at random moments while walk-forwards are repeated, and compare each result."""
    client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 1_000))
    serial = ms.walk_forward_many(u, "EmaCrossStrategy", executor="serial", **SETTINGS)
    rng, done, failed = random.Random(0), threading.Event(), []

    def disturb() -> None:
        try:
            for number in range(kills):
                time.sleep(rng.uniform(0.05, 1.5))
                victim = cluster.workers.pop(rng.randrange(2))
                victim.kill()
                victim.wait()
                cluster.workers.append(cluster.worker())
                client.wait_for_workers(2, timeout=300)
                print(f"killed {number + 1}", file=sys.stderr, flush=True)
        except Exception as error:
            failed.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=disturb)
    thread.start()
    rounds = same = 0
    while not done.is_set() or not rounds:
        rounds += 1
        same += equal(serial, ms.walk_forward_many(u, "EmaCrossStrategy", executor=client, **SETTINGS))
    thread.join()
    if failed:
        raise failed[0]
    print("| workers killed | times all walk-forwards were run | equal to serial, bit by bit |\n|---|---|---|")
    print(f"| {kills} | {rounds} | {same} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--symbols", type=int, default=40)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as ledgers, tempfile.TemporaryDirectory() as folder:
        os.environ["MAESTRO_LEDGER_DIR"] = ledgers
        cluster = Cluster(Path(folder))
        try:
            until = time.monotonic() + 120
            while not cluster.file.exists() and time.monotonic() < until:
                time.sleep(0.1)
            with Client(scheduler_file=str(cluster.file), timeout=120) as client:
                client.wait_for_workers(2, timeout=300)
                u = ms.universe({f"S{k:03d}": ms.synthetic_bars(2_000, k, "1d") for k in range(given.symbols)})
                costs(u, cluster, client)
                if given.kills:
                    killed(u.select(list(u)[:12]), cluster, client, given.kills)
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
