"""Tables between verdict and decision: regimes, Monte Carlo, Kelly, concentration, random entries, cross-validation."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from maestro._core.formatting import NONE, known, label, metric, moment, money, number, percent, plural, significant
from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import joined, note, paragraph, table

_FRACTIONS = ("total_return", "max_drawdown")


def regime_html(history: Any) -> Html:
    """One row per state, and how well the fits agree."""
    rows = [
        [f"State {r['state']}", percent(r["share"], 0), f"{r['spells']:,}", number(r["mean_spell"], 1),
         percent(r["annual_return"]), percent(r["volatility"])]
        for r in history.table.to_dicts()
    ]  # fmt: skip
    head = ["", "Share of bars", "Spells", "Bars per spell", "Annual return after it", "Volatility after it"]
    found = table(head, rows, numeric=range(1, 6), kind="plain", caption="States")
    agreement = history.agreement
    text = f"{plural(len(history.fits), 'fit')}, by {' and '.join(history.settings.features)}; state 0 is the calmest."
    if known(agreement):
        text += f" One fit and the next agree on {percent(agreement, 0)} of the bars."
        if agreement < 0.8:
            text += " That is little: the states are not stable."
    return joined((found, note(text)))


def monte_carlo_html(found: Any) -> Html:
    """One row per figure: as it came, and quantiles over the paths."""
    rows = []
    for r in found.table.to_dicts():
        values = [r[key] for key in ("observed", "q05", "q25", "q50", "q75", "q95")]
        rows.append([label(r["figure"]), *(percent(v) if r["figure"] in _FRACTIONS else number(v, 0) for v in values)])
    shown = table(["", "As it came", "5 %", "25 %", "Median", "75 %", "95 %"], rows, numeric=range(1, 7), kind="plain",
                 caption="Monte Carlo of the trades")  # fmt: skip
    words = {"bootstrap": "drawn with replacement", "reshuffle": "in a random order", "skip": "some of them missed"}
    text = (
        f"{found.paths:,} paths of {found.trades:,} trades, {words[found.method]}. Between closed trades: open losses "
        f"do not count. Risk of losing {percent(found.ruin_level, 0)} of the starting cash: "
        f"{percent(found.risk_of_ruin)}."
    )
    return joined((shown, note(text)))


def kelly_html(found: Any) -> Html:
    """Growth at the traded size, at half and at full Kelly, and the interval of the fraction."""
    sizes = {"traded": 1.0, "half": found.half, "full": found.full}
    names = {"traded": "As traded", "half": "Half Kelly", "full": "Full Kelly"}
    rows = []
    for key, size in sizes.items():
        growth = found.growth[key]
        shown = (
            "ruined" if growth == -math.inf else percent(math.expm1(growth), 2, sign=True) if known(growth) else NONE
        )
        rows.append([names[key], f"{number(size, 2)} ×" if known(size) else NONE, shown])
    head = ["", "Size", "Growth per trade"]
    return joined((table(head, rows, numeric=(1, 2), kind="plain", caption="Kelly fraction"), note(found.summary)))


def concentration_html(found: Any) -> Html:
    """Result without the best trades, and the share of each side and fold."""
    kinds = [kind for kind in found.parts["by"].unique(maintain_order=True) if kind != "month"]
    return joined((without_best_html(found), *(parts_html(found, kind) for kind in kinds)))


def without_best_html(found: Any) -> Html:
    """Result without the best trades."""
    rows = [["All closed trades", percent(found.total_return, sign=True), ""]]
    for r in found.without.to_dicts():
        words = "Without the best trade" if r["best"] == 1 else f"Without the best {r['best']} trades"
        rows.append([words, percent(r["total_return"], sign=True), percent(r["share"])])
    return table(["", "Return", "Share of the profit"], rows, numeric=(1, 2), kind="plain", caption="Concentration")


def parts_html(found: Any, kind: str) -> Html:
    """Profit of each part of one kind: side, fold or month."""
    rows = [[f"{label(kind)} {r['part']}", f"{r['trades']:,}", number(r["log_return"], 3), percent(r["share"])]
            for r in found.by(kind).to_dicts()]  # fmt: skip
    return table(["", "Trades", "Log return", "Share of the profit"], rows, numeric=(1, 2, 3), kind="plain",
                 caption=f"Profit by {kind}")  # fmt: skip


def random_entries_html(found: Any) -> Html:
    """Where the run ranks among random entries, in a sentence."""
    shown = percent(found.observed, sign=True) if found.metric == "total_return" else number(found.observed, 2)
    return paragraph(
        f"{label(found.metric)} {shown} is better than that of {percent(found.rank, 0)} of {len(found.null):,} runs "
        f"with {plural(found.positions, 'position')} entered at random, with the same sides, holding times and costs "
        f"(p = {found.pvalue:.3g})."
    )


def cpcv_html(found: Any) -> Html:
    """Range of the paths and the loss from training to testing."""
    frame = found.table
    rows = [
        [label(name), *(write(v) for v in (frame[name].min(), frame[name].median(), frame[name].max()))]
        for name, write in (("sharpe_ratio", number), ("annual_return", percent), ("max_drawdown", percent))
    ]
    shown = table(["", "Worst path", "Median", "Best path"], rows, numeric=(1, 2, 3), kind="plain", caption="Paths")
    text = (
        f"{plural(len(found.splits), 'split')} of {found.groups} groups with {found.test} tested, "
        f"{plural(found.returns.shape[1], 'path')}; {found.purge:,} bars purged. Testing lost "
        f"{number(-found.degradation, 2)} of the Sharpe ratio in training. Paths of one series hang together: their "
        "spread is a picture, not a confidence interval."
    )
    return joined((shown, note(text)))


def by_regime_html(found: Any) -> Html:
    """Performance of a run per regime, in and out of sample, or of a backtest."""
    samples = {"in": "In sample, ", "out": "Out of sample, ", "all": ""}
    rows = []
    for r in found.to_dicts():
        state = "before the first fit" if r["state"] is None else f"state {r['state']}"
        first = samples[r["sample"]] + state
        figures = [metric(name, r[name]) for name in ("annual_return", "volatility", "sharpe_ratio", "win_rate")]
        rows.append([first[0].upper() + first[1:], percent(r["share"], 0), *figures, f"{r['trades']:,}",
                     money(r["pnl"]), money(r["fees"])])  # fmt: skip
    head = ["", "Share of bars", "Annual return", "Volatility", "Sharpe ratio", "Win rate", "Trades", "Profit", "Fees"]
    return table(head, rows, numeric=range(1, 9), kind="plain", caption="Performance by regime")


def now_html(found: Any) -> Html:
    """Current parameters, with their distance from the choices of the folds."""
    rows = []
    for r in found.changes.to_dicts():
        chosen = [significant(r[key]) for key in ("lowest", "median", "highest")]
        rows.append(
            [r["parameter"], r["now"], NONE if r["last"] is None else r["last"], *chosen, percent(r["moved"], 0)]
        )
    head = ["", "Now", "Last fold", "Lowest", "Median", "Highest", "Moved"]
    shown = table(head, rows, numeric=range(1, 7), kind="plain", caption="Current parameters")
    text = (
        f"Trained on the bars from {moment(found.trained_from)} until {moment(found.trained_until)} UTC, the end of "
        "the last one, with the search of the folds: "
        f"Sharpe ratio {metric('sharpe_ratio', found.in_sample['sharpe_ratio'])} in sample. Moved: distance from the "
        "last fold's choice as a share of the searched range. Lowest, median and highest are those of the folds."
    )
    return joined((shown, note(text)))


def expectation_html(found: Any) -> Html:
    """Quantiles of the next test window's return and drawdown."""
    rows = [
        [label(name), *(percent(values[key]) for key in ("0.05", "0.25", "0.5", "0.75", "0.95"))]
        for name, values in (("total_return", found.total_return), ("max_drawdown", found.max_drawdown))
    ]
    head = ["", "5\N{NARROW NO-BREAK SPACE}%", "25\N{NARROW NO-BREAK SPACE}%", "Median", "75\N{NARROW NO-BREAK SPACE}%",
            "95\N{NARROW NO-BREAK SPACE}%"]  # fmt: skip
    shown = table(head, rows, numeric=range(1, 6), kind="plain", caption="Expected band")
    text = (
        f"The next {plural(found.bars, 'bar')}, if the future is like the tested past: {found.repetitions:,} draws "
        f"from the out-of-sample returns in blocks of {number(found.block, 0)} bars on average. The future may "
        "differ from the past by more than that."
    )
    return joined((shown, note(text)))


