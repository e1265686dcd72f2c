"""The result of a walk-forward: its tables, its figures, and how it is loaded from disk."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro._core.hooks import hook
from maestro.bars import Bars
from maestro.errors import RunError
from maestro.metrics import NO_LOSS, efficiency, holding_metrics, mean_annual_return
from maestro.runs import RunSpec, RunStore, find
from maestro.runs.store import spec_of
from maestro.search.studies import write_studies
from maestro.search.trials import EVALUATED
from maestro.walkforward.notes import failures_note, undefined_note
from maestro.walkforward.plan import Plan
from maestro.walkforward.tables import stitched_metrics


def in_sample_return(folds: pl.DataFrame) -> float:
    """Compound annual return of the chosen parameters over the training windows of the folds with a result."""
    done = folds.filter(pl.col("oos_total_return").is_not_null())
    length = (done["train_end"] - done["train_start"]).dt.total_seconds().to_numpy()
    return mean_annual_return(done["is_annual_return"].to_numpy(), np.maximum(length, 1.0))


class WalkForward:
    """Result of a walk-forward; the same object live and reloaded from disk.

    Attributes
    ----------
    id : str
        Hash of what determines the result.
    folds : polars frame
        fold, train_start, train_end, test_start, test_end (stamps of first and last bars), the chosen parameters,
        ``is_`` and ``oos_`` metrics (null in a fold that failed), error.
    trials : polars frame
        fold, trial, state (complete, infeasible, undefined, failed), chosen, error, parameters, metrics.
    equity : polars frame
        The folds' out-of-sample returns chained: timestamp, fold, equity, return, drawdown, position, close,
        benchmark (equity of buying and holding over the tested bars).
    trades : polars frame
        Out-of-sample trades: fold, then as in `Backtest.trades`.
    metrics : dict of float
        Metrics of the stitched out-of-sample returns.
    spec : RunSpec
        Specification of the run: ``wf.spec.bars.name``, ``wf.spec.trials``, ``wf.spec.costs.fee``, …
    manifest : dict
        The manifest of the run, as it is on disk.
    bars, plan : Bars and Plan, or None
        Bars and plan while the run is live; None if it was loaded from disk.
    """

    def __init__(self, manifest: dict[str, Any], tables: dict[str, pl.DataFrame], folder: Path | None = None) -> None:
        self.manifest = manifest
        self.spec: RunSpec = spec_of(manifest)
        self.id: str = manifest["id"]
        self.folds, self.trials = tables["folds"], tables["trials"]
        self.equity, self.trades = tables["equity"], tables["trades"]
        self.folder = folder
        self.bars: Bars | None = None
        self.plan: Plan | None = None
        self._verdict: Any = None

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Metrics of the stitched out-of-sample returns; NaN if no fold has a result."""
        spec = self.spec
        return stitched_metrics(self.equity, self.folds, self.trades, spec.cash, spec.periods_per_year)

    @cached_property
    def benchmark(self) -> dict[str, float]:
        """Metrics of buy and hold over the tested bars, without costs; NaN if no fold has a result."""
        spec = self.spec
        return holding_metrics(self.equity["benchmark"], spec.cash, periods_per_year=spec.periods_per_year)

    @cached_property
    def in_sample_annual_return(self) -> float:
        """Compound annual return of the chosen parameters over the training windows of the folds with a result."""
        return in_sample_return(self.folds)

    @property
    def calendar(self) -> str:
        """When the market trades and how many bars it has per year, in words; empty in older runs."""
        return str(self.manifest.get("calendar", {}).get("text", ""))

    @property
    def efficiency(self) -> float:
        """`metrics.efficiency`: annual return out of sample / in sample.

        NaN if the latter is not above 0, or if the account was ruined out of sample.
        """
        return efficiency(self.metrics["annual_return"], self.in_sample_annual_return)

    @property
    def failed_folds(self) -> pl.DataFrame:
        """Rows of the folds that have an error."""
        return self.folds.filter(pl.col("error").is_not_null())

    @property
    def verdict(self) -> Any:
        """The verdict of `ms.verdict` on this run, now or earlier, or a preliminary one.

        A preliminary verdict (`preliminary`) has only the checks that need neither bars nor a simulation. It takes
        milliseconds.

        Raises
        ------
        RunError
            ``verdict.json`` in the run's folder is damaged, of another run, or of another version.
        """
        if self._verdict is None and self.folder is not None:
            self._verdict = hook("read_verdict")(self.folder, self.id)
        return self._preliminary if self._verdict is None else self._verdict

    @verdict.setter
    def verdict(self, made: Any) -> None:
        self._verdict = made

    @cached_property
    def _preliminary(self) -> Any:
        return hook("preliminary_verdict")(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the interpretation of the numbers."""
        notes = [*self.manifest.get("notes", []), *_trials_notes(self.trials, self.spec.selection.metrics[0])]
        failed = len(self.failed_folds)
        if failed:
            which = "every fold" if failed == len(self.folds) else f"{failed} of {len(self.folds)} folds"
            notes.append(f"{which} failed; their errors are in the table of folds, and they count in no figure.")
        if self.metrics["num_trades"] > 0 and math.isnan(self.metrics["profit_factor"]):
            notes.append(NO_LOSS)
        return tuple(notes)

    def report(
        self, path: str | Path | None = None, *, tearsheet: bool = False, decision: Any = False,
        bars: Bars | None = None, strategy: Any = None,
    ) -> Path:  # fmt: skip
        """Write the report, one HTML file that needs no network; returns its path.

        Parameters
        ----------
        path : str or Path, optional
            By default ``report.html`` in the run's folder, or ``maestro-<id>.html`` here if the run has none.
        tearsheet : bool
            Also write a QuantStats tear sheet next to it (``pip install "maestro-research[report]"``).
        decision : bool or maestro.decision.Decision
            Also compute current parameters, regimes, random entries, fixed parameters and cross-validation paths.
        bars, strategy : optional
            For these: the run's bars if they cannot be loaded, and the class of a user-defined strategy.
        """
        if path is None:
            path = self.folder / "report.html" if self.folder else Path(f"maestro-{self.id}.html")
        written: Path = hook("write_report")(
            self, path, tearsheet=tearsheet, decision=decision, bars=bars, strategy=strategy
        )
        return written

    def export(self, path: str | Path, *, form: str | None = None) -> Path:
        """Write all tables for other programs: ``run.xlsx``, or a folder ``run.csv`` or ``run.parquet``.

        `form` overrides the extension of the path. See `maestro.reports.export_run`.
        """
        written: Path = hook("export_run")(self, path, form=form)
        return written

    def by_regime(self, model: Any = None, **options: Any) -> pl.DataFrame:
        """Performance per regime, in and out of sample (see `maestro.validation.by_regime`)."""
        table: pl.DataFrame = hook("by_regime")(self, model, **options)
        return table

    def now(self, bars: Bars | None = None, *, strategy: Any = None) -> Any:
        """Current parameters: the same search on the most recent training window (see `maestro.decision.now`)."""
        return hook("now")(self, bars, strategy=strategy)

    def signal(self, bars: Bars | None = None, chosen: Any = None, *, strategy: Any = None) -> Any:
        """Orders for the next bar with the current parameters (see `maestro.decision.signal`)."""
        return hook("signal")(self, bars, chosen, strategy=strategy)

    def to_optuna(self, path: str | Path) -> list[str]:
        """Write the searches as Optuna studies, one per fold, for optuna-dashboard; returns their names.

        `path` is a journal file, or ``sqlite:///FILE``. Other studies in it stay; those of this run are
        replaced. The value of a trial is the score that was maximised.
        """
        chosen, space = self.spec.selection, self.spec.to_dict()["space"]
        weighted = chosen.kind == "weighted"
        score = dict(zip(chosen.metrics, chosen.weights, strict=True)) if weighted else chosen.metrics[0]
        return write_studies(path, self.trials, space, score=score, name=self.id, attrs={"run": self.id})

    def to_v1(self) -> dict[str, Any]:
        """Return the out-of-sample result in the 2020 system's schema of a backtest, with the folds."""
        from maestro.walkforward.v1_schema import document

        return document(self)

    def __repr__(self) -> str:
        m = self.metrics
        failed = len(self.failed_folds)
        return (
            f"WalkForward({self.spec.title}: {len(self.folds)} folds"
            f"{f', {failed} FAILED' if failed else ''}, {len(self.trials):,} trials; out of sample "
            f"total_return={m['total_return']:.2%}, sharpe_ratio={m['sharpe_ratio']:.3f}, "
            f"max_drawdown={m['max_drawdown']:.2%}; efficiency={self.efficiency:.2f}; {self._judged()}; id {self.id})"
        )

    def _judged(self) -> str:
        try:
            found = self.verdict
        except RunError:
            return "verdict unreadable"
        return f"verdict: {found.conclusion}{' (preliminary)' if found.preliminary else ''}"

    def _repr_html_(self) -> str:
        return str(hook("summary_html")(self))


def _trials_notes(trials: pl.DataFrame, score: str) -> list[str]:
    """Notes on trials that failed, have no score, or whose warm-up did not fit into the training window."""
    asked = trials.filter((pl.col("state") != "infeasible") | pl.col("error").is_not_null())
    failed = asked.with_columns(pl.when(pl.col("state").is_in(["failed", "infeasible"])).then(pl.col("error")))
    notes = failures_note(failed["error"], len(asked), "trials")
    without = undefined_note(trials["state"], score)
    if not notes:
        return without
    left = asked.group_by("fold").agg(pl.col("state").is_in(EVALUATED).sum().alias("left")).sort("left", "fold")
    fold, count = left.row(0)
    return [f"{notes[0]} (fewest trials left: {count:,} in fold {fold})", *without]


def load_run(id_or_path: str | Path, runs_dir: str | Path = "runs") -> WalkForward:
    """Load a finished run by its id, an unambiguous beginning of it, or its folder.

    Raises
    ------
    RunError
        The run is missing, unfinished, or damaged; the message names the file and the remedy.
    """
    return load_stored(find(id_or_path, runs_dir))


def load_stored(store: RunStore) -> WalkForward:
    """Load the finished run of a store."""
    tables = store.tables()
    return WalkForward(store.manifest(), tables, store.folder)
