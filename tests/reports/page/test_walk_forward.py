"""The report as a file: complete, self-contained, escaped, reproducible, written whole or not at all."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import polars as pl
import pytest

from maestro.errors import RunError
from maestro.reports import write_report
from maestro.reports.figures.theme import LIGHT
from maestro.reports.output import write_text
from maestro.reports.page.walk_forward import render
from tests.reports.pages import Page
from tests.reports.standin import StandIn, stand_in

SECTIONS = (
    "equity", "folds", "parameters", "trials", "scatter", "months", "trades", "costs", "quality",
    "provenance", "verdict",
)  # fmt: skip
FIGURES = ("equity", "scatter", "trials", "trades", "costs", *(f"parameter-{i}" for i in range(4)))


@pytest.fixture(scope="module")
def wf() -> StandIn:
    return stand_in(failed=(4,))


@pytest.fixture(scope="module")
def text(wf: StandIn) -> str:
    return render(wf)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_every_section_and_figure_has_its_place(page: Page) -> None:
    assert set(SECTIONS) <= set(page.ids)
    assert {f"fig-{name}" for name in FIGURES} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    anchors = {link[1:] for link in page.links if link.startswith("#")}
    assert anchors <= set(page.ids)


def test_every_figure_in_the_document_has_its_place(text: str, page: Page) -> None:
    items = json.loads(re.search(r'id="items">(.*?)</script>', text)[1])  # type: ignore[index]
    documents = json.loads(re.search(r'id="documents">(.*?)</script>', text)[1])  # type: ignore[index]
    assert set(items[0]["roots"].values()) == {i for i in page.ids if i.startswith("fig-")}
    assert [root["id"] for root in documents["report"]["roots"]] == items[0]["root_ids"]


def test_what_else_is_loaded_does_not_change_a_report(wf: StandIn) -> None:
    pytest.importorskip("panel")
    text = render(wf)
    documents = json.loads(re.search(r'id="documents">(.*?)</script>', text)[1])  # type: ignore[index]
    assert set(documents["report"]) == {"version", "title", "config", "roots"}


def test_nothing_is_fetched_from_elsewhere(page: Page) -> None:
    assert page.remote() == []
    assert not page.handlers


def test_the_parser_would_notice_a_fetch() -> None:
    for leak in (
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        "<style>@import 'https://cdn.example/x.css';</style>",
        '<p style="background: url(http://cdn.example/x.png)">',
        '<img src="x.png">',
    ):
        assert len(Page(leak).remote()) == 1, leak


def test_size_stays_readable(text: str) -> None:
    assert 1_000_000 < len(text.encode()) < 4_000_000


def test_many_folds_stay_small_and_all_listed() -> None:
    wf = stand_in(folds=110, bars=72, trials=60, trades_each=6)
    text = render(wf)
    assert len(text.encode()) < 4_000_000
    assert text.count('<td class="window"') == 2 * 110


def test_failed_folds_are_shown_with_their_error(page: Page) -> None:
    assert "Failed. StrategyError: signals of a wrong shape" in page.text
    assert "1 fold of 9 failed" in page.text
    assert "5 of 8" in page.text


def test_a_run_without_any_result_still_has_a_report() -> None:
    page = Page(render(stand_in(folds=3, failed=(0, 1, 2))))
    assert set(SECTIONS) <= set(page.ids)
    assert not [i for i in page.ids if i.startswith("fig-")]
    assert page.text.count("StrategyError: signals of a wrong shape") == 3
    assert "NaN" not in page.text
    assert "nan" not in page.text.split()


def test_a_run_without_trades_still_has_a_report(wf: StandIn) -> None:
    page = Page(render(wf.but(trades=wf.trades.clear())))
    assert "There was no trade out of sample." in page.text
    assert "fig-trades" not in page.ids


def test_text_from_outside_is_escaped() -> None:
    hostile = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)></section>$$x$$\\(y\\)"
    wf = stand_in(symbol=hostile, error=hostile, failed=(2,))
    spec = {
        **wf.spec.to_dict(),
        "strategy": hostile,
        "source": hostile,
        "splitter": {"kind": hostile, hostile: hostile},
    }
    space = {**wf.spec.to_dict()["space"]["search"], "exit": {"kind": "choice", "options": ["cross", "trail", hostile]}}
    manifest = {
        **wf.manifest, "command": hostile, "python": hostile, "versions": {"maestro": hostile, hostile: hostile},
        "quality": [{"check": hostile, "count": 1, hostile: hostile}],
    }  # fmt: skip
    renamed = {"band": hostile}
    wf = wf.but(
        spec={**spec, "space": {"fixed": {}, "search": {renamed.get(k, k): v for k, v in space.items()}}},
        manifest=manifest,
        notes=(hostile,),
        folds=wf.folds.rename(renamed),
        trials=wf.trials.rename(renamed).with_columns(error=pl.lit(hostile)),
        trades=wf.trades.with_columns(exit_reason=pl.lit(hostile), side=pl.lit(hostile)),
    )
    text = render(wf)
    page, calm = Page(text), Page(render(stand_in()))
    assert page.tags.count("script") == calm.tags.count("script")
    assert page.tags.count("section") == calm.tags.count("section")
    assert "img" not in page.tags
    assert not page.handlers
    assert page.remote() == []
    assert page.text.count("<script>alert(1)</script>") > 10  # shown as text, not run
    documents = re.search(r'id="documents">(.*?)</script>', text)[1]  # type: ignore[index]
    assert "<" not in documents
    assert "$$" not in documents


def test_the_same_run_gives_the_same_bytes(wf: StandIn, text: str) -> None:
    assert render(wf) == text


def test_frames_of_another_origin_give_the_same_bytes(wf: StandIn, text: str, tmp_path: Path) -> None:
    reloaded = {}
    for name in ("folds", "trials", "equity", "trades"):
        getattr(wf, name).write_parquet(tmp_path / name)
        reloaded[name] = pl.read_parquet(tmp_path / name)
    spec, manifest = (json.loads(json.dumps(x)) for x in (wf.spec.to_dict(), wf.manifest))
    assert render(wf.but(spec=spec, manifest=manifest, **reloaded)) == text


def test_report_is_written_whole(wf: StandIn, tmp_path: Path, text: str) -> None:
    path = write_report(wf, tmp_path / "deep" / "report.html")
    assert path.read_text("utf-8") == text
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_text(tmp_path / "report.html", "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"cannot write .*report\.html: No space left on device"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="choose a path"):
        write_text(tmp_path / "file" / "report.html", "text")


def test_provenance_has_what_reproduces_the_run(page: Page, wf: StandIn) -> None:
    shown = " ".join(page.text.split())
    for part in (wf.id, "ab12" * 16, "5f2c" * 16, "Seed 7".replace(" ", ""), "maestro 0.1.0", wf.manifest["command"]):
        assert part in shown or part in page.text.replace("\n", "").replace(" ", ""), part
    assert "wf = ms.walk_forward" in page.text
    assert "8,760 bars a year" in page.text


def test_data_quality_is_shown(page: Page, wf: StandIn) -> None:
    assert "the longest is 4 bars" in page.text
    bare = render(wf.but(manifest={k: v for k, v in wf.manifest.items() if k != "quality"}))
    assert "no record of the quality of its data" in bare
    assert "No anomaly was found" in render(wf.but(manifest={**wf.manifest, "quality": []}))


def test_the_cut_of_the_trades_is_stated(page: Page, wf: StandIn) -> None:
    assert f"The 25 largest of {len(wf.trades)} trades" in page.text
    largest = wf.trades.sort(pl.col("pnl").abs(), descending=True).head(25)
    share = largest["pnl"].abs().sum() / wf.trades["pnl"].abs().sum()  # type: ignore[operator]
    assert f"{100 * share:.0f}\N{NARROW NO-BREAK SPACE}% of all that was won and lost" in page.text


def test_synthetic_bars_and_lookahead_are_loud(wf: StandIn) -> None:
    spec = {**wf.spec.to_dict(), "fill": "close", "bars": {**wf.spec.to_dict()["bars"], "synthetic": True}}
    shown = Page(render(wf.but(spec=spec))).text
    assert "Synthetic prices." in shown
    assert "Look-ahead fills." in shown
    assert "looks ahead" in shown


def test_figures_use_the_themes_colours_alone(text: str) -> None:
    documents = re.search(r'id="documents">(.*?)</script>', text)[1]  # type: ignore[index]
    used = set(re.findall(r'"(#[0-9a-fA-F]{6})"', documents))
    assert used <= set(LIGHT.values())
    assert len(used) > 8
