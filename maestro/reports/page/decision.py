"""The part of the walk-forward page between verdict and decision: luck of the trades, regimes, current parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maestro._core.formatting import label
from maestro.decision.measure import CHEAP, Decision, measure
from maestro.reports.figures.concentration import concentration_figure
from maestro.reports.figures.pareto import front_metrics, front_table, front_words, pareto_figure
from maestro.reports.figures.trade_luck import distribution
from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import empty
from maestro.reports.tables import decision as tables

MOST_FRONTS = 12
"""Folds whose front is drawn: the last ones."""


@dataclass(frozen=True)
class Block:
    """One section: a table or sentence, and the places of its figures with their headings."""

    key: str
    title: str
    lead: str
    html: Html
    figures: tuple[tuple[str, str], ...] = ()


def blocks(wf: Any, decision: Decision | None) -> tuple[list[Block], list[Block], dict[str, Any]]:
    """Sections on what to trade now, sections on luck and regimes, and their figures by place.

    Parts that need only the run's tables are measured here if `decision` does not have them.
    """
    given = decision or Decision()
    missing = [part for part in CHEAP if part not in given.found and part not in given.problems]
    cheap = measure(wf, parts=missing)
    whole = Decision({**cheap.found, **given.found}, {**cheap.problems, **given.problems}, given.training)
    figures: dict[str, Any] = {}
    first = _made(_NOW, whole, figures)
    later = _made(_LATER, whole, figures)
    return first, later, figures


def fronts(wf: Any) -> tuple[list[tuple[str, str, str]], dict[str, Any], tuple[str, str]]:
    """Place, heading and words of the Pareto front of each of the last folds; their figures; the metrics' labels."""
    metrics = front_metrics(wf)
    rows, figures = [], {}
    for fold in wf.folds["fold"].to_list()[-MOST_FRONTS:]:
        table = front_table(wf, fold, metrics)
        if not len(table):
            continue
        place = f"front-{fold}"
        figures[place] = pareto_figure(wf, fold, metrics, table=table)
        rows.append((place, f"Fold {fold}", front_words(table)))
    return rows, figures, (label(metrics[0]), label(metrics[1]))


def _made(sections: Sequence[Any], decision: Decision, figures: dict[str, Any]) -> list[Block]:
    found = []
    for key, title, parts, lead, make in sections:
        if not any(part in decision.found or part in decision.problems for part in parts):
            continue
        html: list[Html] = []
        places: list[tuple[str, str]] = []
        for part in parts:
            if part in decision.problems:
                html.append(
                    empty(f"{label(part)}: {decision.problems[part]}" if len(parts) > 1 else decision.problems[part])
                )
            elif part in decision.found:
                text, drawn = make[part](decision.found[part])
                html.append(text)
                for k, (heading, figure) in enumerate(drawn):
                    places.append((f"{key}-{part}-{k}".replace("_", "-"), heading))
                    figures[places[-1][0]] = figure
        shown = lead.replace("TRAINING", decision.training)
        found.append(Block(key, title, shown, Html("").join(html), tuple(places)))
    return found


def _monte_carlo(found: Any) -> tuple[Html, list[tuple[str, Any]]]:
    fan, falls = found.figure().children
    return tables.monte_carlo_html(found), [("Equity, trade by trade", fan), ("Largest drawdown", falls)]


def _concentration(found: Any) -> tuple[Html, list[tuple[str, Any]]]:
    kinds = [kind for kind in ("fold", "month") if kind in found.parts["by"].to_list()]
    html = Html("").join((tables.without_best_html(found), tables.parts_html(found, "side")))
    return html, [(f"By {kind}", concentration_figure(found, kind)) for kind in kinds]


def _retiming(found: Any) -> tuple[Html, list[tuple[str, Any]]]:
    values = found.random[found.random == found.random]
    if not len(values):
        return tables.retiming_html(found), []
    figure = distribution(
        values, found.own, label(found.metric), height=240, share="Share of the runs",
        items=("Random times", "This run"),
        as_percent=found.metric in ("total_return", "annual_return", "volatility", "max_drawdown"),
    )  # fmt: skip
    return tables.retiming_html(found), [("", figure)]


_NOW: tuple[Any, ...] = (
    (
        "now", "What to trade now", ("now", "expected"),
        "The search of the folds on the most recent training window, compared with what the folds chose, and the band "
        "that the next test window should stay in.",
        {"now": lambda found: (tables.now_html(found), []),
         "expected": lambda found: (tables.expectation_html(found), [])},
    ),
)  # fmt: skip
_LATER: tuple[Any, ...] = (
    (
        "concentration", "Concentration of profit", ("concentration",),
        "How much of the result depends on a few trades, one side, one fold or one month. Log returns add up to the "
        "result.",
        {"concentration": _concentration},
    ),
    (
        "luck", "Monte Carlo of the trades", ("monte_carlo",),
        "The closed trades drawn again with replacement: what the same trades could have done to the account.",
        {"monte_carlo": _monte_carlo},
    ),
    (
        "kelly", "Kelly fraction", ("kelly",),
        "The size at which these trades would have grown fastest, as a multiple of the size that was traded. It is "
        "fitted to the trades: a comparison, not a size to trade.",
        {"kelly": lambda found: (tables.kelly_html(found), [])},
    ),
    (
        "entries", "Random entries", ("random_entries",),
        "As many positions with the same sides, holding times and costs, entered at random on bars outside their test "
        "window.",
        {"random_entries": lambda found: (tables.random_entries_html(found), [("", found.figure())])},
    ),
    (
        "regimes", "Regimes", ("regimes", "by_regime"),
        "States of a regime model (that of the trigger, if the run has one), each known at its bar's close, fitted on "
        "TRAINING of bars before them. "
        "Dotted lines are new fits. A bar's return belongs to the state known at the close before it.",
        {
            "regimes": lambda found: (tables.regime_html(found), [("", found.figure())]),
            "by_regime": lambda found: (tables.by_regime_html(found), []),
        },
    ),
    (
        "retiming", "Times of re-optimisation", ("retiming",),
        "A triggered run beside its placebo: as many re-optimisations over the same bars, on the calendar and at "
        "random times.",
        {"retiming": _retiming},
    ),
    (
        "sets", "Fixed parameters", ("parameter_permutation",),
        "Every set that was tried, kept fixed over the tested bars. The median is what the rule earns without "
        "choosing.",
        {"parameter_permutation": lambda found: (tables.parameter_permutation_html(found), [("", found.figure())])},
    ),
    (
        "paths", "Cross-validation paths", ("cpcv",),
        "Combinatorial purged cross-validation: sets chosen on some groups of bars, tested on the others, recombined "
        "into paths over all bars.",
        {"cpcv": lambda found: (tables.cpcv_html(found), [("", found.figure())])},
    ),
)  # fmt: skip
