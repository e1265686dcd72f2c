"""Gaps in the exchanges' own data, recorded with the store so that they are not requested again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from maestro._core.atomic import write_atomic
from maestro._core.seal import read_sealed, sealed
from maestro.config import load_settings
from maestro.data.stores import SeriesKey, Store
from maestro.errors import SourceError

_FORMAT = 2  # the first format with a checksum
Span = tuple[int, int]  # [µs) from the first, up to and without the second
SETTLED_US = 2 * 86_400 * 1_000_000  # a younger gap may still be filled by the exchange: it is asked for again


class Outages:
    """Gaps of the exchanges, one small JSON file a series.

    Parameters
    ----------
    folder : Path
        Folder next to the store; created when the first gap is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, store: Store, state_dir: Path | None = None) -> Outages:
        """The recorded gaps of a store: in its own folder, or for a server in the state folder, by its name."""
        if store.name.startswith("parquet:"):
            return cls(Path(store.name.removeprefix("parquet:")) / "outages")
        digest = hashlib.sha256(store.name.encode()).hexdigest()[:16]
        return cls((state_dir or load_settings().state_dir) / "outages" / digest)

    def read(self, key: SeriesKey) -> list[Span]:
        """Gaps of a series [µs), in order and separate; none if nothing was recorded.

        Raises
        ------
        SourceError
            A damaged file; deleting it costs some requests and nothing else.
        """
        path = self._path(key)
        if not path.exists():
            return []
        try:
            found = read_sealed(path.read_bytes(), since=_FORMAT)
            if found["series"] != str(key):
                raise ValueError(f"it is that of {found['series']}")
            return join(tuple(map(int, gap)) for gap in found["gaps"])  # type: ignore[misc]
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f"{path} is damaged ({error}); delete it, and its gaps are requested once more."
            ) from None

    def add(self, key: SeriesKey, gaps: Iterable[Span], now_us: int) -> None:
        """Record gaps that the exchange has confirmed, except their part within the last two days."""
        old = [(start, min(end, now_us - SETTLED_US)) for start, end in gaps]
        old = [(start, end) for start, end in old if start < end]
        if not old:
            return
        known = self.read(key)
        joined = join([*known, *old])
        if joined == known:
            return
        path = self._path(key)
        content = {"format": _FORMAT, "series": str(key), "unit": "µs since 1970, end not included", "gaps": joined}
        write_atomic(path, sealed(json.dumps(content, indent=1)))

    def forget(self, key: SeriesKey) -> None:
        """Delete the recorded gaps of a series, for a series that is deleted."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: SeriesKey) -> Path:
        return self.folder / f"{'~'.join(key.path)}.json"


def join(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, with those that touch or overlap made one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """The spans without the holes."""
    left = list(spans)
    for start, end in holes:
        cut: list[Span] = []
        for low, high in left:
            if end <= low or start >= high:
                cut.append((low, high))
                continue
            if low < start:
                cut.append((low, start))
            if end < high:
                cut.append((end, high))
        left = cut
    return left
