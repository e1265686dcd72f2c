"""The finished folds of a run that is still in progress: their equity and their table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import panel as pn

from maestro._core import formatting as formats
from maestro.apps.shared.page import HtmlPane, card
from maestro.apps.shared.table import Table
from maestro.apps.shared.theming import themed
from maestro.apps.walk_forward.tables import appearance, fold_table
from maestro.errors import MaestroError
from maestro.runs import RunStore
from maestro.runs.folds import UnusableFold
from maestro.walkforward.result import WalkForward
from maestro.walkforward.tables import FoldTables, assemble

_EVERY = 1.0
"""Seconds between two drawings at least."""


class FinishedFolds(pn.viewable.Viewer):
    """Reads the folds of a run from its folder as they are finished; hidden until there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.headline = HtmlPane("", sizing_mode="stretch_width")
        self.equity = pn.pane.Bokeh(sizing_mode="stretch_width")
        self.table = Table(pagination="remote", page_size=8, configuration={"rowHeight": 28})
        self.card = card("Finished folds", self.headline, self.equity, self.table, visible=False)
        self.dark = False
        self._folder: Path | None = None
        self._kept: dict[int, FoldTables] = {}
        self._drawn, self._when = 0, 0.0

    def look(self, folder: Path, folds: int) -> None:
        """Read what was finished since the last look, and draw it."""
        if folder != self._folder:
            self.clear()
            self._folder = folder
        store = RunStore(folder)
        for fold in store.finished_folds():
            if fold not in self._kept:
                try:
                    self._kept[fold] = store.read_fold(fold)
                except UnusableFold:  # the run computes it again
                    continue
        now = time.monotonic()
        if len(self._kept) > self._drawn and now - self._when >= _EVERY:
            self._draw(store, folds)
            self._when = now

    def _draw(self, store: RunStore, folds: int) -> None:
        from maestro import reports

        try:
            manifest = store.manifest()
        except MaestroError:  # the run has this moment been finished or removed; its page says which
            return
        kept = [self._kept[fold] for fold in sorted(self._kept)]
        wf = WalkForward(manifest, assemble(kept, float(manifest["spec"]["cash"])))
        self._drawn = len(kept)
        failed = f", {len(wf.failed_folds)} of them failed" if len(wf.failed_folds) else ""
        missing = [fold for fold in range(max(self._kept)) if fold not in self._kept]
        names = f"fold{'s' if len(missing) > 1 else ''} {formats.listed([str(fold) for fold in missing])}"
        gap = f" Not finished yet: {names}." if missing else ""
        with pn.io.hold():
            self.headline.object = (
                f"<p>{len(kept)} of {folds} folds{failed}; return out of sample so far "
                f"{formats.percent(wf.metrics['total_return'], sign=True)}, Sharpe ratio "
                f"{formats.number(wf.metrics['sharpe_ratio'])}.{gap}</p>"
            )
            self.equity.object = themed(reports.equity_figure(wf, height=240), self.dark) if len(wf.equity) else None
            table = fold_table(wf)
            self.table.fill(table, **appearance(table, wf))
            self.card.visible = True

    def clear(self) -> None:
        """Hide the card and forget the folds."""
        self._folder, self._kept, self._drawn, self._when = None, {}, 0, 0.0
        self.card.visible = False

    def theme(self, dark: bool) -> None:
        """Use the page's theme from the next drawing on."""
        self.dark, self._drawn = dark, 0

    def __panel__(self) -> Any:
        return self.card
