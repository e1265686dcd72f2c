"""``maestro data compare``: two stores row by row, while a new one is on trial."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

from maestro.cli import options
from maestro.cli.data.target import opened


def compare(
    first: Annotated[str, typer.Argument(metavar="STORE", help="A folder, questdb://HOST:PORT, rethinkdb://HOST/DB.")],
    second: Annotated[str, typer.Argument(metavar="STORE", help="The store to compare it with.")],
    series: Annotated[
        list[str] | None,
        typer.Option("--series", metavar="SERIES", help="Only this series, repeatable; else all of the first store."),
    ] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First moment, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Before this moment, UTC.")] = None,
    json: options.Json = False,
) -> int:
    """Compare the series of one store with those of another; exit code 1 if a row differs."""
    from maestro.bars import as_us
    from maestro.cli.printing import plain_table, print_json, say
    from maestro.data.comparing import compare as compare_stores
    from maestro.data.stores import SeriesKey
    from maestro.errors import SettingsError

    keys = [SeriesKey.parse(name) for name in series] if series else None
    with ExitStack() as stack:
        one, other = (stack.enter_context(opened(name)) for name in (first, second))
        found = compare_stores(one, other, keys, *(None if date is None else as_us(date) for date in (start, end)))
        names = one.name, other.name
    if not found:
        raise SettingsError(f"nothing is stored in {names[0]}, so there is nothing to compare.")
    if json:
        print_json({"first": names[0], "second": names[1], "equal": all(each.equal for each in found), "series": [
            {"series": str(each.key), "rows": each.rows, "only_first": each.only_first,
             "only_second": each.only_second, "different": each.different, "examples": each.examples}
            for each in found
        ]})  # fmt: skip
    else:
        plain_table(
            ("series", "rows", "rows of the second", "only first", "only second", "different"),
            [(str(each.key), *(f"{number:,}" for number in (*each.rows, *each.counts))) for each in found],
        )  # fmt: skip
        for each in found:
            for example in each.examples:
                say(f"{each.key}: {example}", bullet="! ")
        typer.echo(f"{names[0]} and {names[1]}: " + ("equal" if all(each.equal for each in found) else "different"))
    return int(not all(each.equal for each in found))
