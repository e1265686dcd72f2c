"""Binance's archive files: monthly and daily zips from a local folder or a URL, checksummed where a sum is given."""

from __future__ import annotations

import hashlib
import io
import random
import socket
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import polars as pl

from maestro.config import Settings, load_settings
from maestro.data.sources.binance import PERPETUAL, SPOT
from maestro.data.sources.context import Context
from maestro.data.sources.http import LONGEST, Client
from maestro.data.sources.limits import Clock
from maestro.data.sources.protocol import COLUMNS, STAMP, Page, Source, check_page, empty_frame
from maestro.data.timeframes import DAY_US, timeframe_us
from maestro.errors import SettingsError, SourceError

if TYPE_CHECKING:
    import httpx

_MICROSECONDS_FROM = 10**14  # 13 digits are ms, 16 are µs: spot files from 2025-01-01 on have the latter
_PATIENCE = 10.0  # times the usual wait for an answer: a month of minutes has some megabytes
_FIRST = {SPOT: date(2017, 8, 1), PERPETUAL: date(2019, 9, 1)}
_MONTH_MISSING_DAYS = 45  # a month's file appears some days after its end: until then its days are asked for
_NAMES = {  # without a header: the columns' places; with one: their names
    "bars": ((0, 1, 2, 3, 4, 5), ("open_time", "open", "high", "low", "close", "volume")),
    "funding": ((0, 2), ("calc_time", "last_funding_rate")),
}


class _File(NamedTuple):
    folder: str
    name: str
    start: int
    end: int


