"""Compatibility and status of a Dask cluster's workers."""

from __future__ import annotations

from typing import Any

from maestro._core.hooks import hook
from maestro.errors import RunError

_EQUAL = ("python", "maestro", "code", "kernels", "numpy", "numba", "polars", "optuna")
"""What decides on a result and must be equal; the kind of CPU may change last bits."""
_known: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {}
"""By the id of a client: the workers that were asked, and the notes."""


def handshake(client: Any) -> tuple[str, ...]:
    """Compare what the workers of a cluster run with this process; workers that were asked before are not asked again.

    Returns
    -------
    tuple of str
        What a reader must know: workers with another kind of CPU, whose results may differ in their last bits.

    Raises
    ------
    RunError
        A worker has other versions, or cannot import Maestro.
    """
    workers = frozenset(client.scheduler_info(n_workers=-1)["workers"])
    asked, notes = _known.get(client.id, (frozenset(), ()))
    if not workers - asked:
        return notes
    own = hook("versions")()
    wrong, cpus = [], set()
    answers = _ask(client, sorted(workers - asked))
    for worker, found in answers.items():
        differ = [f"{name} {found.get(name)} instead of {own[name]}" for name in _EQUAL if found.get(name) != own[name]]
        if differ:
            wrong.append(f"{worker} has {', '.join(differ)}")
        if found.get("cpu") != own["cpu"]:
            cpus.add(str(found.get("cpu")))
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise RunError(
            f"workers of the Dask cluster run other versions: {'; '.join(wrong[:3])}{more}. Results could differ. "
            "Install the same on all of them (constraints.txt has the versions), and connect again."
        )
    if cpus:
        notes = (
            f"Workers have another kind of CPU ({', '.join(sorted(cpus))}; here: {own['cpu']}); results can differ in "
            "their last bits.",
        )
    _known[client.id] = (asked | answers.keys(), notes)
    return notes


def _ask(client: Any, workers: list[str]) -> dict[str, dict[str, str]]:
    answers: dict[str, Any] = client.run(hook("versions"), workers=workers, on_error="return")
    found = {worker: answer for worker, answer in answers.items() if not isinstance(answer, OSError)}  # the others died
    for worker, answer in found.items():
        if isinstance(answer, BaseException):
            raise RunError(
                f"worker {worker} of the Dask cluster cannot run Maestro ({type(answer).__name__}: {answer}); install "
                "maestro-research there, in the version of this machine."
            )
    return found


def status(client: Any) -> list[dict[str, Any]]:
    """One row per worker: name, address, threads, memory and its limit [bytes], tasks in progress, versions and CPU."""
    info = client.scheduler_info(n_workers=-1)["workers"]
    found = client.run(hook("versions"), on_error="return") if info else {}
    rows = []
    for address, worker in info.items():
        answer = found.get(address)
        known = answer if isinstance(answer, dict) else {}
        rows.append(
            {
                "name": str(worker.get("name", address)), "address": address, "threads": worker["nthreads"],
                "memory": int(worker.get("metrics", {}).get("memory", 0)), "memory_limit": worker.get("memory_limit"),
                "executing": int(worker.get("metrics", {}).get("executing", 0)),
                **{name: known.get(name, "?") for name in ("maestro", "code", "python", "numpy", "cpu")},
                "error": None if known else str(answer),
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: row["name"])
