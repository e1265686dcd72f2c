"""The visitor's jobs on the home page: state, progress, a link that opens them, and a button that cancels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

import maestro as ms
from maestro.apps.home.app import App
from maestro.apps.home.jobs import Jobs, link_of
from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.client import Client
from tests.service.conftest import SMALL
from tests.service.web.conftest import Site, listening

APPS = ("backtest", "walk_forward")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with listening(tmp_path / "service") as found:
        monkeypatch.setenv("MAESTRO_SERVICE_URL", found.url)
        yield found


def text(page: Jobs) -> str:
    return "\n".join(str(row[0].object if hasattr(row, "objects") else row.object) for row in page.rows)


def test_jobs_are_listed_followed_and_cancelled(site: Site) -> None:
    page = Jobs(APPS)
    assert "No job yet" in text(page)
    with Client() as client:
        job = client.submit(SMALL["data"], SMALL["strategy"], trials=8, splitter="rolling:4,2,1", name="<b>first</b>")
        other = client.submit(SMALL["data"], SMALL["strategy"], trials=9, splitter="rolling:4,2,1")
    page.refresh()
    assert "&lt;b&gt;first&lt;/b&gt;" in text(page)
    assert "EmaCrossStrategy on AAPL" in text(page)
    assert "<progress value='0' max='24'" in text(page)
    button = page._shown[other.id][1]
    assert button.visible
    button.clicks += 1
    assert site.service.queue.get(other.id).state == "cancelled"
    assert not button.visible
    site.work()
    row = page._shown[job.id][0]
    page.refresh()
    assert page._shown[job.id][0] is row, "a row is updated, not built again"
    assert "Sharpe ratio" in row.object
    assert page.message.text == ""


def test_the_link_opens_the_same_run(site: Site) -> None:
    with Client() as client:
        job = client.submit(
            "sample:IBM", "RSIStrategy", trials=5, splitter="rolling:4,2,1", params={"oversold": 25},
            space={"period": (5, 20)}, costs=ms.Costs(fee=0.002), start="2010", select=["vwr", "sharpe_ratio"], seed=3,
        )  # fmt: skip
        again = client.submit("sample:IBM", "RSIStrategy", kind="backtest", params={"period": 9})
        special = client.submit("sample:IBM", "RSIStrategy", trials=5, splitter="rolling:4,2,1", warm_start=True)
    link = link_of(job.document, APPS)
    app, _, query = link.partition("?")
    assert app == "./walk_forward"
    state = WalkForwardState()
    assert state.read(dict(parse_qsl(query))) == []
    assert Job(state, ms.load("sample:IBM", start="2010")).id == job.run
    app, _, query = link_of(again.document, APPS).partition("?")
    assert app == "./backtest"
    assert dict(parse_qsl(query)) == {"data": "sample:IBM", "strategy": "RSIStrategy", "params": '{"period": 9}'}
    assert link_of(special.document, APPS) == "", "the app has no such option"
    assert link_of(job.document, ("market",)) == ""


def test_the_home_page_has_the_card_where_there_is_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert App().jobs is None
    monkeypatch.setenv("MAESTRO_SERVICE_URL", "http://127.0.0.1:9")
    page: Any = App()
    assert page.jobs is not None
    assert "does not answer" in page.jobs.message.text
    assert re.findall("href='([^']+)'", unescape(text(page.jobs))) == []