@asynccontextmanager
async def open_archive(
    provider: str,
    place: str | Path | None = None,
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> AsyncIterator[Source]:
    """Open Binance's archive files: a folder, a URL, or (None) ``servers.binance.archive_url`` of the settings."""
    settings = settings or load_settings()
    text = str(place or settings.servers.binance.archive_url)
    if not text.startswith(("http://", "https://")):
        yield Archive(provider, Path(text).expanduser())
        return
    refuse_internal(text)
    context = Context("archive", settings, clock, rng)
    async with context.client(text.rstrip("/"), {}, patience=_PATIENCE) as client:
        yield Archive(provider, client)


def refuse_internal(url: str) -> None:
    """Refuse an address at which no archive can be: link-local (metadata of a cloud), multicast or reserved.

    Addresses of this machine and of private networks are allowed, as a mirror may be there. A name is looked up; one
    that is unknown is left to the request.

    Raises
    ------
    SettingsError
    """
    host = urlsplit(url).hostname
    if not host:
        raise SettingsError(f"{url} names no host; give the archive's URL, such as https://data.binance.vision.")
    try:
        found = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return
    for one in found:
        address = ip_address(one)
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_link_local or address.is_multicast or address.is_unspecified or _is_reserved(address):
            raise SettingsError(
                f"{url} leads to {one}, an internal address at which no archive can be; give the archive's URL."
            )


def _is_reserved(address: IPv4Address | IPv6Address) -> bool:
    return address.is_reserved and not address.is_loopback  # ::1 counts as both


class Archive:
    """The files that Binance publishes, as a source.

    Parameters
    ----------
    provider : str
        ``"BINANCE"`` or ``"BINANCE-PERPETUAL"``.
    place : Client or Path
        The archive's host, with its paths, or a folder in which the zips lie at any depth.

    Notes
    -----
    A file that is not there is no statement that the exchange has no rows; so pages have no `gaps`.
    """

    def __init__(self, provider: str, place: Client | Path) -> None:
        if provider not in _FIRST:
            raise SettingsError(f"the archive has files of {' and '.join(_FIRST)}, not of {provider!r}.")
        self.provider = provider
        self._client = place if isinstance(place, Client) else None
        self._zips: dict[str, Path] = {}
        if isinstance(place, Path):
            if not place.is_dir():
                raise SettingsError(f"{place} is not a folder; give the one that holds the archive's zip files.")
            self._zips = {path.name: path for path in sorted(place.rglob("*.zip"))}

    def step_us(self, series: str, timeframe: str) -> int:
        if series == "funding" and self.provider == PERPETUAL:
            return timeframe_us("8h")
        if series != "bars":
            raise SettingsError(f"the archive has no {series} of {self.provider}.")
        return timeframe_us(timeframe)

    def earliest(self, series: str) -> int | None:
        return _us(_FIRST[self.provider])

    async def pages(self, symbol: str, series: str, timeframe: str, start: int, end: int) -> AsyncIterator[Page]:
        self.step_us(series, timeframe)
        first = _day(max(start, _us(_FIRST[self.provider]))).replace(day=1)
        while _us(first) < end:
            following = (first + timedelta(days=31)).replace(day=1)
            frame = await self._rows(self._file(symbol, series, timeframe, first, following), series)
            if frame is not None:
                yield _cut(frame, max(start, _us(first)), min(end, _us(following)))
            elif series == "bars" and self._days_may_exist(following):
                for n in range((following - first).days):
                    day = first + timedelta(days=n)
                    low, high = max(start, _us(day)), min(end, _us(day) + DAY_US)
                    if low < high:
                        frame = await self._rows(self._file(symbol, series, timeframe, day), series)
                        if frame is not None:
                            yield _cut(frame, low, high)
            first = following

    def _days_may_exist(self, month_end: date) -> bool:
        if self._client is None:
            return True
        return _us(month_end) > (self._client.host.clock.now() - _MONTH_MISSING_DAYS * 86_400) * 1_000_000

    def _file(self, symbol: str, series: str, timeframe: str, first: date, following: date | None = None) -> _File:
        """The file of a month (where `following` is given) or a day."""
        period = "monthly" if following else "daily"
        when = f"{first:%Y-%m}" if following else f"{first:%Y-%m-%d}"
        market = "data/spot" if self.provider == SPOT else "data/futures/um"
        folder, middle = {
            "bars": (f"{market}/{period}/klines/{symbol}/{timeframe}", timeframe),
            "funding": (f"{market}/{period}/fundingRate/{symbol}", "fundingRate"),
        }[series]
        return _File(folder, f"{symbol}-{middle}-{when}.zip", _us(first), _us(following or first + timedelta(days=1)))

    async def _rows(self, file: _File, series: str) -> pl.DataFrame | None:
        """Rows of a file, or None where there is no such file."""
        if self._client is None:
            path = self._zips.get(file.name)
            return None if path is None else check_file(read_zip(path, series), file.start, file.end, path)
        place = f"/{file.folder}/{file.name}"

        def read_sum(response: httpx.Response) -> str:
            return _checksum(response.text)

        checksum = (await self._client.get(f"{place}.CHECKSUM", {}, {}, read_sum, missing=str)).value

        def read(response: httpx.Response) -> pl.DataFrame | None:
            try:
                frame = parse_zip(response.content, series, checksum)
                return check_page(frame, file.start, file.end)
            except SourceError as error:
                raise ValueError(str(error)) from None

        return (await self._client.get(place, {}, {}, read, missing=lambda: None)).value


def read_zip(path: Path, series: str = "bars") -> pl.DataFrame:
    """Rows of an archive zip on disk; a file beside it with ``.CHECKSUM`` added to its name is verified.

    Raises
    ------
    SourceError
        A torn zip, a checksum that does not match, or rows of another shape; names the file.
    """
    beside = path.with_name(path.name + ".CHECKSUM")
    try:
        return parse_zip(path.read_bytes(), series, _checksum(beside.read_text()) if beside.exists() else "")
    except (ValueError, SourceError) as error:
        raise SourceError(f"{path}: {error}; download the file again.") from None


def check_file(frame: pl.DataFrame, start: int, end: int, path: Path) -> pl.DataFrame:
    """Refuse a file whose rows are not those that its name promises."""
    try:
        return check_page(frame, start, end)
    except ValueError as error:
        raise SourceError(f"{path}: {error} (by its name); download the file again.") from None


def parse_zip(content: bytes, series: str = "bars", checksum: str = "") -> pl.DataFrame:
    """Rows of an archive zip's one CSV, with or without a header, stamps in ms or µs by their digits.

    Raises
    ------
    SourceError
        A torn zip, a SHA-256 other than `checksum`, or rows of another shape.
    """
    if checksum and hashlib.sha256(content).hexdigest() != checksum:
        raise SourceError("the SHA-256 is not the one in its CHECKSUM file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = [name for name in packed.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise SourceError(f"the zip holds {len(names)} CSV files instead of one")
            if packed.getinfo(names[0]).file_size > LONGEST:
                raise SourceError(f"its CSV unpacks to more than {LONGEST / 2**20:,.0f} MB, which no month has")
            text = packed.read(names[0])
    except (zipfile.BadZipFile, EOFError, ValueError, OSError) as error:
        raise SourceError(f"the zip is torn ({error})") from None
    return _parse_csv(text, series)


def _parse_csv(text: bytes, series: str) -> pl.DataFrame:
    if not text.strip():
        return empty_frame(series)
    places, names = _NAMES[series]
    head = text[: text.find(b"\n")].decode("utf-8-sig").strip().lower().replace('"', "").split(",")
    has_header = not head[0][:1].isdigit()
    try:
        table = pl.read_csv(text, has_header=False, skip_rows=int(has_header), infer_schema=False, encoding="utf8")
        if has_header:
            places = tuple(head.index(name) for name in names)
        columns = [table[table.columns[place]] for place in places]
        values = [
            column.cast(pl.Float64).alias(name) for column, name in zip(columns[1:], COLUMNS[series], strict=True)
        ]
        frame = pl.DataFrame([_stamps(columns[0]), *values])
    except (pl.exceptions.PolarsError, ValueError, IndexError) as error:
        raise SourceError(f"its rows have another shape than {series} ({str(error).splitlines()[0]})") from None
    for column in frame.iter_columns():
        if column.null_count() or (column.dtype == pl.Float64 and not column.is_finite().all()):
            raise SourceError(f"{column.name} is missing or not finite in a row")
    return frame


def _stamps(column: pl.Series) -> pl.Series:
    number = column.cast(pl.Int64)
    micro = pl.select(pl.when(number >= _MICROSECONDS_FROM).then(number).otherwise(number * 1_000)).to_series()
    return micro.cast(STAMP).alias("timestamp")


def _cut(frame: pl.DataFrame, start: int, end: int) -> Page:
    return Page(frame.filter(pl.col("timestamp").to_physical().is_between(start, end, closed="left")), start, end)


def _checksum(text: str) -> str:
    """SHA-256 from ``<hex>  <name>``; ValueError where it is none."""
    checksum = text.split()[0].lower() if text.split() else ""
    if len(checksum) != 64 or not set(checksum) <= set("0123456789abcdef"):
        raise ValueError(f"no SHA-256 in its CHECKSUM file ({text[:40]!r})")
    return checksum


def _us(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_US


def _day(stamp_us: int) -> date:
    return datetime.fromtimestamp(stamp_us // 1_000_000, UTC).date()
