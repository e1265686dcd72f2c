"""The service under an open loop of 100 requests a second, mixed reads and submissions, with two workers busy.

``python -m benchmarks.bench_service streams`` measures only what open streams cost: the memory of the server with 100
readers and 20 that never read, and how long SIGTERM takes with all of them open.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np

SECONDS = float(os.environ.get("MAESTRO_BENCH_SECONDS", "20"))
BUSY = {"data": "sample:IBM", "strategy": "RSIStrategy", "trials": 100_000, "splitter": "rolling:10,2,1"}
SMALL = {"data": "sample:AAPL", "strategy": "EmaCrossStrategy", "trials": 50}
READERS, SILENT = 100, 20
JOBS = "/api/v2/optimizations"


class Connection:
    """One keep-alive connection, with as little work of its own as can be."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes) -> int:
        if self.streams is None or self.streams[0].at_eof():  # the server closes connections that are idle
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        kind = "Content-Type: application/json\r\n" if body else ""
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}Content-Length: {len(body)}\r\n\r\n".encode() + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length:" in lower:
            await reader.readexactly(int(lower.split(b"content-length:")[1].split(b"\r\n")[0]))
        if b"connection: close" in lower or lower.startswith(b"http/1.0"):
            writer.close()
            self.streams = None
        return int(head.split(b" ", 2)[1])


async def load(port: int, rate: float, mix: list[tuple[str, str, bytes]]) -> tuple[np.ndarray, Counter[int]]:
    """Send at a constant rate whatever the answers do; latencies count from the moment that a request was due."""
    free = [Connection(port) for _ in range(64)]
    times: list[float] = []
    codes: Counter[int] = Counter()

    async def one(due: float, what: tuple[str, str, bytes]) -> None:
        while not free:
            await asyncio.sleep(0.001)
        connection = free.pop()
        try:
            codes[await connection.ask(*what)] += 1
        except (OSError, asyncio.IncompleteReadError):
            codes[0] += 1
            connection.streams = None
        times.append(time.perf_counter() - due)
        free.append(connection)

    began, tasks = time.perf_counter(), []
    for k in range(int(rate * SECONDS)):
        due = began + k / rate
        await asyncio.sleep(max(due - time.perf_counter(), 0.0))
        tasks.append(asyncio.create_task(one(due, mix[k % len(mix)])))
    await asyncio.gather(*tasks)
    return np.array(times), codes


def show(what: str, times: np.ndarray, codes: Counter[int]) -> None:
    p50, p95, p99 = 1000 * np.percentile(times, (50, 95, 99))
    failed = {code: count for code, count in sorted(codes.items()) if not 200 <= code < 400}
    bad = ", ".join(f"{count} x {code or 'no answer'}" for code, count in failed.items()) or "0"
    print(f"| {what} | {len(times):,} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {bad} |", flush=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, document: object = None) -> dict[str, object]:
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, object] = json.loads(answer.read())
        return found


def until_ready(port: int, path: str) -> None:
    for _ in range(1800):
        try:
            ask(port, path)
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers on port {port}")


def rss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def start(*words: str) -> subprocess.Popen[bytes]:
    line = [sys.executable, *words]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def of_the_service(folder: str) -> None:
    port = free_port()
    processes = [start("-m", "maestro", "serve", "--port", str(port), "--folder", folder)]
    try:
        until_ready(port, "/readyz")
        job = ask(port, JOBS, SMALL)
        worker = start("-m", "maestro", "worker", "--folder", folder, "--until-empty")
        while ask(port, f"{JOBS}/{job['id']}")["state"] != "done":
            time.sleep(0.2)
        worker.wait()
        here, result = f"{JOBS}/{job['id']}", f"/api/v2/results/{job['run']}"
        reads = [here, JOBS, f"{result}/equity?format=parquet", f"{here}/events", result, here, "/api/v2/strategies"]
        mix = [("GET", path, b"") for path in reads * 3]
        mix.insert(10, ("POST", JOBS, json.dumps(SMALL).encode()))
        before = rss(processes[0].pid)
        for name, rate in (("workers idle, 100/s", 100.0), ("two workers busy, 100/s", 100.0), ("… 300/s", 300.0)):
            if name.startswith("two"):
                for seed in (0, 1):
                    ask(port, JOBS, {**BUSY, "seed": seed})
                    processes.append(start("-m", "maestro", "worker", "--folder", folder))
                time.sleep(8.0)
            show(f"service: {name}", *asyncio.run(load(port, rate, mix)))
        print(f"\nMemory of the server: {before:.0f} MB before, {rss(processes[0].pid):.0f} MB after.")
    finally:
        for one in processes:
            one.terminate()
        for one in processes:
            one.wait()


