"""``maestro check-strategy``: check a strategy for look-ahead, short warm-ups, state and randomness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options

if TYPE_CHECKING:
    from maestro.validation import LookAhead

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@takes_file_options
def check_strategy(
    strategy: options.StrategyName = None,
    strategy_option: options.StrategyOption = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data", "-d", metavar="NAME",
            help="sample:AAPL, a CSV or Parquet file, or PROVIDER:SYMBOL:TIMEFRAME; repeatable.  [default: samples]",
        ),
    ] = None,
    symbol: options.Symbol = None,
    start: options.Start = None,
    end: options.End = None,
    resample: options.Resample = None,
    param: options.Params = None,
    cuts: Annotated[int, typer.Option(metavar="N", help="Number of cuts; more of them find more.")] = 200,
    starts: Annotated[int, typer.Option(metavar="N", help="Later beginnings; 0 leaves two checks out.")] = 12,
    seed: options.Seed = None,
    json: options.Json = False,
) -> None:  # fmt: skip
    """Check a strategy for look-ahead, hidden state and a warm-up that is too short.

    The exit code is 1 if a signal depends on anything but past bars.

    The signals are computed again with the future removed and altered, with less history, twice, and after other
    bars. Each finding names the signal, the bar and the columns that cause it.
    """
    import maestro.validation as validation
    from maestro.bars.loading import samples
    from maestro.cli.parsing import configured, read_bars, read_params, read_strategy
    from maestro.cli.printing import print_json, say
    from maestro.errors import MaestroError

    cls = read_strategy(strategy, strategy_option)
    params = read_params(cls, param)
    settings: dict[str, Any] = {
        "params": params,
        "cuts": cuts,
        "starts": starts,
        "seed": configured(seed, "search.seed"),
    }
    found, refused = [], []
    for name in data or [f"sample:{one}" for one in samples()["name"]]:
        try:
            found.append(validation.lookahead(read_bars(name, symbol, start, end, resample), cls, **settings))
        except MaestroError as error:
            if data:
                raise
            refused.append(error)  # a sample may be too short for this strategy
    if not found:
        raise refused[0]
    if json:
        print_json({"passed": all(one.passed for one in found), "results": [one.to_dict() for one in found]})
    else:
        for one in found:
            _show(one)
        bad = [one.bars for one in found if not one.passed]
        if refused:
            say(f"Left out, as the strategy cannot be checked there: {len(refused)} of {len(refused) + len(found)}.")
        say(
            f"{cls.__name__} FAILED on {', '.join(bad)}."
            if bad
            else f"{cls.__name__} passed on {len(found)} series. What no cut met was not seen; --cuts sees more."
        )
    if not all(one.passed for one in found):
        raise typer.Exit(1)


def _show(found: LookAhead) -> None:
    from maestro.cli.printing import say

    say(f"{found.strategy} on {found.bars}, {len(found.cuts)} cuts, seed {found.seed}")
    marks = {True: "pass ", False: "FAIL ", None: "–    "}
    for row in found.table.to_dicts():
        say(row["finding"], bullet=f"  {marks[row['passed']]} {row['check']:11} ")
    typer.echo()
