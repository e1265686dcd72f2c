"""Tables between verdict and decision: regimes, Monte Carlo, concentration, random entries, cross-validation."""

from __future__ import annotations

from typing import Any

from maestro._core.formatting import known, label, number, percent, plural
from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import joined, note, paragraph, table

_FRACTIONS = ("total_return", "max_drawdown")


def regime_html(history: Any) -> Html:
    """One row per state, and how well the fits agree."""
    rows = [
        [f"State {r['state']}", percent(r["share"], 0), f"{r['spells']:,}", _or_dash(r["mean_spell"], 1),
         _percent(r["annual_return"]), _percent(r["volatility"])]
        for r in history.table.to_dicts()
    ]  # fmt: skip
    head = ["", "Share of bars", "Spells", "Bars per spell", "Return a year after it", "Volatility after it"]
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
        write = _percent if r["figure"] in _FRACTIONS else (lambda v: number(v, 0))
        quantiles = [write(r[q]) for q in ("q05", "q25", "q50", "q75", "q95")]
        rows.append([label(r["figure"]), write(r["observed"]), *quantiles])
    shown = table(["", "As it came", "5 %", "25 %", "Median", "75 %", "95 %"], rows, numeric=range(1, 7), kind="plain",
                 caption="Monte Carlo of the trades")  # fmt: skip
    words = {"bootstrap": "drawn with replacement", "reshuffle": "in a random order", "skip": "some of them missed"}
    text = (
        f"{found.paths:,} paths of {found.trades:,} trades, {words[found.method]}. Between closed trades: open losses "
        f"do not count. Risk of losing {percent(found.ruin_level, 0)} of the starting cash: "
        f"{percent(found.risk_of_ruin)}."
    )
    return joined((shown, note(text)))


def concentration_html(found: Any) -> Html:
    """Result without the best trades, and the share of each side and fold."""
    rows = [["All closed trades", percent(found.total_return, sign=True), ""]]
    for r in found.without.to_dicts():
        words = "Without the best trade" if r["best"] == 1 else f"Without the best {r['best']} trades"
        rows.append([words, percent(r["total_return"], sign=True), _percent(r["share"])])
    parts = [table(["", "Return", "Share of the profit"], rows, numeric=(1, 2), kind="plain", caption="Concentration")]
    for kind in found.parts["by"].unique(maintain_order=True):
        if kind == "month":
            continue
        rows = [[f"{label(kind)} {r['part']}", f"{r['trades']:,}", number(r["log_return"], 3), _percent(r["share"])]
                for r in found.by(kind).to_dicts()]  # fmt: skip
        parts.append(table(["", "Trades", "Log return", "Share of the profit"], rows, numeric=(1, 2, 3), kind="plain",
                           caption=f"Profit by {kind}"))  # fmt: skip
    return joined(parts)


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
        for name, write in (("sharpe_ratio", number), ("annual_return", _percent), ("max_drawdown", _percent))
    ]
    shown = table(["", "Worst path", "Median", "Best path"], rows, numeric=(1, 2, 3), kind="plain", caption="Paths")
    text = (
        f"{plural(len(found.splits), 'split')} of {found.groups} groups with {found.test} tested, "
        f"{plural(found.returns.shape[1], 'path')}; {found.purge:,} bars purged. Testing lost "
        f"{number(-found.degradation, 2)} of the Sharpe ratio in training. Paths of one series hang together: their "
        "spread is a picture, not a confidence interval."
    )
    return joined((shown, note(text)))


def _percent(value: Any) -> str:
    return percent(float("nan") if value is None else value)


def _or_dash(value: Any, digits: int) -> str:
    return number(float("nan") if value is None else value, digits)
