"""The home page: the apps, the visitor's jobs on a service, recent runs and the series there are, each with a link."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

import panel as pn

from maestro._core import formatting as formats
from maestro.apps.home.jobs import Jobs
from maestro.apps.runs.session import RunsSession
from maestro.apps.shared.page import APPS, HtmlPane, card, page
from maestro.apps.shared.series import listed
from maestro.apps.shared.service import is_configured
from maestro.bars import Bars
from maestro.config import load_settings
from maestro.errors import MaestroError

_PURPOSE = {
    "market": "Candles, volume and funding of a series, and every defect of its data.",
    "backtest": "A strategy with its parameters as sliders: trades, equity and metrics at once.",
    "walk_forward": "Optimise on training windows, test on the ones that follow, and get a verdict.",
    "many": "Every strategy on every series: what remains when all of them are considered.",
    "runs": "List, compare, open, export and delete runs.",
}
RUNS, SERIES = 10, 30
"""Runs and series that are listed."""
_STYLE = """
.apps { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 12px; }
.apps a { display: block; padding: 12px 14px; border: 1px solid rgba(128, 128, 128, .35); border-radius: 8px;
  color: inherit; text-decoration: none; }
.apps a:hover, .apps a:focus-visible { border-color: #0f7fbf; background: rgba(15, 127, 191, .08); }
.apps b { display: block; font-size: 16px; margin-bottom: 3px; } .apps span { font-size: 13px; }
.scroll { overflow-x: auto; }
table { width: 100%; max-width: 1200px; border-collapse: collapse; font-size: 13px;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid rgba(128, 128, 128, .2);
  white-space: nowrap; }
th { font-weight: 500; }
td.number, th.number { text-align: right; padding-right: 24px; }
@media (max-width: 700px) {
  .runs tr { display: grid; grid-template-columns: minmax(0, 1fr) 60px 76px; padding: 5px 0;
    border-bottom: 1px solid rgba(128, 128, 128, .2); }
  .runs td, .runs th { border: 0; padding: 1px 0; overflow: hidden; text-overflow: ellipsis; }
  .runs .strategy { grid-area: 1 / 1; } .runs .bars { grid-area: 2 / 1; opacity: .75; }
  .runs .run { grid-area: 2 / 2 / 3 / 4; text-align: right; }
  .runs .status, .runs .started { display: none; }
}
td a, p a { color: inherit; }
p { margin: 4px 0; font-size: 14px; }
"""


class App(pn.viewable.Viewer):
    """What is there to work with; read once, when the page is opened.

    Parameters
    ----------
    bars : Bars, optional
        Not used; every app is made alike.
    query : mapping, optional
        Not used.
    served : names of apps
        Those that the page links to.
    """

    def __init__(
        self, bars: Bars | None = None, *, query: Mapping[str, str] | None = None, served: Iterable[str] = APPS
    ) -> None:
        super().__init__()
        self.served = tuple(served)
        self.apps, self.runs, self.series = (
            HtmlPane(text, stylesheets=[_STYLE], sizing_mode="stretch_width", margin=(5, 0))
            for text in (self._apps(), self._runs(), self._series())
        )

        self.jobs = Jobs(self.served) if is_configured() else None

    def _apps(self) -> str:
        links = (
            f"<a href='./{name}'><b>{escape(APPS[name])}</b><span>{escape(_PURPOSE[name])}</span></a>"
            for name in self.served
        )
        return f"<div class='apps'>{''.join(links)}</div>"

    def _runs(self) -> str:
        folder = load_settings().runs_dir
        session = RunsSession(folder)
        try:
            found = session.listing()
        except (MaestroError, OSError) as error:
            return f"<p>{escape(str(error))}</p>"
        if not len(found):
            return (
                f"<p>There is no run in {escape(str(folder))}. Start one in the Walk-forward app, or with "
                "<code>maestro walk-forward EmaCrossStrategy --data sample:AAPL</code>.</p>"
            )
        rows = "".join(self._row(session, row) for row in found.head(RUNS).iter_rows(named=True))
        head = (
            "<th class='run'>Run</th><th class='strategy'>Strategy</th><th class='bars'>Bars</th>"
            "<th class='status'>Status</th><th class='number'>Sharpe</th><th class='number'>Return</th>"
            "<th class='started'>Started, UTC</th>"
        )
        left = len(found) - RUNS
        more = f"<p>{left:,} more {'is' if left == 1 else 'are'} in the Runs app.</p>" if left > 0 else ""
        table = f"<table class='runs'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<div class='scroll'>{table}</div>{more}"

    def _row(self, session: RunsSession, row: Mapping[str, Any]) -> str:
        done = row["status"] == "done"
        figures = [
            formats.number(row["sharpe_ratio"]) if done else "",
            formats.percent(row["total_return"], sign=True) if done else "",
        ]
        numbers = "".join(f"<td class='number'>{escape(one)}</td>" for one in figures)
        words = "".join(f"<td class='{name}'>{escape(row[name] or '')}</td>" for name in ("strategy", "bars"))
        words += f"<td class='status'>{escape(row['status'])}{self._resume(session, row)}</td>"
        name = f"<code>{escape(row['id'])}</code>"
        shown = _link("runs", name, runs=json.dumps([row["id"]])) if "runs" in self.served else name
        started = f"<td class='started'>{escape(row['started'] or '')}</td>"
        return f"<tr><td class='run'>{shown}</td>{words}{numbers}{started}</tr>"

    def _resume(self, session: RunsSession, row: Mapping[str, Any]) -> str:
        """Link that resumes an interrupted run; none where the Walk-forward app cannot, as the Runs app explains."""
        if row["status"] != "interrupted" or "walk_forward" not in self.served:
            return ""
        try:
            address = session.link(row["id"], resume=True)
        except (MaestroError, OSError):
            return ""
        return f" <a href='{escape(address)}'>Resume</a>"

    def _series(self) -> str:
        names, lacking = listed()
        rows = "".join(
            f"<tr><td>{escape(name)}</td>"
            + "".join(
                f"<td>{_link(app, escape(APPS[app]), data=name)}</td>"
                for app in ("market", "backtest", "walk_forward")
                if app in self.served
            )
            + "</tr>"
            for name in names[:SERIES]
        )
        more = f"<p>{len(names) - SERIES:,} more are in the lists of the apps.</p>" if len(names) > SERIES else ""
        why = f"<p>{escape(lacking)}</p>" if lacking else ""
        return f"{why}<div class='scroll'><table><tbody>{rows}</tbody></table></div>{more}"

    def settings(self) -> dict[str, Any]:
        """Return what reproduces the screen: nothing."""
        return {}

    def _cards(self) -> list[Any]:
        jobs = [] if self.jobs is None else [card("My jobs", self.jobs)]
        return [card("Apps", self.apps), *jobs, card("Recent runs", self.runs), card("Series", self.series)]

    def page(self) -> Any:
        """Page of a served app."""
        return page("home", [], self._cards())

    def __panel__(self) -> Any:
        return pn.Column(*self._cards(), sizing_mode="stretch_width")


def _link(app: str, text: str, **settings: str) -> str:
    return f"<a href='./{app}?{escape(urlencode(settings))}'>{text}</a>"
