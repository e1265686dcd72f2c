"""Several runs side by side: curves on one chart, metrics and settings in one table, what makes it unfair in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from maestro._core.formatting import label, metric, moment, number
from maestro.errors import SettingsError
from maestro.reports.figures.downsampling import thin
from maestro.walkforward.columns import failed
from maestro.walkforward.result import WalkForward

POINTS = 1_500
"""Points of a curve."""
COMPARED = (
    "total_return", "annual_return", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "vwr", "volatility",
    "max_drawdown", "win_rate", "profit_factor", "num_trades", "turnover", "exposure", "fees", "funding",
)  # fmt: skip
_PRINT = 16
"""Digits of a fingerprint that are shown: enough to tell bars apart."""
_ASIDE = {"schema", "source", "windows", "first"}


@dataclass(frozen=True)
class Curve:
    """A run's equity out of sample as growth of 1, thinned to what can be seen, and its drawdown."""

    name: str
    time: Any
    growth: Any
    drawdown: Any


@dataclass(frozen=True, repr=False)
class Comparison:
    """Several runs side by side.

    Attributes
    ----------
    names : tuple of str
        A run each: strategy and series, with the beginning of its id.
    curves : tuple of Curve
    metrics : frame, one row per metric: metric, then one column per run with the figure as people read it
    settings : frame, one row per setting: setting, differs, then one column per run
    notes : tuple of str
        What stands in the way of a fair comparison: other bars, stretches that do not overlap, failed folds.
    """

    names: tuple[str, ...]
    curves: tuple[Curve, ...]
    metrics: pl.DataFrame
    settings: pl.DataFrame
    notes: tuple[str, ...]

    def figure(self, *, height: int = 380, log: bool = False) -> Any:
        """Growth of every run and, below, its drawdown, on one time axis."""
        from maestro.reports.figures.compare import comparison_figure

        return comparison_figure(self.curves, height=height, log=log)

    def __repr__(self) -> str:
        return f"Comparison of {len(self.names)} runs: {'; '.join(self.names)}"

    def _repr_html_(self) -> str:
        from maestro.reports.html.environment import render
        from maestro.reports.html.fragments import joined, table

        differing = self.settings.filter(pl.col("differs")).drop("differs")
        shown = [
            table(["", *self.names], frame.iter_rows(), numeric=range(1, len(self.names) + 1), caption=caption)
            for frame, caption in ((self.metrics, "Out of sample"), (differing, "Settings that differ"))
            if len(frame)
        ]
        if self.notes:
            shown.append(render("list.html", items=self.notes))
        return joined(shown)._repr_html_()


def compare_runs(runs: Sequence[WalkForward], *, common: bool = False) -> Comparison:
    """Put runs side by side; with `common` the curves show the stretch that all of them tested.

    Parameters
    ----------
    runs : sequence of WalkForward
    common : bool
        Curves begin at 1 where all runs have begun and end where the first of them ends; metrics stay those of each
        run's own stretch, as `notes` say.

    Raises
    ------
    SettingsError
        No run, or with `common` no common stretch.
    """
    if not runs:
        raise SettingsError("no run was given; give some, ms.load_run(…) each.")
    names = _names(runs)
    frames = [wf.equity.select("timestamp", "equity") for wf in runs]
    spans: list[tuple[Any, Any]] = [(f["timestamp"][0], f["timestamp"][-1]) for f in frames if len(f)]
    begin = max((span[0] for span in spans), default=None)
    end = min((span[1] for span in spans), default=None)
    apart = bool(begin is not None and end is not None and begin > end)
    if common and apart:
        raise SettingsError("the runs have no stretch in common; show each over its own.")
    if common and begin is not None:
        frames = [frame.filter(pl.col("timestamp").is_between(begin, end)) for frame in frames]
    curves = tuple(
        _curve(name, frame, None if common else float(wf.spec.cash))
        for name, frame, wf in zip(names, frames, runs, strict=True)
    )
    return Comparison(names, curves, _metrics(names, runs), _settings(names, runs), _notes(runs, apart, common))


def _names(runs: Sequence[WalkForward]) -> tuple[str, ...]:
    """Strategy, series and the beginning of the id of each; all of the id where that is not enough."""
    for length in (6, 64):
        names = tuple(f"{wf.spec.strategy} · {wf.spec.series} · {wf.id[:length]}" for wf in runs)
        if len(set(names)) == len(names):
            return names
    raise SettingsError("a run was given twice; give each once.")


