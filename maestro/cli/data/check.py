"""``maestro data check``: anomalies in stored series or files, and their effect on a backtest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.data.target import Place, opened
from maestro.cli.file_options import file_options, takes_file_options

if TYPE_CHECKING:
    from maestro.bars import Bars
    from maestro.bars.quality import Quality
    from maestro.data.stores import SeriesKey, Store


@takes_file_options
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SERIES|FILE]...", help="PROVIDER:SYMBOL:TIMEFRAME or a file; all stored bars if left out."
        ),
    ] = None,
    symbol: options.Symbol = None,
    store: Place = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the closes with the defects marked: one HTML file.")
    ] = None,
    json: options.Json = False,
) -> int:
    """Look for gaps, bad ticks, changed units and other anomalies; exit code 1 if one is fatal."""
    files = [name for name in names or () if Path(name).is_file()]
    series = [name for name in names or () if name not in files]
    for name in series:
        _refuse_path(name)
    found: dict[str, tuple[Quality, Bars | None]] = {name: _of_file(Path(name), symbol) for name in files}
    if series or not files:
        with opened(store) as source:
            for key in _keys(source, series):
                found[str(key)] = _of_series(source, key)
    if picture:
        _draw(found, picture)
    if json:
        from maestro.cli.printing import print_json

        print_json([_document(name, quality, bars) for name, (quality, bars) in found.items()])
    else:
        for name, (quality, bars) in found.items():
            _show(name, quality, bars)
    return int(any(quality.fatal for quality, _ in found.values()))


def _refuse_path(name: str) -> None:
    """Refuse a name that is a path of no file."""
    from maestro.errors import SettingsError

    path = Path(name)
    if path.is_dir():
        raise SettingsError(f"{name} is a folder; give a file, or a series as PROVIDER:SYMBOL:TIMEFRAME.")
    if ":" not in name and path.suffix:
        raise SettingsError(f"there is no file {name}; give a file, or a series as PROVIDER:SYMBOL:TIMEFRAME.")


def _draw(found: dict[str, tuple[Quality, Bars | None]], path: Path) -> None:
    from maestro.errors import BarsError, SettingsError
    from maestro.reports import write_quality

    if len(found) != 1:
        raise SettingsError(f"--picture shows one series, and these are {len(found)}; name one: {', '.join(found)}.")
    (name, (quality, bars)), *_ = found.items()
    if bars is None:
        raise BarsError(f"{name} has rows that are not valid bars, nothing to draw; leave --picture out.")
    write_quality(bars, path, quality)
    typer.echo(f"picture: {path}", err=True)


def _keys(store: Store, names: list[str]) -> list[SeriesKey]:
    from maestro.data.stores import SeriesKey
    from maestro.errors import SettingsError, nearest

    held = [info.key for info in store.series() if info.key.series == "bars"]
    if not names:
        if not held:
            raise SettingsError(f"no bars are stored in {store.name}; maestro data fetch gets some.")
        return held
    keys = [SeriesKey.parse(name) for name in names]
    for key in keys:
        if key not in held:
            known = [str(one) for one in held]
            raise SettingsError(f"no bars are stored as {key}; see maestro data ls.{nearest(str(key), known)}")
    return keys


def _of_series(store: Store, key: SeriesKey) -> tuple[Quality, Bars | None]:
    """Quality of stored bars; gaps of the exchange are distinguished from missing bars, and invalid rows are named."""
    from maestro.bars import Bars
    from maestro.bars.quality import assess, assess_frame
    from maestro.data.outages import Outages
    from maestro.errors import BarsError

    rows = store.read(key)
    try:
        bars = Bars.from_frame(rows, provider=key.provider, symbol=key.symbol, timeframe=key.timeframe)
    except BarsError:
        return assess_frame(rows, timeframe=key.timeframe), None
    return assess(bars, Outages.of(store).read(key)), bars


def _of_file(path: Path, symbol: str | None) -> tuple[Quality, Bars | None]:
    """Quality of a file's rows, oldest first as loading and importing them turns them."""
    from maestro.bars import Bars
    from maestro.bars.quality import assess_frame
    from maestro.data.files.options import ReadOptions
    from maestro.data.files.reading import file_rows
    from maestro.errors import BarsError

    given = file_options()
    frame, name = file_rows(path, ReadOptions(symbol=symbol or "", **given))
    try:
        bars = Bars.from_frame(frame, symbol=name, timeframe=given.get("timeframe"))
    except BarsError:
        bars = None
    return assess_frame(frame, symbol=name), bars


def _document(name: str, quality: Quality, bars: Bars | None) -> dict[str, Any]:
    calendar = None if bars is None else bars.calendar.text
    return {
        "name": name, "ok": quality.ok, "fatal": quality.fatal, "calendar": calendar, "findings": quality.records(),
    }  # fmt: skip


def _show(name: str, quality: Quality, bars: Bars | None) -> None:
    from maestro.cli.printing import say

    typer.echo(f"{name}: " + ("no anomalies were found" if not quality.findings else ""))
    if bars is not None:
        say(bars.calendar.text, bullet="  ")
    for finding in quality.findings:
        say(f"{finding.check}, {finding.count:,} times: {finding.examples}", bullet=f"  {finding.severity:8}")
        say(finding.meaning, bullet=" " * 10)
