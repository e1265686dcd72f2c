"""The bars of a recorded run: live, given, or loaded again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from maestro._core.formatting import minute
from maestro._core.quiet import ignored
from maestro.bars import Bars, BarsWarning, as_us
from maestro.bars.loading import load
from maestro.bars.source_line import evaluate, written
from maestro.data.timeframes import timeframe_us
from maestro.errors import BarsError, MaestroError, SettingsError
from maestro.reproduce.recorded import Recorded
from maestro.runs.spec import BarsSpec, RunSpec

_LOADING = (MaestroError, OSError, ValueError, TypeError, AttributeError)
"""What loading bars may raise."""
_REMEDY = "give the run's bars: bars=… in Python, --data in the shell."


def recorded_bars(wf: Recorded, given: Bars | str | Path | None = None) -> Bars:
    """Return the bars of a run: those given, the run's own while it is live, or those that its manifest names.

    Whatever their source, they have the run's fingerprint, and its provider, symbol, notes and bars per year: results
    on them are those of the run.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    given : Bars, or a name for `ms.load`, optional
        Bars to use in place of those. Shorter bars are resampled to the run's timeframe and a longer range is cut to
        the run's, so a series that has grown since can be given as it is.

    Raises
    ------
    BarsError
        They cannot be loaded, or are not those of the run; the message says how they differ.
    SettingsError
        `given` is neither bars nor a name.
    """
    spec = wf.spec
    found = wf.bars if given is None else given
    with ignored(BarsWarning):
        if found is None:
            found = _by_manifest(wf)
        elif isinstance(found, (str, Path)):
            found = load(found)
        elif not isinstance(found, Bars):
            raise SettingsError(
                f"bars is a {type(found).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame) or a name for ms.load."
            )
        found = _like(found, spec.bars)
    if found.fingerprint != spec.bars.fingerprint:
        raise BarsError(f"these are not the bars of run {wf.id}: {_difference(found, spec.bars)}; {_REMEDY}")
    return described_as(found, spec)


def _by_manifest(wf: Recorded) -> Bars:
    """Load the bars by the line of Python in the manifest, or else the stored series of their name."""
    known, line = wf.spec.bars, written(wf.manifest)
    try:
        found = evaluate(line) if line else None
    except _LOADING as error:
        raise BarsError(f"the bars of run {wf.id} cannot be loaded: {line}: {error} Else {_REMEDY}") from error
    if found is not None:
        return found
    problem = f"run {wf.id} does not say where its bars ({known.name or 'without a name'}, {known.n:,} bars) came from"
    if not (known.provider and known.symbol):
        raise BarsError(f"{problem}; {_REMEDY}")
    name = f"{known.provider}:{known.symbol}:{known.timeframe}"
    try:
        return load(name)
    except _LOADING as error:
        raise BarsError(f"{problem}, and {name} cannot be loaded: {error} Else {_REMEDY}") from error


def _like(found: Bars, known: BarsSpec) -> Bars:
    """Return bars in the run's timeframe and range, as far as they reach."""
    old, new = timeframe_us(found.timeframe), timeframe_us(known.timeframe)
    if new > old and new % old == 0:
        found = found.resample(known.timeframe)
    if found.fingerprint == known.fingerprint:
        return found
    first, last = (as_us(moment) for moment in (known.start, known.end))
    begin, end = np.searchsorted(found.time, first), np.searchsorted(found.time, last, side="right")
    return found[int(begin) : int(end)] if end > begin else found


def described_as(found: Bars, spec: RunSpec) -> Bars:
    """Return bars with the run's description; the same object, with what it has cached, if it has that already."""
    known = spec.bars
    description = {
        "provider": known.provider, "symbol": known.symbol, "synthetic": known.synthetic,
        "notes": known.notes, "periods_per_year": spec.periods_per_year,
    }  # fmt: skip
    if any(getattr(found, name) != value for name, value in description.items()):
        found = found[:]
        for name, value in description.items():
            setattr(found, name, value)
    return found


def _difference(found: Bars, known: BarsSpec) -> str:
    recorded = _words(known.name, known.n, known.start, known.end, known.fingerprint)
    shown = _words(found.name, len(found), found.start, found.end, found.fingerprint)
    why = "their number differs" if len(found) != known.n else "the range differs"
    if len(found) == known.n and (found.start, found.end) == (known.start, known.end):
        why = "number and range are the same, prices, volumes or further columns are not"
    return f"{why}. Recorded: {recorded}; now: {shown}"


def _words(name: str, n: int, first: datetime, last: datetime, fingerprint: str) -> str:
    reach = f"{minute(first)} to {minute(last)}"
    return f"{name or 'bars without a name'}: {n:,} bars, {reach}, fingerprint {fingerprint[:16]}"