def _curve(name: str, frame: pl.DataFrame, cash: float | None) -> Curve:
    equity = frame["equity"].to_numpy()
    if not len(equity):
        return Curve(name, frame["timestamp"].to_numpy(), equity, equity)
    growth = frame["equity"] / (equity[0] if cash is None else cash)
    fall = growth / growth.clip(lower_bound=1.0).cum_max() - 1.0
    rows = thin(growth.to_numpy(), fall.to_numpy(), points=POINTS)
    return Curve(name, frame["timestamp"].to_numpy()[rows], growth.to_numpy()[rows], fall.to_numpy()[rows])


def _metrics(names: Sequence[str], runs: Sequence[WalkForward]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "metric": label(key),
            **{name: metric(key, wf.metrics.get(key)) for name, wf in zip(names, runs, strict=True)},
        }
        for key in COMPARED
    ]
    extra = {
        "Efficiency": [number(getattr(wf, "efficiency", None)) for wf in runs],
        "Folds that failed": [f"{len(failed(wf.folds))} of {len(wf.folds)}" for wf in runs],
        "First bar tested": [moment(wf.equity["timestamp"].min()) for wf in runs],
        "Last bar tested": [moment(wf.equity["timestamp"].max()) for wf in runs],
    }
    rows += [{"metric": key, **dict(zip(names, values, strict=True))} for key, values in extra.items()]
    return pl.DataFrame(rows)


def flat(spec: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Settings as text by dotted name: ``{"costs": {"fee": 0.001}}`` is ``{"costs.fee": "0.001"}``."""
    found: dict[str, str] = {}
    for key, value in spec.items():
        name = f"{prefix}{key}"
        if prefix == "space.search.":
            found[f"search of {key}"] = _searched(value)
        elif isinstance(value, dict) and value:
            found |= flat(value, f"{name}.")
        elif name not in _ASIDE:
            found[name] = value if isinstance(value, str) else json.dumps(value, default=str)
    return found


def _searched(value: Any) -> str:
    """Range of a parameter in words: ``5 to 50``, ``0.001 to 0.1 (log)``, ``cross, trail``."""
    if not isinstance(value, dict):
        return str(value)
    options = value.get("options") or value.get("choices")
    if options:
        return ", ".join(map(str, options))
    step = value.get("step")
    parts = [f"step {step:g}" if step not in (None, 1) else "", "log" if value.get("log") else ""]
    details = ", ".join(filter(None, parts))
    return f"{value.get('low')} to {value.get('high')}" + (f" ({details})" if details else "")


def _settings(names: Sequence[str], runs: Sequence[WalkForward]) -> pl.DataFrame:
    specs = [flat(wf.spec.to_dict()) for wf in runs]
    versions = [flat({"versions": wf.manifest.get("versions") or {}}) for wf in runs]
    specs = [{**spec, **version} for spec, version in zip(specs, versions, strict=True)]
    for spec in specs:
        spec["bars.fingerprint"] = spec.get("bars.fingerprint", "–")[:_PRINT]
    rows = []
    for key in dict.fromkeys(key for spec in specs for key in spec):
        values = [spec.get(key, "–") for spec in specs]
        rows.append({"setting": key, "differs": len(set(values)) > 1, **dict(zip(names, values, strict=True))})
    return pl.DataFrame(rows).sort("differs", descending=True, maintain_order=True)


def _notes(runs: Sequence[WalkForward], apart: bool, common: bool) -> tuple[str, ...]:
    def several(key: Any) -> bool:
        return len({json.dumps(key(wf), sort_keys=True, default=str) for wf in runs}) > 1

    notes = []
    if several(lambda wf: wf.spec.bars.fingerprint):
        notes.append("The runs are on different bars: their figures are of different markets or stretches.")
    if apart:
        notes.append("The runs tested stretches that do not overlap.")
    if several(lambda wf: wf.spec.periods_per_year):
        notes.append("The runs count different numbers of bars per year: annual figures are on different scales.")
    if several(lambda wf: asdict(wf.spec.costs)):
        notes.append("The runs pay different costs.")
    if common:
        notes.append("Curves show the stretch that all runs tested; the metrics are of each run's own.")
    bad = [wf for wf in runs if len(failed(wf.folds))]
    notes += [f"{wf.spec.strategy} {wf.id[:6]}: {len(failed(wf.folds))} of {len(wf.folds)} folds failed." for wf in bad]
    return tuple(notes)
