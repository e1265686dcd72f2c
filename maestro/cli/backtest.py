"""``maestro backtest``: one strategy on bars, its metrics compared with buy and hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options

if TYPE_CHECKING:
    from maestro.engine import Backtest

app = typer.Typer(rich_markup_mode=None, add_completion=False)

SHOWN = (
    "total_return", "annual_return", "volatility", "max_drawdown", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
    "vwr",
)  # fmt: skip
"""Metrics that are also shown for buy and hold."""


@app.command()
@takes_file_options
def backtest(
    ctx: typer.Context,
    data: options.Data,
    name: options.StrategyName = None,
    strategy: options.StrategyOption = None,
    param: options.Params = None,
    symbol: options.Symbol = None,
    start: options.Start = None,
    end: options.End = None,
    resample: options.Resample = None,
    periods_per_year: options.PeriodsPerYear = None,
    fee: options.Fee = None,
    slippage: options.Slippage = None,
    venue: options.Venue = None,
    cash: options.Cash = 100_000.0,
    sizing: options.Sizing = "percent:1.0",
    fill: options.Fill = "next_open",
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="Engine: fast (v2), vectorbt or backtrader (v1).")
    ] = "fast",
    trades: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trades, as CSV or Parquet by the name's ending.")
    ] = None,
    equity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write equity, position and drawdown of every bar.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Simulate one strategy on bars."""
    from maestro.cli import parsing as reading
    from maestro.cli.printing import print_json, table_writer
    from maestro.engine import backtest as simulate

    write_trades = table_writer(trades, ("entry_time", "exit_time", "pnl"))
    write_equity = table_writer(equity, ("timestamp", "equity", "drawdown"))
    chosen = reading.read_strategy(name, strategy)
    params = reading.read_params(chosen, param)
    costs = reading.read_costs(fee, slippage, venue)
    server = ctx.find_root().params.get("server")
    how: dict[str, Any] = {
        "params": params, "costs": costs, "sizing": sizing, "cash": cash, "fill": fill, "engine": engine,
    }  # fmt: skip
    result: Backtest
    if server:
        from maestro.cli.remote import run_on_server

        if symbol is not None:
            raise typer.BadParameter("--symbol means nothing to a service; leave it out", ctx)
        how |= {"start": start, "end": end, "resample": resample, "periods_per_year": periods_per_year}
        folder = reading.configured(None, "runs_dir")
        how["kind"] = "backtest"
        result = run_on_server(server, data, chosen.__name__, folder, progress=False, settings=how)
    else:
        result = simulate(reading.read_bars(data, symbol, start, end, resample, periods_per_year), chosen, **how)
    write_trades(result.trades)
    write_equity(result.equity)
    if json:
        print_json(document(result))
    else:
        show(result)


def document(result: Backtest) -> dict[str, Any]:
    """A backtest as plain values for ``--json``."""
    from maestro.cli.printing import describe_bars

    strategy, params = _declared(result)
    return {
        "strategy": strategy,
        "params": params,
        "bars": describe_bars(result.bars),
        "costs": result.costs.to_dict(),
        "sizing": result.sizing.to_dict(),
        "cash": result.cash,
        "fill": result.fill,
        "engine": result.engine,
        "metrics": result.metrics,
        "notes": result.notes,
    }


def show(result: Backtest) -> None:
    """Print a backtest."""
    from maestro import metrics
    from maestro._core import formatting as formats
    from maestro.cli.printing import bars_line, say, show_notes, show_table

    figure = {k: formats.metric(k, v) for k, v in result.metrics.items()}
    strategy, params = _declared(result)
    say(f"{strategy}({', '.join(f'{name}={value!r}' for name, value in params.items())})")
    say(bars_line(result.bars))
    say(result.bars.calendar.text)
    say(
        f"fee {formats.percent(result.costs.fee, 3)}, slippage {formats.percent(result.costs.slippage, 3)}, "
        f"{result.sizing.kind} {formats.significant(result.sizing.value)}, cash {formats.money(result.cash)}, "
        f"fill {result.fill}\n"
    )
    typer.echo()
    holding = metrics.holding_metrics(result.benchmark, result.cash, periods_per_year=result.bars.periods_per_year)
    show_table(
        ("", "strategy", "buy and hold"), [(formats.label(k), figure[k], formats.metric(k, holding[k])) for k in SHOWN]
    )
    typer.echo()
    say(
        f"{figure['num_trades']} closed trades, {figure['win_rate']} of them won, profit factor "
        f"{figure['profit_factor']}; in the market on {figure['exposure']} of the bars, turnover "
        f"{figure['turnover']} a year; paid {figure['fees']} in fees, {figure['slippage']} in slippage, "
        f"{figure['funding']} in funding."
    )
    show_notes(note for note in result.notes if note != result.bars.calendar.text)


def _declared(result: Backtest) -> tuple[str, dict[str, Any]]:
    """Name of the strategy and all its parameters; of a stored backtest also where the class is not installed."""
    from maestro.runs.backtests import StoredBacktest

    if isinstance(result, StoredBacktest):
        return result.spec.strategy, dict(result.spec.params)
    assert result.strategy is not None
    return result.strategy.name, dict(result.strategy.params)
