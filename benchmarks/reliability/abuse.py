"""What visitors, hosts and other programs may do: large uploads, hostile archives, damaged studies, foreign folders."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import maestro as ms
from benchmarks.reliability.processes import resident
from maestro.config import make_settings
from maestro.data.fetching import fetch
from maestro.data.legacy import rollback
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.errors import MaestroError
from maestro.runs.identity import run_id

_OPTIONS = {"splitter": "rolling:3,2,1", "trials": 5, "executor": "serial"}
_FROM = 1_704_067_200_000_000
_RECORDED = Path(__file__).parents[2] / "tests/runs/recorded"


def studies(tries: int, folder: Path) -> Iterator[str]:
    """Flip or truncate bytes in a file of Optuna studies, then export into it: a clear error, or complete studies."""
    import optuna

    wf = ms.walk_forward(ms.load("sample:AAPL"), "EmaCrossStrategy", **_OPTIONS)
    forms = {"studies.log": "", "studies.db": "sqlite:///"}
    for name, prefix in forms.items():
        wf.to_optuna(f"{prefix}{folder / name}")
    whole = {name: (folder / name).read_bytes() for name in forms}
    rng = random.Random(9)
    for number in range(tries):
        name = list(forms)[number % len(forms)]
        path, content, target = folder / name, whole[name], f"{forms[name]}{folder / name}"
        place = rng.randrange(len(content))
        cut = number % 8 < 2
        flipped = content[:place] + bytes([content[place] ^ (1 << rng.randrange(8))]) + content[place + 1 :]
        path.write_bytes(content[:place] if cut else flipped)
        damaged = path.read_bytes()
        try:
            names = wf.to_optuna(target)
            storage: object = (
                target if forms[name] else
                optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
            )  # fmt: skip
            counts = {
                len(optuna.load_study(study_name=one, storage=storage).trials)  # type: ignore[arg-type]
                for one in names
            }
            yield "" if counts == {_OPTIONS["trials"]} else f"{name}: studies of {counts} trials"
        except MaestroError:
            yield "" if path.read_bytes() == damaged else f"{name}: refused, and changed"
        except Exception as error:
            yield f"{name}: {type(error).__name__}: {str(error)[:120]}"


def uploads(tries: int, folder: Path) -> Iterator[str]:
    """Upload files of 64 MB: kept up to a limit, invisible to other visitors, and memory use stays flat."""
    from maestro.apps.shared import access
    from maestro.apps.shared.series import UPLOAD_LIMIT, UPLOADS_KEPT, keep_upload, listed

    before = os.environ.get("MAESTRO_STATE_DIR")
    os.environ["MAESTRO_STATE_DIR"] = str(folder)
    access.restrict()
    content, settled = bytearray(os.urandom(UPLOAD_LIMIT)), 0.0
    try:
        for number in range(tries):
            content[:8] = number.to_bytes(8, "big")
            path = keep_upload("bars.csv", bytes(content))
            kept = sum(one.stat().st_size for one in folder.glob("uploads/*/*"))
            settled = settled or resident()
            problems = [
                f"{kept / 2**20:.0f} MB are kept" if kept > UPLOADS_KEPT else "",
                "the upload is not kept" if not path.exists() else "",
                "another visitor sees it" if any(path.name in name for name in listed()[0]) else "",
                "its folder is opened" if not access.refuse_data(f"{path.parent}/../../secret.csv") else "",
                f"{resident() - settled:.0f} MB more memory" if resident() - settled > 2 * UPLOAD_LIMIT / 2**20 else "",
            ]
            try:
                keep_upload("bars.csv", bytes(content) + b"1")
                problems.append("a larger one is kept")
            except MaestroError:
                pass
            yield "; ".join(filter(None, problems))
    finally:
        access.restrict(None)
        if before is None:
            del os.environ["MAESTRO_STATE_DIR"]
        else:
            os.environ["MAESTRO_STATE_DIR"] = before


class _Hostile(BaseHTTPRequestHandler):
    """An archive that answers by the first part of its path."""

    def do_GET(self) -> None:
        """Answer with an endless body, a packed one, a redirect to an internal address, or nonsense."""
        kind = self.path.split("/")[1]
        if kind == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            return
        self.send_response(200)
        if kind == "packed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        part = _PACKED if kind == "packed" else b"\0" * 2**20
        try:
            for _ in range(1 if kind in ("packed", "short") else 100_000):
                self.wfile.write(part if kind != "short" else b"not an archive")
        except OSError:  # the reader has gone
            return

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


_PACKED = gzip.compress(b"\0" * 2**29, 9)


@contextmanager
def hostile_archive() -> Iterator[str]:
    """Serve answers that no archive gives; yields the URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


INTERNAL = (
    "http://169.254.169.254/latest", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/", "http://0.0.0.0:1/",
    "http://224.0.0.1/", "http://[ff02::1]/", "http://2852039166/", "http://0xA9FEA9FE/", "https://169.254.0.1:8443/a",
    "http:///etc/passwd",
)  # fmt: skip
"""URLs of no archive."""


