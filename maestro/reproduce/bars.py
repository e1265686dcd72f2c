"""The bars of a recorded run, loaded again by what its manifest says of them."""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from maestro._core.formatting import minute
from maestro.bars import Bars, BarsWarning, as_us
from maestro.bars.loading import load
from maestro.bars.source_line import evaluate, written
from maestro.data.timeframes import timeframe_us
from maestro.errors import BarsError, MaestroError


def recorded_bars(manifest: dict[str, Any], given: Bars | str | Path | None = None) -> Bars:
    """Bars of a run, with the fingerprint of those it was made on.

    Parameters
    ----------
    manifest : dict
        Of the run.
    given : Bars, or a name for `ms.load`, optional
        In place of what the manifest says; more bars than the run's are cut to its range, shorter ones made longer.

    Raises
    ------
    BarsError
        They cannot be loaded, or are not those of the run; the message says how they differ.
    """
    spec = manifest["spec"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BarsWarning)
        found = given if isinstance(given, Bars) else load(given) if given is not None else _by_manifest(manifest)
        found = _like(found, spec["bars"])
    if found.fingerprint != spec["bars"]["fingerprint"]:
        raise BarsError(_difference(found, spec["bars"]))
    known = spec["bars"]
    found = found[:]
    found.provider, found.symbol, found.synthetic = known["provider"], known["symbol"], known["synthetic"]
    found.notes, found.periods_per_year = tuple(known["notes"]), spec["periods_per_year"]
    return found


def _by_manifest(manifest: dict[str, Any]) -> Bars:
    known = manifest["spec"]["bars"]
    line = written(manifest)
    if line:
        try:
            found = evaluate(line)
        except BarsError:
            raise
        except (MaestroError, OSError, ValueError, TypeError, AttributeError) as error:
            raise BarsError(f"{line}, which gave the run's bars, fails now: {error}") from error
        if found is not None:
            return found
    if known["provider"] and known["symbol"]:
        return load(f"{known['provider']}:{known['symbol']}:{known['timeframe']}")
    raise BarsError(
        f"the run's manifest does not say where its bars ({known['name'] or 'without a name'}, {known['n']:,}) come "
        "from; give them: bars=… in Python, --data in the shell."
    )


def _like(found: Bars, known: dict[str, Any]) -> Bars:
    """Bars in the run's timeframe and range, as far as they reach."""
    old, new = timeframe_us(found.timeframe), timeframe_us(known["timeframe"])
    if new > old and new % old == 0:
        found = found.resample(known["timeframe"])
    if found.fingerprint == known["fingerprint"]:
        return found
    first, last = (as_us(datetime.fromisoformat(known[name])) for name in ("start", "end"))
    begin, end = np.searchsorted(found.time, first), np.searchsorted(found.time, last, side="right")
    return found[int(begin) : int(end)] if end > begin else found


def _difference(found: Bars, known: dict[str, Any]) -> str:
    first, last = (datetime.fromisoformat(known[name]) for name in ("start", "end"))
    recorded = _words(known["name"], known["n"], first, last, known["fingerprint"])
    shown = _words(found.name, len(found), found.start, found.end, found.fingerprint)
    why = "their number differs" if len(found) != known["n"] else "the range differs"
    if len(found) == known["n"] and (found.start, found.end) == (first, last):
        why = "number and range are the same, prices, volumes or further columns are not"
    return (
        f"the bars are not those of the run: {why}. Recorded: {recorded}; now: {shown}. Give those of the run: bars=… "
        "in Python, --data in the shell."
    )


def _words(name: str, n: int, first: datetime, last: datetime, fingerprint: str) -> str:
    reach = f"{minute(first)} to {minute(last)}"
    return f"{name or 'bars without a name'}: {n:,} bars, {reach}, fingerprint {fingerprint[:16]}"
