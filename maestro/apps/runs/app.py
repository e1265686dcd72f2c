"""The Runs app: filters at the left, the runs of a folder, several of them side by side."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, ClassVar

import panel as pn
import polars as pl

from maestro.apps.notebook import in_cell
from maestro.apps.runs.session import RunsSession
from maestro.apps.runs.state import RunsState
from maestro.apps.runs.view import RunsView
from maestro.apps.shared.delivery import repeat, served_document
from maestro.apps.shared.freeze import Freeze
from maestro.apps.shared.page import HtmlPane, page
from maestro.bars import Bars
from maestro.errors import MaestroError

MOST = 24
"""Runs that are compared at once."""
_STATUS = {"all": "", "done": "done", "running": "running", "interrupted": "interrupted", "broken": "broken"}
EVERY = 5_000
"""Milliseconds between two looks at the folder while the page is open."""


class App(pn.viewable.Viewer):
    """State, session and view of one visitor."""

    State: ClassVar = RunsState

    def __init__(self, bars: Bars | None = None, *, query: Mapping[str, str] | None = None, **settings: Any) -> None:
        super().__init__()
        self.state = self.State(**settings)
        problems = self.state.read(query or {})
        self.session = RunsSession(self.state.runs_dir)
        self.view = RunsView(Freeze(self.state))
        self._filters = self._make_filters()
        self._busy = False
        self._ids: list[str] = []
        self._rules: list[str] | None = None  # strategies of the runs in the folder
        self._report: str | None = None
        self._doomed: list[str] = []  # what the dialog names
        self._about = ""  # the run whose tags and note are shown
        view = self.view
        view.list.param.watch(self._ticked, "selection")
        view.list.on_click(self._clicked)
        view.refresh.on_click(lambda _: self.refresh())
        view.report.on_click(lambda _: self._open_report())
        view.remove.on_click(lambda _: self._ask())
        view.pin.on_click(lambda _: self._pin())
        view.tags.param.watch(lambda event: self._annotate("tags", event.new), "value")
        view.note.param.watch(lambda event: self._annotate("note", event.new), "value")
        view.keep.on_click(lambda _: setattr(view.dialog, "open", False))
        view.sure.on_click(lambda _: self._remove())
        view.excel.callback = self._workbooks
        self.state.param.watch(self._filtered, ["text", "strategy", "status", "runs_dir"])
        self.state.param.watch(self._compare, ["runs", "common_stretch", "log_scale"])
        self.refresh()
        self._compare()
        if self._rules is not None and self.state.strategy not in ("", *self._rules):
            known = ", ".join(self._rules) or "none"
            problems.append(f"{self.state.runs_dir} has no run of {self.state.strategy!r}; there are runs of: {known}")
        if problems:
            self._say("; ".join(problems))
        if served_document() is not None:
            repeat(self._look, EVERY)

    def settings(self) -> dict[str, Any]:
        """Return what reproduces the screen."""
        return self.state.settings()

    def _make_filters(self) -> list[Any]:
        import panel_material_ui as pmui

        wide: dict[str, Any] = {"sizing_mode": "stretch_width"}
        state = self.state
        self.strategy = pmui.Select(label="Strategy", options={"all": ""}, value="", **wide)
        self.strategy.param.watch(lambda event: setattr(state, "strategy", event.new), "value")
        return [
            pmui.TextInput.from_param(state.param.text, label="Find", placeholder="id, strategy, series, date", **wide),
            self.strategy,
            pmui.Select.from_param(state.param.status, label="Status", options=_STATUS, **wide),
            pmui.Switch.from_param(state.param.common_stretch, label="common stretch only", margin=(6, 10)),
            pmui.Switch.from_param(state.param.log_scale, label="logarithmic growth", margin=(6, 10)),
            HtmlPane(f"<small>Folder of the runs: <code>{_escaped(state.runs_dir)}</code></small>"),
        ]  # fmt: skip

    # -- list -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the folder again and show what the filters leave."""
        state = self.state
        try:
            everything = self.session.listing()
            table = self.session.filtered(state.text, state.strategy, state.status)
        except (OSError, MaestroError) as error:
            self._say(f"{state.runs_dir} cannot be listed: {error}")
            return
        self._busy = True
        try:
            self._rules = sorted({name for name in everything["strategy"].to_list() if name})
            rules = sorted({*self._rules, state.strategy} - {""})
            self.strategy.param.update(options={"all": "", **{name: name for name in rules}}, value=state.strategy)
            mark = pl.when(pl.col("pinned")).then(pl.lit("\N{BLACK STAR}")).otherwise(pl.lit(""))
            drawn = table.join(self.session.curves(table), on="id", how="left", maintain_order="left")
            self.view.show_list(drawn.with_columns(mark.alias("pin")), len(everything), state.runs)
        finally:
            self._busy = False
        self._ids = everything["id"].to_list()
        self._table = everything
        self._allow()

    def _look(self) -> None:
        """Refresh where the folder has changed."""
        before = getattr(self, "_table", None)
        if before is None or not self.session.listing().equals(before):
            self.refresh()

    def _filtered(self, *events: Any) -> None:
        if any(event.name == "runs_dir" for event in events):
            self.session = RunsSession(self.state.runs_dir)
        self.refresh()

    def _ticked(self, *_: Any) -> None:
        """Take what is ticked; runs that the filters hide stay chosen."""
        if self._busy:
            return
        ticked = self.view.ticked()
        listed = set(self.view.list.value["id"])
        kept = [one for one in self.state.runs if one in ticked or one not in listed]
        self.state.runs = kept + [one for one in ticked if one not in kept]

    def _status(self, run: str) -> str:
        rows = self._table.filter(self._table["id"] == run)["status"].to_list()
        return rows[0] if rows else "gone"

    def _words(self) -> dict[str, str]:
        rows = self._table.filter(self._table["id"].is_in(self.state.runs)).iter_rows(named=True)
        return {row["id"]: f"{row['strategy'] or ''} {row['bars'] or ''} ({row['status']})".strip() for row in rows}

    def _allow(self) -> None:
        there = [run for run in self.state.runs if run in self._ids]
        done = [run for run in there if self._status(run) == "done"]
        visible, pinned = self._visible(), set(self._table.filter("pinned")["id"])
        pin = not all(run in pinned for run in visible) if visible else None
        self.view.allow(report=len(done) == len(there) == 1, excel=len(done), remove=len(visible), pin=pin)
        self._describe(visible[0] if len(visible) == 1 else "")
        name = f"maestro-{done[0]}.xlsx" if len(done) == 1 else "maestro-runs.zip"
        self.view.excel.filename = name
        self._lead(there)

    def _lead(self, chosen: list[str]) -> None:
        """Lead to the Walk-forward app with the run that is chosen alone."""
        status = self._status(chosen[0]) if len(chosen) == 1 else ""
        if status not in ("done", "interrupted"):
            self.view.lead("", "")
            return
        try:
            address = self.session.link(chosen[0], resume=status == "interrupted")
        except (MaestroError, OSError) as error:
            self.view.lead("", "", str(error))
        else:
            self.view.lead(address, "Open" if status == "done" else "Resume")

    def _describe(self, run: str) -> None:
        """Show tags and note of the one run that is chosen."""
        row = self._table.filter(pl.col("id") == run).row(0, named=True) if run else {}
        self._about = ""  # what is shown now is not written back
        self.view.tags.value, self.view.note.value = row.get("tags") or "", row.get("note") or ""
        self.view.about.visible, self._about = bool(run), run

    def _annotate(self, name: str, text: str) -> None:
        """Write tags or the note of the run that is described."""
        if not self._about:
            return
        row = self._table.filter(pl.col("id") == self._about).row(0, named=True)
        if text == (row[name] or ""):
            return
        changes: dict[str, Any] = {"note": text}
        if name == "tags":
            wanted = [one.strip() for one in text.split(",") if one.strip()]
            before = (row["tags"] or "").split(", ")
            changes = {"add": wanted, "remove": [one for one in before if one not in wanted]}
        self._change([self._about], **changes)

    def _pin(self) -> None:
        """Pin the chosen runs of the list, or unpin them if all of them are pinned."""
        self._change(self._visible(), pinned=self.view.pin.label == "Pin")

    def _change(self, runs: list[str], **changes: Any) -> None:
        refused = self.session.annotate(runs, **changes)
        self.refresh()
        self._say(" ".join(refused.values()))

    def _clicked(self, event: Any) -> None:
        """A click on a row, outside of its box, chooses that run alone."""
        self.state.runs = [str(self.view.list.value["id"].iloc[event.row])]
        self.refresh()

    # -- chosen runs ------------------------------------------------------------------------

    def _compare(self, *_: Any) -> None:
        """Show the chosen runs side by side; the message names one that is broken, and the others are shown."""
        state, problems, good = self.state, [], []
        if hasattr(self, "_table"):  # Back may have restored other runs than those that are ticked
            self._busy = True
            self.view.tick(state.runs)
            self._busy = False
        for run in state.runs[:MOST]:
            try:
                self.session.load(run)
                good.append(run)
            except MaestroError as error:
                problems.append(str(error))
        if len(state.runs) > MOST:
            problems.append(
                f"{len(state.runs)} runs are chosen, and {MOST} at most are compared: the first {MOST} are."
            )
        comparison = None
        try:
            comparison = self.session.compare(good, common=state.common_stretch) if good else None
        except MaestroError as error:
            problems.append(str(error))
        self.view.show_comparison(comparison, log=state.log_scale)
        self._say(" ".join(problems))
        if hasattr(self, "_table"):
            self._allow()

    def _say(self, text: str) -> None:
        self.view.message.say(text)

    def _open_report(self) -> None:
        self._report = self.state.runs[0]
        try:
            text = self.session.report(self._report)
        except (MaestroError, OSError) as error:
            self._say(str(error))
            return
        self.view.opened.put(text, self._report)

    def _workbooks(self) -> io.BytesIO:
        """One run as a workbook, several as workbooks in one zip."""
        done = [run for run in self.state.runs if run in self._ids and self._status(run) == "done"]
        if len(done) == 1:
            return io.BytesIO(self.session.workbook(done[0]))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for run in done:
                archive.writestr(f"maestro-{run}.xlsx", self.session.workbook(run))
        buffer.seek(0)
        return buffer

    def _visible(self) -> list[str]:
        """Chosen runs that the filters do not hide."""
        listed = set(self.view.list.value["id"])
        return [run for run in self.state.runs if run in listed]

    def _ask(self) -> None:
        """Ask before the chosen runs of the list are deleted; hidden ones are not."""
        self._doomed = self._visible()
        hidden = len([run for run in self.state.runs if run in self._ids]) - len(self._doomed)
        self.view.ask(self._doomed, self._words(), hidden)

    def _remove(self) -> None:
        """Delete what was confirmed, and say what could not be."""
        self.view.dialog.open = False
        there, self._doomed = self._doomed, []
        refused = self.session.remove(there)
        if self._report in there and self._report not in refused:
            self.view.opened.put("", "")
        self.state.runs = [run for run in self.state.runs if run not in there or run in refused]
        self.refresh()
        self._say(" ".join(refused.values()))

    def page(self) -> Any:
        """Page of a served app."""
        return page("runs", self._filters, [self.view], self.state)

    def __panel__(self) -> Any:
        return in_cell(self._filters, self.view)


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