async def read_streams(port: int, path: str, server: int) -> tuple[list[float], int]:
    """Follow a job with 100 readers and 20 that never read; returns memory [MB] over time, and lines that were read."""
    lines = 0

    async def read(reader: asyncio.StreamReader) -> None:
        nonlocal lines
        while await reader.readline():
            lines += 1

    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    loop, silent, reading, writers = asyncio.get_running_loop(), [], [], []
    for _ in range(READERS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        writers.append(writer)
        reading.append(asyncio.create_task(read(reader)))
    for _ in range(SILENT):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        one.setblocking(False)
        await loop.sock_connect(one, ("127.0.0.1", port))
        await loop.sock_sendall(one, request)
        silent.append(one)
    memory = []
    for _ in range(int(SECONDS)):
        await asyncio.sleep(1.0)
        memory.append(rss(server))
    os.kill(server, signal.SIGTERM)
    began = time.perf_counter()
    while Path(f"/proc/{server}/stat").exists() and time.perf_counter() - began < 60:
        await asyncio.sleep(0.02)
    print(f"The server ends {time.perf_counter() - began:.1f} s after SIGTERM, with all streams open.")
    await asyncio.wait(reading, timeout=60)
    for writer in writers:
        writer.close()
    for one in silent:
        one.close()
    return memory, lines


def of_streams(folder: str) -> None:
    """Memory with many streams open, and the time that the server and a busy worker take to end."""
    port = free_port()
    server = start("-m", "maestro", "serve", "--port", str(port), "--folder", folder)
    worker = start("-m", "maestro", "worker", "--folder", folder)
    try:
        until_ready(port, "/readyz")
        job = ask(port, JOBS, {**BUSY, "splitter": "rolling:100,4,1", "trials": 10_000})
        while ask(port, f"{JOBS}/{job['id']}")["state"] != "running":
            time.sleep(0.1)
        before = rss(server.pid)
        waiting = threading.Thread(target=server.wait)  # so that /proc forgets it at once
        waiting.start()
        memory, lines = asyncio.run(read_streams(port, f"{JOBS}/{job['id']}/stream", server.pid))
        waiting.join()
    finally:
        began = time.perf_counter()
        for one in (server, worker):
            one.terminate()
        for one in (server, worker):
            one.wait()
    print(
        f"\n{READERS} readers ({lines:,} lines) and {SILENT} that never read, for {len(memory)} s: the server has "
        f"{before:.0f} MB before, {memory[len(memory) // 10]:.0f} MB early, {memory[-1]:.0f} MB at the end."
    )
    print(f"A busy worker ends {time.perf_counter() - began:.1f} s after SIGTERM.")


def of_optuna_dashboard(folder: str) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{folder}/studies.db"
    study = optuna.create_study(storage=storage, study_name="one")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=50)
    port = free_port()
    code = (
        "import sys; from importlib.metadata import entry_points; "
        "(command,) = entry_points(group='console_scripts', name='optuna-dashboard'); sys.exit(command.load()())"
    )
    served = start("-c", code, storage, "--host", "127.0.0.1", "--port", str(port))
    try:
        until_ready(port, "/api/studies")
        mix = [("GET", "/api/studies", b"")]
        show("optuna-dashboard: list of studies, idle, 100/s", *asyncio.run(load(port, 100.0, mix)))
    finally:
        served.terminate()
        served.wait()


def main() -> None:
    if sys.argv[1:] == ["streams"]:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            of_streams(folder)
        return
    print("| what | requests | p50 [ms] | p95 [ms] | p99 [ms] | errors |")
    print("|---|---|---|---|---|---|")
    for measure in (of_optuna_dashboard, of_the_service):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            measure(folder)


if __name__ == "__main__":
    main()
