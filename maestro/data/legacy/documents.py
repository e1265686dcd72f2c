"""Convert old documents to rows: values are exact, and documents that cannot be rows are reported with reasons."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from maestro.data.files.names import PRICES
from maestro.data.files.stamps import read_stamps
from maestro.data.stores.rows import STAMP
from maestro.data.timeframes import EPOCH, as_datetime
from maestro.errors import BarsError, SettingsError, nearest
from maestro.typing import BoolArray, FloatArray, IntArray

FIELDS = (*PRICES, "volume")
_KNOWN = {"timestamp", *FIELDS, "id"}
_EXACT = 2.0**53  # whole numbers up to here are floats without loss
_UNITS = ((1e11, "s", 1e6), (1e14, "ms", 1e3), (1e17, "µs", 1.0))  # below the bound: unit, factor to µs
_EXAMPLES = 3

Reject = Callable[[str, Any], None]


@dataclass(frozen=True, slots=True)
class Choices:
    """Options for reading the documents.

    Attributes
    ----------
    stamps : ``"open"`` or ``"close"``
        Which end of the bar the stamps are.
    duplicates : ``"reject"``, ``"first"`` or ``"last"``
        Which of several documents with one stamp and different values counts, in the order of their keys; equal ones
        are always one.
    volume : float, optional
        Stands where a document has no volume.
    """

    stamps: str = "open"
    duplicates: str = "reject"
    volume: float | None = None

    def __post_init__(self) -> None:
        for name, allowed in (("stamps", ("open", "close")), ("duplicates", ("reject", "first", "last"))):
            value = getattr(self, name)
            if value not in allowed:
                raise SettingsError(
                    f"--{name} {value!r} is unknown; give {', '.join(allowed)}.{nearest(value, allowed)}"
                )
        if self.volume is not None and not 0 <= self.volume < math.inf:
            raise SettingsError(f"--volume {self.volume!r} is not a volume; give 0 or more.")


@dataclass(frozen=True, slots=True)
class Reading:
    """A table as rows.

    Attributes
    ----------
    rows : polars frame, timestamp and OHLCV, ascending, one row per timestamp
    documents : int, that were read
    identical : int, that repeat another one with the same stamp and values
    rejected : mapping from reason to number; ``documents == len(rows) + identical + sum(rejected)``
    examples : mapping from reason to the first documents, as JSON
    notes : tuple of str, what was odd and how it was understood
    """

    rows: pl.DataFrame
    documents: int
    identical: int
    rejected: dict[str, int]
    examples: dict[str, list[str]]
    notes: tuple[str, ...]


class _Unreadable(Exception):
    """A document that is not a row; its text is the reason."""


class DocumentReader:
    """Takes documents in batches and gives the rows of a table.

    Parameters
    ----------
    length : int [µs], of a bar
    choices : Choices
    now : int [µs], a later stamp is wrong
    reject : callable, called with the reason and the document of each one that is not a row
    """

    def __init__(self, length: int, choices: Choices, now: int, reject: Reject | None = None) -> None:
        self.length, self.choices, self.now = length, choices, now
        self._on_reject = reject
        self._stamps: list[IntArray] = []
        self._values: list[FloatArray] = []
        self.documents = 0
        self.rejected: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self._units: Counter[str] = Counter()
        self._forms: Counter[str] = Counter()
        self._foreign: Counter[str] = Counter()

    def take(self, documents: list[Any]) -> None:
        """Take a batch: at once where all are as they should be, else one by one."""
        self.documents += len(documents)
        try:
            stamps, values = self._whole_batch(documents)
        except (_Unreadable, BarsError, KeyError, TypeError, ValueError, OverflowError, AttributeError):
            stamps, values = self._one_by_one(documents)
        self._stamps.append(stamps)
        self._values.append(values)

    def _whole_batch(self, documents: list[dict[str, Any]]) -> tuple[IntArray, FloatArray]:
        values = np.empty((len(documents), len(FIELDS)))
        forms: Counter[str] = Counter()
        for column, name in enumerate(FIELDS):
            given = [document[name] for document in documents]
            kinds = Counter(map(type, given))
            if kinds.keys() - {int, float, str}:
                raise _Unreadable
            values[:, column] = [float(one) for one in given] if str in kinds else given
            forms += Counter(whole=kinds[int], text=kinds[str])
            if kinds[int] and (np.abs(values[:, column]) >= _EXACT).any():
                raise _Unreadable
        if not np.isfinite(values).all():
            raise _Unreadable
        given = [document["timestamp"] for document in documents]
        stamps, unit = self._read_stamps(given)
        if ((stamps <= 0) | (stamps > self.now)).any():
            raise _Unreadable
        self._forms += forms
        self._units[unit] += len(documents)
        for document in documents:
            if not document.keys() <= _KNOWN:
                self._foreign.update(document.keys() - _KNOWN)
        return stamps, values

    def _read_stamps(self, given: list[Any]) -> tuple[IntArray, str]:
        kinds = set(map(type, given))
        if kinds == {str} and given[0].startswith("{"):
            given = [json.loads(one) for one in given]
            kinds = set(map(type, given))
        if kinds == {dict}:
            if any(one["$reql_type$"] != "TIME" for one in given):
                raise _Unreadable
            seconds = np.array([one["epoch_time"] for one in given], np.float64)
            if not np.isfinite(seconds).all():
                raise _Unreadable
            return np.rint(seconds * 1e6).astype(np.int64), "moments"
        if kinds == {str}:
            return read_stamps(pl.Series(given)).to_physical().to_numpy(), "text"
        if kinds - {int, float}:
            raise _Unreadable
        numbers = np.array(given, np.float64)
        for bound, unit, factor in _UNITS:
            if (np.abs(numbers) < bound).all() and (np.abs(numbers) >= bound / 1e3).all():
                return np.rint(numbers * factor).astype(np.int64), unit
        raise _Unreadable

    def _one_by_one(self, documents: list[Any]) -> tuple[IntArray, FloatArray]:
        stamps, rows = [], []
        for document in documents:
            try:
                if not isinstance(document, dict):
                    raise _Unreadable("it is not a document")
                stamp = self._stamp(document.get("timestamp"))
                rows.append([self._number(document, name) for name in FIELDS])
                stamps.append(stamp)
            except _Unreadable as reason:
                self._reject(str(reason), document)
                continue
            self._foreign.update(document.keys() - _KNOWN)
        return np.array(stamps, np.int64), np.array(rows, np.float64).reshape(-1, len(FIELDS))

    def _number(self, document: dict[str, Any], name: str) -> float:
        value = document.get(name)
        if value is None and name == "volume" and self.choices.volume is not None:
            self._forms["volume"] += 1
            return self.choices.volume
        if value is None:
            raise _Unreadable(f"it has no {name}")
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise _Unreadable(f"{name} is not a number")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise _Unreadable(f"{name} is not a number") from None
        if not math.isfinite(number):
            raise _Unreadable(f"{name} is not finite")
        if isinstance(value, int) and int(number) != value:
            raise _Unreadable(f"{name} is a whole number too large to be a float64 without loss")
        self._forms["whole"] += isinstance(value, int)
        self._forms["text"] += isinstance(value, str)
        return number

    def _stamp(self, value: Any) -> int:
        if value is None:
            raise _Unreadable("it has no timestamp")
        if isinstance(value, str):
            text = value.strip()
            try:
                value = json.loads(text) if text.startswith("{") else float(text)
            except ValueError:
                stamp, unit = _moment(text), "text"
        if isinstance(value, dict):
            seconds = value.get("epoch_time") if value.get("$reql_type$") == "TIME" else None
            if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not math.isfinite(seconds):
                raise _Unreadable("the timestamp is not a moment")
            stamp, unit = round(seconds * 1e6), "moments"
        elif isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise _Unreadable("the timestamp is not a moment")
        elif not isinstance(value, str):
            if not math.isfinite(value):
                raise _Unreadable("the timestamp is not a moment")
            unit, factor = next(((unit, f) for bound, unit, f in _UNITS if abs(value) < bound), ("ns", 1e-3))
            stamp = round(value * factor)
        if stamp <= 0:
            raise _Unreadable("the timestamp is 0 or before 1970")
        if stamp > self.now:
            raise _Unreadable("the timestamp is in the future")
        self._units[unit] += 1
        return stamp

    def _reject(self, reason: str, document: Any) -> None:
        self.rejected[reason] += 1
        shown = self.examples.setdefault(reason, [])
        if len(shown) < _EXAMPLES:
            shown.append(json.dumps(document, ensure_ascii=False, default=str)[:400])
        if self._on_reject is not None:
            self._on_reject(reason, document)

    # -- the whole table --------------------------------------------------------------------

    def finish(self) -> Reading:
        """Sort, find documents with one stamp, and look at what the rows are."""
        stamps = np.concatenate([np.zeros(0, np.int64), *self._stamps])
        values = np.concatenate([np.zeros((0, len(FIELDS))), *self._values])
        if self.choices.stamps == "close":
            stamps -= self.length
        order = np.argsort(stamps, kind="stable")
        stamps, values = stamps[order], values[order]
        kept, identical = self._one_a_stamp(stamps, values)
        stamps, values = stamps[kept], values[kept]
        columns = {name: np.ascontiguousarray(values[:, column]) for column, name in enumerate(FIELDS)}
        rows = pl.DataFrame({"timestamp": pl.Series(stamps).cast(STAMP), **columns})
        notes = self._notes(stamps, columns)
        return Reading(rows, self.documents, identical, dict(self.rejected), self.examples, notes)

    def _one_a_stamp(self, stamps: IntArray, values: FloatArray) -> tuple[BoolArray, int]:
        """Which rows count, and how many were left out because they are equal to one that counts."""
        kept = np.ones(len(stamps), np.bool_)
        again = np.flatnonzero(np.diff(stamps) == 0) + 1
        identical = 0
        done = -1
        for row in again.tolist():
            first = row - 1
            if first < done:
                continue
            done = int(np.searchsorted(stamps, stamps[first], side="right"))
            group = range(first, done)
            different = np.unique(values[first:done], axis=0)
            kept[first:done] = False
            if len(different) == 1:
                kept[first] = True
                identical += len(group) - 1
            elif self.choices.duplicates == "reject":
                for one in group:
                    self._reject("another document has its timestamp and other values", _document(stamps, values, one))
            else:
                taken = first if self.choices.duplicates == "first" else done - 1
                kept[taken] = True
                reason = f"another document has its timestamp; the {self.choices.duplicates} one counts"
                for one in group:
                    if one == taken:
                        continue
                    if (values[one] == values[taken]).all():
                        identical += 1
                    else:
                        self._reject(reason, _document(stamps, values, one))
        return kept, identical

    def _notes(self, stamps: IntArray, columns: dict[str, FloatArray]) -> tuple[str, ...]:
        notes = []
        if len(self._units) > 1:
            notes.append("timestamps come in " + ", ".join(f"{unit} ({n:,})" for unit, n in self._units.most_common()))
        if self._forms["whole"]:
            notes.append(f"{self._forms['whole']:,} whole numbers where floats belong, read without loss")
        if self._forms["text"]:
            notes.append(f"{self._forms['text']:,} numbers written as text, read as the nearest float64")
        if self._forms["volume"]:
            notes.append(f"{self._forms['volume']:,} documents without volume, taken as {self.choices.volume:g}")
        for name, count in self._foreign.most_common(10):
            notes.append(f"field {str(name)[:60]!r} of {count:,} documents has no place in bars and stays behind")
        off = stamps % min(self.length, 86_400_000_000) != 0
        if off.any() and not off.all():
            notes.append(
                f"{int(off.sum()):,} timestamps off the grid, the first {_text(stamps[off][0])}; kept as they are"
            )
        o, high, low, close, volume = (columns[name] for name in FIELDS)
        refused = (np.minimum(np.minimum(o, high), np.minimum(low, close)) <= 0) | (volume < 0)
        refused |= (high < low) | (high < close) | (low > close)
        if refused.any():
            notes.append(
                f"{int(refused.sum()):,} rows break a rule of bars, the first {_text(stamps[refused][0])}; they are "
                "moved as they are, and `maestro data check` names them"
            )
        return tuple(notes)


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return (moment - EPOCH) // timedelta(microseconds=1)
    except ValueError:
        try:
            return int(read_stamps(pl.Series([text])).to_physical()[0])
        except BarsError:
            raise _Unreadable("the timestamp is not a moment") from None


def _document(stamps: IntArray, values: FloatArray, row: int) -> dict[str, Any]:
    return {"timestamp": _text(stamps[row]), **dict(zip(FIELDS, values[row].tolist(), strict=True))}


def _text(stamp: int) -> str:
    return as_datetime(stamp).isoformat()
