"""The app of many walk-forwards: a result and filters at the left, what remains, a sortable table, small multiples."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from html import escape
from typing import Any, ClassVar

import panel as pn

from maestro.apps.many.session import ManySession, cell_of
from maestro.apps.many.state import ORDERS, ManyState
from maestro.apps.many.view import ManyView
from maestro.apps.notebook import in_cell
from maestro.apps.shared.command import command_of
from maestro.apps.shared.delivery import delivery, served_document
from maestro.apps.shared.freeze import Freeze
from maestro.apps.shared.page import HtmlPane, page
from maestro.bars import Bars
from maestro.errors import MaestroError
from maestro.reports.many.page import many_page
from maestro.walkforward.many import WalkForwards

_ONLY = {"all": "", "p below 5 %": "below", "remain when all are considered": "remaining", "failed": "failed"}
_CURVES = {"none": 0, "24": 24, "48": 48, "200": 200, "all": 1_000_000}


class App(pn.viewable.Viewer):
    """State, session and view of one visitor."""

    State: ClassVar = ManyState

    def __init__(self, bars: Bars | None = None, *, query: Mapping[str, str] | None = None, **settings: Any) -> None:
        super().__init__()
        self.state = self.State(**settings)
        problems = self.state.read(query or {})
        self.session = ManySession(self.state.runs_dir)
        self.view = ManyView(Freeze(self.state))
        self.many: WalkForwards | None = None
        self._asked = 0
        self._controls = self._make_controls()
        view = self.view
        view.refresh.on_click(lambda _: self.refresh())
        view.report.on_click(lambda _: self._open_report())
        view.list.param.watch(lambda _: self._allow(), "selection")
        view.save.callback = self._page
        self.state.param.watch(self._load, "result")
        self.state.param.watch(self._show, ["text", "strategy", "only", "order", "curves"])
        if served_document() is not None:
            pn.state.onload(self.refresh)  # the page is there at once, and its table is drawn when it is visible
        else:
            self.refresh()
        self.view.link_problem.say("; ".join(problems))

    def settings(self) -> dict[str, Any]:
        """Return what reproduces the screen."""
        return self.state.settings()

    def _make_controls(self) -> list[Any]:
        import panel_material_ui as pmui

        wide: dict[str, Any] = {"sizing_mode": "stretch_width"}
        state = self.state
        self.result = pmui.Select(label="Result", options={"none": ""}, value="", **wide)
        self.result.param.watch(lambda event: setattr(state, "result", event.new), "value")
        self.strategy = pmui.Select(label="Strategy", options={"all": ""}, value="", **wide)
        self.strategy.param.watch(lambda event: setattr(state, "strategy", event.new), "value")
        orders = {title: name for name, title in ORDERS.items()}
        counts = _CURVES if state.curves in _CURVES.values() else {**_CURVES, f"{state.curves:,}": state.curves}
        curves = pmui.Select(label="Curves", options=counts, value=state.curves, **wide)
        curves.param.watch(lambda event: setattr(state, "curves", event.new), "value")
        return [
            self.result,
            pmui.TextInput.from_param(state.param.text, label="Find", placeholder="symbol, strategy", **wide),
            self.strategy,
            pmui.Select.from_param(state.param.only, label="Rows", options=_ONLY, **wide),
            pmui.Select.from_param(state.param.order, label="Ordered by", options=orders, **wide),
            curves,
            HtmlPane(f"<small>Folder of the runs: <code>{escape(state.runs_dir)}</code></small>"),
        ]  # fmt: skip

    # -- result -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the list of results again, and load the one that is chosen, or the newest."""
        found = self.session.results()
        ids = list(found.values())
        chosen = self.state.result or (ids[0] if ids else "")
        options = found if chosen in ids or not chosen else {chosen: chosen, **found}
        if not options:
            folder = self.state.runs_dir
            options = {"data": "prices.parquet", "splitter": "calendar:6mo,2mo"}
            elsewhere = {} if folder == self.state.usual()["runs_dir"] else {"runs-dir": folder}
            make = command_of(["walk-forward-many", "all"], {**options, **elsewhere})
            self.view.message.say(f"No result of walk_forward_many is in {folder}. Make one: {make}", "info")
            options = {"none": ""}
        self.result.param.update(options=options, value=chosen)
        if chosen == self.state.result:
            self._load()
        else:
            self.state.result = chosen

    def _load(self, *_: Any) -> None:
        """Load what is chosen; on a served page in a thread, as a thousand runs take some seconds."""
        self._asked += 1
        number, result = self._asked, self.state.result
        if not result:
            return
        if self.result.value != result and result in self.result.options.values():
            self.result.value = result
        deliver = delivery()
        if deliver is None:
            self._take(number, *self._read(result))
            return
        self.view.message.say(f"Loading {result} …", "info")

        def work() -> None:
            found = self._read(result)
            deliver(lambda: self._take(number, *found))

        threading.Thread(target=work, daemon=True, name="maestro-many").start()

    def _read(self, result: str) -> tuple[WalkForwards | None, str]:
        try:
            return self.session.load(result), ""
        except (MaestroError, OSError) as error:
            return None, str(error)

    def _take(self, number: int, many: WalkForwards | None, problem: str) -> None:
        if number != self._asked:  # another one was chosen meanwhile
            return
        self.many = many
        self.view.message.say(problem)
        self.view.show_result(many)
        self.view.save.disabled = many is None
        if many is None:
            return
        self.view.save.filename = f"walk-forwards-{many.id}.html"
        rules = sorted({cell.strategy for cell in many.cells} | ({self.state.strategy} - {""}))
        self.strategy.param.update(options={"all": "", **{name: name for name in rules}}, value=self.state.strategy)
        self._show()

    def _show(self, *_: Any) -> None:
        if self.many is None:
            return
        state = self.state
        if state.strategy in self.strategy.options.values():  # Back may have restored another one
            self.strategy.value = state.strategy
        rows = self.session.rows(self.many, state.text, state.strategy, state.only, state.order)
        self.view.show_rows(self.many, rows, state.curves)
        self._allow()

    # -- one walk-forward -------------------------------------------------------------------

    def _allow(self) -> None:
        row = self.view.chosen()
        self.view.report.disabled = row is None or row["id"] is None

    def _open_report(self) -> None:
        row = self.view.chosen()
        if row is None or self.many is None:
            return
        try:
            self.view.opened.put(self.session.report(self.many, cell_of(row)), row["id"])
        except (MaestroError, OSError) as error:
            self.view.message.say(str(error))

    def _page(self) -> io.BytesIO:
        """The page of the whole result."""
        return io.BytesIO(many_page(self.many).encode() if self.many is not None else b"")

    def page(self) -> Any:
        """Page of a served app."""
        return page("many", self._controls, [self.view], self.state)

    def __panel__(self) -> Any:
        return in_cell(self._controls, self.view)
