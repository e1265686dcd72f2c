"""Archive zips: milliseconds and microseconds, with and without header, checked sums, from a folder or a URL."""

from __future__ import annotations

import asyncio
import hashlib
import io
import itertools
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from maestro.config import make_settings
from maestro.data.sources.archive import open_archive, read_zip, refuse_internal
from maestro.data.sources.binance import PERPETUAL, SPOT
from maestro.data.sources.protocol import Page
from maestro.data.timeframes import DAY_US
from maestro.errors import SettingsError, SourceError
from maestro.testing import FakeExchange, Faults, NoFaults, VirtualClock
from tests.support.exchange.markets import ExchangeMarket
from tests.support.exchange.truth import HOUR_US, STAMP, hourly

JANUARY_2025 = 1_735_689_600_000_000  # the first stamp in microseconds
LATER = 10**10
_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


def year_turn() -> pl.DataFrame:
    """Real prices stamped over December 2024, January and half of February 2025."""
    rows = 24 * (31 + 31 + 14)
    stamps = pl.int_range(rows, eager=True) * HOUR_US + JANUARY_2025 - 31 * DAY_US
    return hourly().head(rows).with_columns(stamps.cast(STAMP).alias("timestamp"))


def csv_of(frame: pl.DataFrame, *, header: bool) -> bytes:
    """Rows as the archive has them: µs from 2025 on, floats as text."""
    lines = [_HEADER] if header else []
    for stamp, *values in frame.with_columns(pl.col("timestamp").to_physical()).iter_rows():
        micro = stamp >= JANUARY_2025
        opens, closes = (stamp, stamp + HOUR_US - 1) if micro else (stamp // 1_000, (stamp + HOUR_US) // 1_000 - 1)
        lines.append(",".join([str(opens), *map(repr, values), str(closes), "0", "0", "0", "0", "0"]))
    return "\n".join(lines).encode() + b"\n"


def put_zip(path: Path, content: bytes, *, checksum: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(path.with_suffix(".csv").name, content)
    path.write_bytes(packed.getvalue())
    if checksum:
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        path.with_name(path.name + ".CHECKSUM").write_text(f"{digest}  {path.name}\n")


def put_archive(folder: Path, market: str = "data/spot") -> pl.DataFrame:
    """December and January as months (one with a header), February as days; what they hold."""
    truth = year_turn()
    place = "klines/BTCUSDT/1h/BTCUSDT-1h"
    for month, header in (("2024-12", False), ("2025-01", True)):
        rows = truth.filter(pl.col("timestamp").dt.strftime("%Y-%m") == month)
        put_zip(folder / f"{market}/monthly/{place}-{month}.zip", csv_of(rows, header=header))
    for day in range(1, 15):
        rows = truth.filter(pl.col("timestamp").dt.strftime("%Y-%m-%d") == f"2025-02-{day:02d}")
        put_zip(
            folder / f"{market}/daily/{place}-2025-02-{day:02d}.zip", csv_of(rows, header=False), checksum=day % 2 == 0
        )
    return truth


@pytest.fixture(scope="module")
def exchange() -> Iterator[FakeExchange]:
    with FakeExchange(ExchangeMarket()) as running:
        yield running


def pull(
    provider: str, place: str | Path, start: int, end: int, *, series: str = "bars", clock: VirtualClock | None = None,
    tmp_path: Path | None = None,
) -> list[Page]:  # fmt: skip
    async def run() -> list[Page]:
        settings = make_settings({"fetch.timeout": 0.2, "state_dir": tmp_path or Path()})
        async with open_archive(
            provider, place, settings, clock=clock or VirtualClock(LATER), rng=random.Random(0)
        ) as source:
            return [page async for page in source.pages("BTCUSDT", series, "1h", start, end)]

    return asyncio.run(run())


def rows(pages: list[Page]) -> pl.DataFrame:
    return pl.concat([page.frame for page in pages])


def test_a_folder_of_months_and_days(tmp_path: Path) -> None:
    truth = put_archive(tmp_path)
    pages = pull(SPOT, tmp_path, 0, JANUARY_2025 + 99 * DAY_US)
    assert rows(pages).equals(truth)
    assert all(earlier.end <= later.start for earlier, later in itertools.pairwise(pages))
    part = pull(SPOT, tmp_path, JANUARY_2025 - 3 * HOUR_US, JANUARY_2025 + 5 * HOUR_US)
    expected = truth.filter(
        pl.col("timestamp").to_physical().is_between(JANUARY_2025 - 3 * HOUR_US, JANUARY_2025 + 4 * HOUR_US)
    )
    assert rows(part).equals(expected)
    assert len(part[0].frame) == 3  # in milliseconds; the other five in microseconds


def test_a_url_that_fails_on_a_schedule(exchange: FakeExchange, tmp_path: Path) -> None:
    truth = put_archive(tmp_path, "data/futures/um")
    exchange.files = tmp_path
    met: set[str] = set()
    for seed in range(8):
        faults = Faults(seed, 0.4, ("429", "418", "5xx", "drop", "torn body", "torn json"))
        clock = VirtualClock((JANUARY_2025 + 50 * DAY_US) / 1_000_000)
        exchange.reset(ExchangeMarket(), clock, faults)
        start, end = JANUARY_2025 - 60 * DAY_US, JANUARY_2025 + 45 * DAY_US
        pages = pull(PERPETUAL, exchange.url, start, end, clock=clock, tmp_path=tmp_path / f"state{seed}")
        assert not exchange.inside_bans(), seed
        assert rows(pages).equals(truth), seed
        met |= faults.met.keys()
    assert met == {"429", "418", "5xx", "drop", "torn body", "torn json"}


def test_days_are_asked_for_only_where_the_month_is_young(exchange: FakeExchange, tmp_path: Path) -> None:
    exchange.files = tmp_path
    exchange.reset(ExchangeMarket(), VirtualClock(LATER), NoFaults())
    pages = pull(SPOT, exchange.url, JANUARY_2025, JANUARY_2025 + 90 * DAY_US, tmp_path=tmp_path)
    assert not pages
    assert len(exchange.requests) == 2 * 3  # three months and their sums, no day
    assert exchange.requests[0].path == "/data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2025-01.zip.CHECKSUM"


def test_funding_files(tmp_path: Path) -> None:
    stamps = [JANUARY_2025 // 1_000 + n * 8 * 3_600_000 + n % 3 for n in range(90)]
    lines = [
        "calc_time,funding_interval_hours,last_funding_rate",
        *(f"{t},8,{1e-5 * n!r}" for n, t in enumerate(stamps)),
    ]
    put_zip(tmp_path / "BTCUSDT-fundingRate-2025-01.zip", "\n".join(lines).encode())
    frame = rows(pull(PERPETUAL, tmp_path, JANUARY_2025, JANUARY_2025 + 31 * DAY_US, series="funding"))
    assert frame["timestamp"].to_physical().to_list() == [stamp * 1_000 for stamp in stamps]
    assert frame["funding_rate"].to_list() == [1e-5 * n for n in range(90)]


def _good(path: Path) -> bytes:
    put_zip(path, csv_of(year_turn().head(20), header=False))
    return path.read_bytes()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1h-2024-12.zip"
    content = _good(path)
    assert len(read_zip(path)) == 20
    path.write_bytes(content[:-30])
    with pytest.raises(SourceError, match=r"BTCUSDT-1h-2024-12\.zip: the SHA-256 is not the one"):
        read_zip(path)
    path.with_name(path.name + ".CHECKSUM").unlink()
    with pytest.raises(SourceError, match=r"BTCUSDT-1h-2024-12\.zip: the zip is torn"):
        read_zip(path)
    path.with_name(path.name + ".CHECKSUM").write_text("hello")
    with pytest.raises(SourceError, match="no SHA-256"):
        read_zip(path)


@pytest.mark.parametrize(
    "text", [b"<html>", b"1735689600000,1,2,3", b"1735689600000,1,x,3,4,5,6", b"soon,1,2,3,4,5,6", b"a,b\n1,2"]
)
def test_rows_of_another_shape_are_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "x.zip"
    put_zip(path, text, checksum=False)
    with pytest.raises(SourceError, match=r"x\.zip: (its rows have another shape|.* is missing)"):
        read_zip(path)


def test_rows_that_the_name_does_not_promise_are_refused(tmp_path: Path) -> None:
    put_zip(tmp_path / "BTCUSDT-1h-2025-01.zip", csv_of(year_turn().head(20), header=False))
    with pytest.raises(SourceError, match="by its name"):
        pull(SPOT, tmp_path, JANUARY_2025, JANUARY_2025 + 9 * DAY_US)


def test_a_zip_of_several_files_and_a_missing_folder(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.csv", "1")
        packed.writestr("b.csv", "1")
    with pytest.raises(SourceError, match="holds 2 CSV files"):
        read_zip(path)
    with pytest.raises(SettingsError, match="is not a folder"):
        pull(SPOT, tmp_path / "nowhere", 0, DAY_US)
    with pytest.raises(SettingsError, match="not of 'BITMEX'"):
        pull("BITMEX", tmp_path, 0, DAY_US)


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/", "http://0.0.0.0/",
     "http://224.0.0.1/", "http://2852039166/", "http:///etc"],
)  # fmt: skip
def test_an_address_at_which_no_archive_can_be_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"internal address at which no archive can be|names no host"):
        pull(SPOT, url, JANUARY_2025, JANUARY_2025 + DAY_US, tmp_path=tmp_path)


def test_mirrors_on_this_machine_and_in_private_networks_are_allowed() -> None:
    for url in (
        "http://127.0.0.1:8000",
        "http://[::1]/",
        "http://10.0.0.7/mirror",
        "https://192.168.1.2",
        "http://unknown.invalid",
    ):
        refuse_internal(url)


def test_a_zip_that_unpacks_to_more_than_any_month_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro.data.sources.archive.LONGEST", 1_000_000)
    put_zip(tmp_path / "bomb.zip", "0" * 2_000_000, checksum=False)
    assert (tmp_path / "bomb.zip").stat().st_size < 10_000
    with pytest.raises(SourceError, match="unpacks to more than 1 MB, which no month has"):
        read_zip(tmp_path / "bomb.zip")