def archives(tries: int, folder: Path) -> Iterator[str]:
    """Fetch from archives that are internal addresses, redirect to one, or never end: rejected, with bounded memory."""
    settings = make_settings({"state_dir": folder, "fetch.tries": 1, "fetch.timeout": 30.0})
    store, key = ParquetStore(folder / "store"), SeriesKey("BINANCE", "BTCUSDT", "1h")
    before = resident()
    with hostile_archive() as url:
        places = [*INTERNAL, *(f"{url}/{kind}" for kind in ("redirect", "packed", "endless", "short"))]
        for number in range(tries):
            place = places[number % len(places)]
            try:
                [result] = fetch(store, [key], _FROM, _FROM + 31 * 86_400_000_000, archive=place, settings=settings)
                output = result.error
            except MaestroError as error:
                output = str(error)
            except Exception as error:
                yield f"{place}: {type(error).__name__}: {str(error)[:100]}"
                continue
            grown = resident() - before
            yield f"{place}: not refused" if not output else f"{grown:.0f} MB more memory" if grown > 1_200 else ""
    store.close()


def rollbacks(tries: int, folder: Path) -> Iterator[str]:
    """Roll back migrations that are foreign folders, links or in other stores: rejected, nothing changes."""
    root, store = folder / "migrations", ParquetStore(folder / "store")
    (folder / "own").mkdir()
    (folder / "own/manifest.json").write_text('{"id": "own", "status": "done"}')
    for name in ("notes", "20260101-000000-0123abcd"):
        (root / name).mkdir(parents=True)
        (root / name / "manifest.json").write_text('{"own": "work"}')
    (root / "link").symlink_to(folder / "own")
    names = ["notes", "20260101-000000-0123abcd", "link", "..", "../own", str(folder / "own"), "", "missing"]

    def state() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".lock" not in path.name
        }

    before = state()
    for number in range(tries):
        name = names[number % len(names)]
        try:
            rollback(name, store, folder=root)
            yield f"{name}: not refused"
        except MaestroError:
            yield "" if state() == before else f"{name}: files changed"
        except Exception as error:
            yield f"{name}: {type(error).__name__}: {str(error)[:100]}"
    store.close()


def old_runs(tries: int, folder: Path) -> Iterator[str]:
    """Load runs of older and newer versions: loaded with the same id, or an error that names the version."""
    forms = list(json.loads((_RECORDED / "specs.json").read_bytes()).values())
    wf = ms.walk_forward(ms.load("sample:AAPL"), "EmaCrossStrategy", **_OPTIONS, runs_dir=folder / "runs")
    assert wf.folder is not None
    manifest = json.loads((wf.folder / "manifest.json").read_bytes())
    for number in range(tries):
        kind = ("without schema", "later schema", "nonsense schema", "recorded")[number % 4]
        changed = json.loads(json.dumps(manifest))
        if kind == "recorded":
            spec = forms[number // 4 % len(forms)]
            changed["spec"] = spec.get("spec", spec)
        elif kind == "without schema":
            changed["spec"].pop("schema", None)
        else:
            changed["spec"]["schema"] = 99 if kind == "later schema" else "<script>"
        changed["versions"]["maestro"] = "9.9.9" if kind == "later schema" else changed["versions"]["maestro"]
        with suppress(KeyError, TypeError):  # then the old id stays, which does not fit
            changed["id"] = run_id(changed["spec"], changed["versions"]["maestro"])
        place = folder / "old" / str(changed["id"])
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(wf.folder, place)
        (place / "manifest.json").write_text(json.dumps(changed, indent=1))
        try:
            again = ms.load_run(place.name, folder / "old")
            yield "" if again.id == place.name else f"{kind}: another id"
        except MaestroError as error:
            named = kind != "later schema" or "9.9.9" in str(error)
            yield "" if named else f"{kind}: {error}"
        except Exception as error:
            yield f"{kind}: {type(error).__name__}: {str(error)[:100]}"


def large_search(tries: int, folder: Path) -> Iterator[str]:
    """Request 100,000 trials per fold in the Walk-forward app: it stays responsive, and the run can be cancelled."""
    from maestro.apps.walk_forward.app import App

    os.environ.setdefault("BOKEH_LOG_LEVEL", "error")
    for number in range(tries):
        app = App(None, query={"trials": "100000", "data": "sample:AAPL", "seed": str(number)},
                  runs_dir=str(folder / "runs"))  # fmt: skip
        problems = ["it ran at once"] if app.wf is not None else []
        app.begin()
        end = time.monotonic() + 600
        while app.runner.progress is None and time.monotonic() < end:
            time.sleep(0.01)
        for _ in range(20):
            app.look()
            time.sleep(0.05)
        problems += [] if app.runner.busy else ["no run began"]
        app.runner.cancel()
        app.runner.wait(600)
        problems += ["it is not cancelled"] if app.runner.busy else []
        yield "; ".join(problems)
