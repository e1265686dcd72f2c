"""The visitor's jobs on the service: state and progress, each with a link to open it and a button to cancel it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

import panel as pn

from maestro._core import formatting as formats
from maestro._core.json import as_text
from maestro.apps.shared.delivery import delivery, repeat
from maestro.apps.shared.latest import Latest
from maestro.apps.shared.page import BUTTON_STYLE, HtmlPane, Message
from maestro.apps.shared.service import service, visitors_login
from maestro.apps.shared.state import TRADE, named_in_link
from maestro.apps.walk_forward.state import WalkForwardState

JOBS = 10
"""Jobs that are listed, the newest first."""
_EVERY = 2_000
"""Milliseconds between two looks at the jobs."""
_SEARCH = ("splitter", "search", "trials", "select", "space", "seed")
_NOT_IN_THE_APP = ("resample", "periods_per_year", "warm_start", "accept_defects")
_STYLE = """
.job { display: grid; grid-template-columns: minmax(180px, 2fr) 90px minmax(150px, 1fr) 150px 60px; gap: 10px;
  align-items: center; font-size: 13px; font-variant-numeric: tabular-nums; min-height: 34px; }
.job progress { width: 80px; margin-right: 6px; } .job small { opacity: .75; display: block; }
.job .failed { font-weight: 600; box-shadow: inset 3px 0 #cc4e00; padding-left: 8px; }
@media (max-width: 800px) { .job { display: flex; flex-wrap: wrap; gap: 2px 12px; padding: 6px 0; }
  .job > :first-child { flex: 1 0 100%; } }
"""


class Jobs(pn.viewable.Viewer):
    """Jobs of the visitor, or of whoever started the apps where nobody logs in.

    Parameters
    ----------
    served : names of apps
        Those that a job can be opened in.
    """

    def __init__(self, served: Collection[str]) -> None:
        super().__init__()
        self.served, self._login = served, visitors_login()
        self.rows, self.message = pn.Column(sizing_mode="stretch_width"), Message()
        self._shown: dict[str, tuple[HtmlPane, Any]] = {}
        self._listed: list[str] | None = None
        self._asking = False
        deliver = delivery()
        self._latest = Latest(deliver)
        if deliver is None:
            self.refresh()
        else:
            deliver(self.refresh)
            repeat(self.refresh, _EVERY)
            pn.state.on_session_destroyed(lambda *_: self._latest.stop())

    def refresh(self, cancel: str = "") -> None:
        """Ask the service for the jobs, on a page in a thread; `cancel` is the id of a job that is cancelled before."""
        if self._asking and not cancel:
            return
        self._asking = True

        def steps(_: threading.Event) -> Iterator[list[dict[str, Any]]]:
            with service(self._login, patience=0.0) as client:
                if cancel:
                    client.job(cancel).cancel()
                yield [job.document for job in client.jobs(limit=JOBS)]

        self._latest.ask(steps, self._show, self._ended)

    def _ended(self, error: Exception | None) -> None:
        self._asking = False
        self.message.say("" if error is None else str(error))

    def _show(self, jobs: list[dict[str, Any]]) -> None:
        """Update the rows that are there; a row is built once for each job."""
        for job in jobs:
            if job["id"] not in self._shown:
                self._shown[job["id"]] = self._row(job["id"])
            text, button = self._shown[job["id"]]
            text.object = self._html(job)
            button.visible = job["state"] in ("queued", "running")
        listed = [job["id"] for job in jobs]
        if listed != self._listed:
            self._listed = listed
            none = HtmlPane("<p>No job yet. Start one in the Walk-forward app, or with maestro.client.</p>")
            rows: list[Any] = [pn.Row(*self._shown[one], sizing_mode="stretch_width") for one in listed]
            self.rows[:] = rows or [none]

    def _row(self, ident: str) -> tuple[HtmlPane, Any]:
        import panel_material_ui as pmui

        button = pmui.Button(label="Cancel", variant="outlined", size="small", width=90, margin=(2, 0))
        button.on_click(lambda *_: self.refresh(ident))
        return HtmlPane("", stylesheets=[_STYLE, BUTTON_STYLE], sizing_mode="stretch_width", margin=(0, 10)), button

    def _html(self, job: Mapping[str, Any]) -> str:
        title = escape(job["name"] or f"{job['strategy']} on {job['symbol']}")
        what = "backtest" if job["kind"] == "backtest" else formats.plural(job["folds"], "fold")
        state = f"<span class='{escape(job['state'])}'>{escape(job['state'])}</span>"
        shown = ""
        if job["error"]:
            shown = f"<span title='{escape(job['error'])}'>{escape(job['error'][:60])}</span>"
        elif job["state"] in ("queued", "running"):
            shown = f"<progress value='{job['done']}' max='{job['total']}' aria-label='{title}'></progress>"
            shown += f"{job['done']:,} of {job['total']:,}"
        elif job["sharpe_ratio"] is not None and job["kind"] != "backtest":
            shown = f"Sharpe ratio {formats.number(job['sharpe_ratio'])}"
        link = link_of(job, self.served)
        button = f"<a class='button' href='{escape(link)}' aria-label='Open {title}'>Open</a>" if link else ""
        created = escape((job["created"] or "")[:16].replace("T", " "))
        return (
            f"<div class='job'><span>{title}<small>{escape(job['spec']['data'])}, {what}</small></span>{state}"
            f"<span>{shown}</span><span>{created} UTC</span><span>{button}</span></div>"
        )

    def __panel__(self) -> Any:
        return pn.Column(self.message, self.rows, sizing_mode="stretch_width")


def link_of(job: Mapping[str, Any], served: Collection[str]) -> str:
    """Address of the app that shows what a job makes; empty if it failed, or no app has all of its settings."""
    spec, kind = job["spec"], job["kind"]
    app = "backtest" if kind == "backtest" else "walk_forward"
    if app not in served or job["state"] in ("failed", "cancelled") or spec.get("engine", "fast") != "fast":
        return ""
    if any(spec.get(name) for name in _NOT_IN_THE_APP):
        return ""
    names = TRADE if app == "backtest" else (*TRADE, *_SEARCH)
    usual = WalkForwardState.param  # of the same settings as the Backtest app's, and those of the search
    there = {name: spec[name] for name in names if spec[name] is not None}
    given = named_in_link(there, {name: usual[name].default for name in names})
    if isinstance(given.get("select"), list):
        given["select"] = ",".join(given["select"])
    elif not isinstance(given.get("select", ""), str):
        return ""
    return f"./{app}?{urlencode({'data': spec['data'], **{name: as_text(one) for name, one in given.items()}})}"