def parameter_permutation_html(found: Any) -> Html:
    """Median of the fixed sets against the run, in a sentence."""
    text = (
        f"{label(found.metric)} of {plural(len(found.values), 'set')} that the run tried, each kept fixed over the "
        f"tested bars: median {metric(found.metric, found.median)}. The walk-forward has "
        f"{metric(found.metric, found.observed)}, above {percent(found.rank, 0)} of them. "
        "Positions of a fixed set run through the cuts between folds."
    )
    if found.search.startswith("tpe"):
        text += " TPE proposes more sets where training was good, and later training windows contain tested bars."
    if found.failed:
        text += f" {plural(found.failed, 'set')} could not be simulated."
    return paragraph(text)


def retiming_html(found: Any) -> Html:
    """The run beside as many re-optimisations on the calendar and at random times."""
    known_values = [v for v in found.random.tolist() if known(v)]
    middle = median(known_values) if known_values else float("nan")
    name = found.metric
    rows = [["This run", metric(name, found.own)], ["On the calendar", metric(name, found.calendar)],
            ["At random times, median", metric(name, middle)]]  # fmt: skip
    shown = table(["Re-optimised", label(name)], rows, numeric=(1,), kind="plain", caption="Times of re-optimisation")
    rank = "The rank is not defined." if not known(found.rank) else (
        f"The run beats {percent(found.rank, 0)} of {found.repetitions:,} runs that re-optimise as often at random "
        f"times (p = {found.pvalue:.3g}). About one half means that the times did not matter."
    )  # fmt: skip
    return joined((shown, note(rank)))
