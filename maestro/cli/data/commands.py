"""``maestro data``: market data fetched, listed, checked, imported, exported and removed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro._core.formatting import minute
from maestro.cli import options
from maestro.cli.data import check as data_check
from maestro.cli.data import compare as data_compare
from maestro.cli.data import migrate as data_migrate
from maestro.cli.data import questdb as data_questdb
from maestro.cli.data.target import Place, opened
from maestro.cli.file_options import read_columns
from maestro.cli.groups import group

if TYPE_CHECKING:
    from maestro.data.files.reading import Reading
    from maestro.data.stores import SeriesKey, Store
    from maestro.data.sync import SyncResult

app = group(
    "Fetch, list, check, import, export and remove market data.",
    epilog="maestro data fetch BINANCE BTCUSDT 1h --from 2020-01-01",
)


Name = Annotated[str, typer.Argument(metavar="SERIES", help="PROVIDER:SYMBOL:TIMEFRAME, or PROVIDER:SYMBOL:funding.")]
From = Annotated[str | None, typer.Option("--from", metavar="DATE", help="First moment, UTC.")]
To = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Before this moment, UTC.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def fetch(
    provider: Annotated[
        str, typer.Argument(metavar="PROVIDER", help="A source: BINANCE, BITMEX, an exchange of ccxt, or a plug-in's.")
    ] = "",
    symbols: Annotated[str, typer.Argument(metavar="SYMBOLS", help="BTCUSDT, or several: BTCUSDT,ETHUSDT.")] = "",
    timeframe: Annotated[str, typer.Argument(metavar="TIMEFRAME", help="1m, 1h, 1d, …; funding has none.")] = "",
    start: From = None,
    end: To = None,
    series: Annotated[
        str, typer.Option(metavar="NAMES", help="bars, funding, open_interest, basis; several with commas.")
    ] = "bars",
    archive: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Read the exchange's archive files: a folder, a URL, or 'online'."),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Fetch everything again and replace revised bars.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Bring every stored series of a source up to date; takes no names or dates.")
    ] = False,
    store: Place = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    json: options.Json = False,
) -> int:
    """Fetch only what a series lacks; run it again to continue after an interruption."""
    from maestro.cli.data.progress import shown_progress
    from maestro.data.fetching import fetch as fetch_series
    from maestro.data.fetching import fetch_all
    from maestro.data.stores import SeriesKey
    from maestro.errors import SettingsError

    if every and (provider or start or end or archive is not None or series != "bars"):
        raise SettingsError("--all takes no PROVIDER, SYMBOLS, --from, --to, --series or --archive; leave them out.")
    if not every and not (provider and symbols):
        raise SettingsError("PROVIDER or SYMBOLS is missing; name what to fetch: BINANCE BTCUSDT 1h, or give --all.")
    keys = (
        []
        if every
        else [
            SeriesKey(provider, symbol, "" if name == "funding" else timeframe, name)
            for symbol in _split(symbols, "symbol")
            for name in _split(series, "series")
        ]
    )
    imported: list[SeriesKey] = []
    place = None if archive is None else "" if archive == "online" else archive
    with opened(store) as target, shown_progress(quiet) as progress:
        try:
            if every:
                results, imported = fetch_all(target, refresh=refresh, progress=progress)
            else:
                results = fetch_series(
                    target, keys, _moment(start), _moment(end), archive=place, refresh=refresh, progress=progress
                )
        except KeyboardInterrupt:
            typer.echo("\nwhat has arrived is stored; run the same command to continue", err=True)
            raise
    return _show_fetched(results, json, [f"{key} was imported, and is not fetched" for key in imported])


def _show_fetched(results: list[SyncResult], json: bool, notes: list[str]) -> int:
    """Print what was fetched, and errors on stderr; returns the exit code: 1 if a series has an error."""
    from maestro.cli.printing import print_json, show_notes

    if json:
        print_json([_result(result) for result in results])
    else:
        _show_results(results)
        show_notes(notes)
    for result in results:
        if result.error:
            typer.echo(f"maestro: {result.key}: {result.error}", err=True)
    return int(any(result.error for result in results))


@app.command("ls")
def list_series(
    pattern: Annotated[str, typer.Argument(metavar="[TEXT]", help="Only series whose name contains this text.")] = "",
    store: Place = None,
    json: options.Json = False,
) -> None:
    """List the stored series: rows, first and last timestamp, and outages of the exchange."""
    from maestro.cli.printing import plain_table, print_json
    from maestro.data.outages import Outages
    from maestro.data.timeframes import as_datetime

    with opened(store) as source:
        outages = Outages.of(source)
        infos = [info for info in source.series() if pattern.upper() in str(info.key).upper()]
        gaps = {info.key: outages.read(info.key) for info in infos}
        place = source.name
    inside = {info.key: sum(info.first <= gap[0] <= info.last for gap in gaps[info.key]) for info in infos}
    if json:
        rows = [(info, as_datetime(info.first), as_datetime(info.last)) for info in infos]
        listed = [
            {"series": str(info.key), "rows": info.rows, "first": first, "last": last, "outages": inside[info.key]}
            for info, first, last in rows
        ]
        print_json({"store": place, "series": listed})
        return
    if not infos:
        typer.echo(f"nothing is stored in {place}" + (f" whose name contains {pattern!r}." if pattern else "."))
        return
    plain_table(
        ("series", "rows", "first", "last", "outages"),
        [
            (str(info.key), f"{info.rows:,}", minute(info.first), minute(info.last), str(inside[info.key]))
            for info in infos
        ],
    )
    typer.echo(f"in {place}")


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV, Parquet, Feather, JSON or Excel, compressed or not; in a zip, FILE.zip#MEMBER."
        ),
    ],
    provider: Annotated[str, typer.Option(help="Where the data is from.", metavar="NAME")] = "",
    symbol: Annotated[
        str, typer.Option(metavar="SYMBOL", help="Symbol of the bars; in a file of several, the one to import.")
    ] = "",
    timeframe: Annotated[
        str, typer.Option(metavar="NAME", help="Such as 1h; inferred from the stamps by default.")
    ] = "",
    series: Annotated[str, typer.Option(metavar="KIND", help="bars, funding, open_interest or basis.")] = "bars",
    column: Annotated[
        list[str] | None,
        typer.Option("--column", "-c", metavar="NAME=COLUMN", help="volume=VolumeBTC, or volume=0; repeatable."),
    ] = None,
    unit: Annotated[
        str,
        typer.Option(
            metavar="UNIT", help="Of the stamps: s, ms, us, ns, or a date format like %d/%m/%Y; inferred by default."
        ),
    ] = "",
    zone: Annotated[
        str, typer.Option(metavar="NAME", help="Time zone of stamps without one: America/New_York; else UTC.")
    ] = "",
    stamps: Annotated[
        str, typer.Option(metavar="END", help="Which end of the bar the stamps are: open or close.")
    ] = "open",
    duplicates: Annotated[
        str, typer.Option(metavar="WHICH", help="Of rows with one stamp: refuse, first or last.")
    ] = "refuse",
    decimal: Annotated[
        str, typer.Option(metavar="SIGN", help="Decimal sign of the numbers: . or , (else inferred).")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show how the file is read, and store nothing.")] = False,
    yes: Yes = False,
    store: Place = None,
    json: options.Json = False,
) -> None:
    """Import a file; what is inferred is shown first, and each inference has an option."""
    from maestro.cli.printing import print_json
    from maestro.data.files.options import ReadOptions
    from maestro.data.files.reading import read_file, series_key

    reading_options = ReadOptions(
        provider, symbol, timeframe, series, read_columns(column), unit, zone, stamps, duplicates, decimal
    )
    readings = read_file(file, reading_options)
    if not json:
        _show_readings(readings)
    document: dict[str, Any] = {"series": [_reading(reading) for reading in readings], "stored": False}
    if not dry_run:
        keys = [series_key(reading) for reading in readings]
        if not (yes or json or not sys.stdin.isatty()):
            typer.confirm("store this?", abort=True)
        with opened(store) as target:
            _store_readings(target, keys, readings, document, quiet=json)
    if json:
        print_json(document)


@app.command()
def export(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to write: .csv, .csv.gz or .parquet.")],
    start: From = None,
    end: To = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    store: Place = None,
) -> None:
    """Write a series to a file."""
    from maestro.data.files.exporting import write_file
    from maestro.data.stores import SeriesKey

    key = SeriesKey.parse(name)
    with opened(store) as source:
        frame = source.read(key, _moment(start), _moment(end))
        if frame.is_empty():
            raise _nothing(source, key, start, end)
    write_file(frame, file, force=force)
    typer.echo(f"{len(frame):,} rows of {key} written to {file}")


@app.command()
def rm(
    name: Name,
    start: From = None,
    end: To = None,
    yes: Yes = False,
    for_good: Annotated[bool, typer.Option("--for-good", help="Keep no copy of the rows.")] = False,
    store: Place = None,
) -> None:
    """Remove a series, or a part of it, from the store; a copy of the rows goes to the trash."""
    from maestro.data.files.trash import restoring_command, to_trash
    from maestro.data.outages import Outages
    from maestro.data.stores import SeriesKey
    from maestro.errors import StoreDamagedError, StoreError

    key, low, high = SeriesKey.parse(name), _moment(start), _moment(end)
    copy = None
    with opened(store) as target:
        version = target.version(key, low, high)
        try:
            frame = target.read(key, low, high)
        except StoreDamagedError as error:
            if not for_good:
                raise StoreDamagedError(
                    f"{error} Its rows cannot be copied to the trash; --for-good removes them without a copy."
                ) from None
            _ask(f"remove rows of {key}, which is damaged, from {target.name}, without a copy?", yes)
        else:
            if frame.is_empty():
                raise _nothing(target, key, start, end)
            first, last = (int(frame["timestamp"].to_physical()[row]) for row in (0, -1))
            _ask(f"remove {len(frame):,} rows of {key}, {minute(first)} to {minute(last)}, from {target.name}?", yes)
            copy = None if for_good else to_trash(key, frame)
            if target.version(key, low, high) != version:
                raise StoreError(f"{key} was written to meanwhile; nothing was removed. Run the command again.")
        removed = target.delete(key, low, high)
        if low is None and high is None:
            Outages.of(target).forget(key)
    typer.echo(f"{removed:,} rows of {key} removed")
    if copy is not None:
        typer.echo(f"To restore them: {restoring_command(key, copy, store)}")


app.command()(data_check.check)
app.command()(data_compare.compare)
app.command()(data_migrate.migrate)
app.add_typer(data_questdb.app, name="questdb")


def _ask(question: str, yes: bool) -> None:
    """Continue only with consent: at the terminal, or by --yes."""
    from maestro.errors import SettingsError

    if yes:
        return
    if not sys.stdin.isatty():
        raise SettingsError(f"{question} There is no terminal to ask; confirm with --yes.")
    typer.confirm(question, abort=True)


def _nothing(store: Store, key: SeriesKey, start: str | None, end: str | None) -> Exception:
    from maestro.errors import SettingsError, nearest

    known = [str(info.key) for info in store.series()]
    if str(key) in known:
        return SettingsError(
            f"{key} has no row from {start or 'its start'} to {end or 'its end'}; see maestro data ls."
        )
    return SettingsError(f"nothing is stored of {key}; see maestro data ls.{nearest(str(key), known)}")


def _split(text: str, what: str) -> list[str]:
    from maestro.errors import SettingsError

    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or len(set(words)) < len(words):
        raise SettingsError(f"{text!r} is not a list of different {what} names; give one, or several with commas.")
    return words


def _moment(text: str | None) -> int | None:
    from maestro.bars import as_us

    return None if text is None else as_us(text)


def _show_results(results: list[SyncResult]) -> None:
    from maestro.cli.printing import plain_table, show_notes

    if not results:
        typer.echo("nothing is stored of any source; fetch a series first: maestro data fetch BINANCE BTCUSDT 1h")
        return
    rows = [
        (str(one.key), f"{one.received:,}", f"{one.added:,}", f"{one.changed:,}", str(len(one.gaps))) for one in results
    ]
    plain_table(("series", "received", "new", "revised", "gaps"), rows)
    if not any(one.received or one.error for one in results):
        typer.echo("nothing was missing")
    show_notes(_gap_note(one) for one in results if one.gaps)
    show_notes(f"{one.key}: {note}" for one in results for note in one.notes)


def _gap_note(result: SyncResult) -> str:
    longest = max(result.gaps, key=lambda gap: gap[1] - gap[0])
    span = f"{minute(longest[0])} to {minute(longest[1])} UTC"
    if len(result.gaps) == 1:
        return f"{result.key}: the exchange itself has no rows from {span}"
    return f"{result.key}: the exchange itself has no rows in {len(result.gaps)} stretches; the longest is {span}"


def _result(result: SyncResult) -> dict[str, Any]:
    from maestro.data.timeframes import as_datetime

    return {
        "series": str(result.key),
        "received": result.received,
        "added": result.added,
        "changed": result.changed,
        "gaps": [{"start": as_datetime(low), "end": as_datetime(high)} for low, high in result.gaps],
        "notes": result.notes,
        "error": result.error or None,
    }


def _show_readings(readings: list[Reading]) -> None:
    for reading in readings:
        name = ":".join(filter(None, (reading.provider or "?", reading.symbol or "?", reading.timeframe)))
        typer.echo(f"{name} ({reading.series})")
        for what, how in reading.understood:
            typer.echo(f"  {what:<10} {how}")


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "provider": reading.provider,
        "symbol": reading.symbol,
        "timeframe": reading.timeframe,
        "series": reading.series,
        "rows": len(reading.frame),
        "understood": dict(reading.understood),
    }


def _store_readings(
    store: Store, keys: list[SeriesKey], readings: list[Reading], document: dict[str, Any], *, quiet: bool
) -> None:
    from maestro.data.sync import put

    for key, reading, shown in zip(keys, readings, document["series"], strict=True):
        added, changed = put(store, key, reading.frame)
        shown.update(name=str(key), added=added, changed=changed)
        if not quiet:
            same = len(reading.frame) - added - changed
            typer.echo(f"{key}: {added:,} rows new, {changed:,} replaced, {same:,} there already")
    document.update(stored=True, store=store.name)
