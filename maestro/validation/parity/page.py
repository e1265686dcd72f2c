"""A comparison of engines as a Markdown page: requirements, results, and the reason for each difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import polars as pl

from maestro.bars import Bars
from maestro.validation.parity.compare import (
    CORRELATION_ABOVE,
    DEFAULT_SETTINGS,
    METRICS_WITHIN,
    TRADES_WITHIN_A_BAR,
    Parity,
)

WAYS = {
    "size": "by default the size is computed at the close of the signal; if the next open is higher, an order for all "
    "the cash is refused (*Margin*). In Maestro, *cheat-on-open* computes it at the opening price.",
    "brackets": "the children of a bracket order are inactive until the bar after the fill. In Maestro, stop and "
    "target are an OCO pair placed with the entry.",
    "trail": "`StopTrail` follows closes. In Maestro, a stop order is replaced at each close and follows highs and "
    "lows.",
    "slippage": "slippage stops at the bar's high or low. In Maestro, `slip_out` allows prices beyond them, as in the "
    "fast engine.",
    "limits": "with `slip_open`, slippage also applies to a limit order that fills at a gapped open. In Maestro, limit "
    "orders have no slippage.",
    "funding": "not supported. In Maestro, the strategy pays it from its cash at the open.",
}
"""backtrader's defaults, and the settings that Maestro uses instead."""


def page(result: Parity, series: Sequence[Bars], command: str) -> str:
    """Return the page in Markdown; `command` is the command that writes it."""
    table = result.table
    compared = table.filter(pl.col("engine") != DEFAULT_SETTINGS)
    failures = result.failures
    parts = [
        "# Parity of the engines",
        f"Written by `{command}` (backtrader {_version('backtrader')}, vectorbt {_version('vectorbt')}). "
        "[Engines](engines.md) describes how they are run, [engine](engine.md) what happens inside a bar.",
        f"Every strategy with its default parameters, fee {100 * result.costs.fee:g} %, slippage "
        f"{100 * result.costs.slippage:g} %, sizing `{result.sizing.text}`, cash {result.cash:,.0f}, both directions, "
        "fills at the next open. **vectorbt** trades the same signals with its own order logic and must "
        "agree to 1e-9 on every fill, equity value and metric. **backtrader** trades reimplemented rules, bar by bar, "
        f"with its own broker; it must agree within {_share(METRICS_WITHIN)} on every metric and within one bar on "
        f"{_share(TRADES_WITHIN_A_BAR)} of the trades, with a correlation of equity above {CORRELATION_ABOVE}. "
        "Differences are relative; values are not rounded before the comparison, and a metric that only one engine "
        "defines differs infinitely.",
        f"**{compared.height - failures.height} of {compared.height} comparisons passed.**"
        + ("" if result.passed else " Those that did not are marked ✗."),
        *_summary(compared),
    ]
    for bars in series:
        rows = compared.filter(pl.col("series") == bars.name)
        parts += [
            f"## {bars.name}",
            f"{len(bars):,} bars, {bars.start:%Y-%m-%d} to {bars.end:%Y-%m-%d}.",
            *_table(rows),
        ]
    plain = table.filter(pl.col("engine") == DEFAULT_SETTINGS)
    if plain.height:
        parts += _default_settings(plain)
    return "\n\n".join(parts) + "\n"


def _summary(table: pl.DataFrame) -> list[str]:
    heads = (
        "engine",
        "largest difference of a metric",
        "of a fill",
        "of equity",
        "trades ±1 bar, lowest",
        "corr., lowest",
    )
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for (engine,), rows in table.group_by("engine", maintain_order=True):
        lines.append(
            f"| {engine} | {_small(rows['metric_difference'].max())} | {_small(rows['fill_difference'].max())} "
            f"| {_small(rows['equity_difference'].max())} | {_share(rows['trades_within_a_bar'].min())} "
            f"| {_digits(rows['equity_correlation'].min())} |"
        )
    return ["\n".join(lines)]


def _table(rows: pl.DataFrame) -> list[str]:
    """Table of a series: engines side by side, reasons as notes below."""
    engines = rows["engine"].unique(maintain_order=True).to_list()
    notes: dict[str, int] = {}
    heads = ["strategy", "trades"]
    for engine in engines:
        exact = engine == "vectorbt"
        heads += (
            [f"{engine}: metrics", "fills", "equity"] if exact else [f"{engine}: metrics", "trades ±1 bar", "corr."]
        )
    lines = [f"| {' | '.join([*heads, 'notes'])} |", "|" + "---|" * (len(heads) + 1)]
    for (name,), own in rows.group_by("strategy", maintain_order=True):
        marks: list[int] = []
        cells = [str(name), f"{own['trades'][-1]:,}"]
        for row in own.iter_rows(named=True):
            failed = "" if row["passed"] else " ✗"
            cells.append(f"{_small(row['metric_difference'])}{failed}")
            if row["engine"] == "vectorbt":
                cells += [_small(row["fill_difference"]), _small(row["equity_difference"])]
            else:
                cells += [_share(row["trades_within_a_bar"]), _digits(row["equity_correlation"])]
            marks += [notes.setdefault(one, len(notes) + 1) for one in row["reason"].split("; ") if one]
        lines.append(f"| {' | '.join([*cells, ' '.join(map(str, sorted(set(marks))))])} |")
    return ["\n".join(lines), "\n".join(f"{number}. {_sentence(note)}" for note, number in notes.items())]


def _default_settings(rows: pl.DataFrame) -> list[str]:
    heads = ("series", "strategy", "trades", "theirs", "worst metric", "differs by", "trades ±1 bar", "corr.", "why")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows.iter_rows(named=True):
        why = row["reason"] or "rounding"
        lines.append(
            f"| {row['series']} | {row['strategy']} | {row['trades']:,} | {row['theirs']:,} | {row['worst_metric']} "
            f"| {_small(row['metric_difference'])} | {_share(row['trades_within_a_bar'])} "
            f"| {_digits(row['equity_correlation'])} | {why} |"
        )
    close = rows.filter(pl.col("passed")).height
    return [
        "## backtrader with default settings",
        "The same comparison without the settings that make backtrader comparable, as if the rules had been ported "
        "without changing the broker. These rows need not agree; they show the effect of the settings. For each row, "
        "each of backtrader's defaults was tried on its own; those that change the result are listed with their effect "
        "on the final equity.",
        "\n".join(f"- **{name}**: {text}" for name, text in WAYS.items()),
        f"{close} of {rows.height} would still meet the requirements above.",
        "\n".join(lines),
    ]


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:]}."


def _small(value: object) -> str:
    """A difference: 0, a power of ten, or a share from a tenth of a percent on."""
    if not isinstance(value, float):
        return "–"
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞"
    return f"{100 * value:.2f} %" if value >= 1e-3 else f"{value:.0e}".replace("e-0", "e-")


def _share(value: object) -> str:
    return f"{math.floor(1000 * value) / 10:g} %" if isinstance(value, float) else "–"


def _digits(value: object) -> str:
    """A correlation, never rounded up to 1."""
    if not isinstance(value, float) or math.isnan(value):
        return "–"
    return "1" if value == 1.0 else f"{math.floor(1e6 * value) / 1e6:.6f}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
