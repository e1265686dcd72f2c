"""The chart from Python: what the page is sent, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import maestro as ms
import maestro.apps.chart as chart_package
from maestro.apps.chart import Chart, Line, Pane
from maestro.apps.chart.component import MARKED, thinned
from maestro.errors import BarsError, SettingsError
from maestro.reports.figures.theme import DARK, LIGHT

FOLDER = Path(chart_package.__file__).parent


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.synthetic_bars(500, seed=1)


def test_candles_are_sent_as_whole_columns_in_seconds(bars: ms.Bars) -> None:
    chart = Chart(bars)
    assert {name: column.dtype for name, column in chart.candles.items()} == dict.fromkeys(
        ("time", "open", "high", "low", "close"), np.dtype(np.float64)
    )
    np.testing.assert_array_equal(chart.candles["time"] * 1_000_000, bars.time)
    np.testing.assert_array_equal(chart.candles["high"], bars.high)


def test_other_bars_take_away_what_was_marked_on_the_last(bars: ms.Bars) -> None:
    chart = Chart(bars)
    chart.set_panes([Pane("volume", [Line("volume", bars.time, bars.volume)])])
    chart.mark([(int(bars.time[3]), int(bars.time[5]), "warning")])
    chart.set_trades(ms.backtest(bars, "EmaCrossStrategy").trades)
    assert chart.panes
    assert chart.spans
    assert chart.markers
    chart.set_bars(bars[100:200])
    assert (chart.panes, chart.spans, chart.markers) == ([], [], {})
    assert len(chart.candles["time"]) == 100


def test_colours_of_points_are_numbers_of_a_palette(bars: ms.Bars) -> None:
    colours = ["#0f7fbf99" if up else "#cc4e0099" for up in bars.close >= bars.open]
    sent = Line("volume", bars.time, bars.volume, color=colours, kind="histogram").message()["data"]
    assert sent["color"].dtype == np.uint8
    assert [sent["palette"][number] for number in sent["color"]] == colours
    with pytest.raises(SettingsError, match="'rainbow' has 500 colours; give at most 255"):
        Line("rainbow", bars.time, bars.volume, color=[f"#{n:06x}" for n in range(500)]).message()


@pytest.mark.parametrize(
    ("rule", "params"),
    [("EmaCrossStrategy", {"fast": 5, "slow": 10}), ("TrendFollowingATR", {}), ("GridTradingStrategy", {})],
)
def test_every_entry_and_exit_of_a_trade_is_marked(bars: ms.Bars, rule: str, params: dict[str, int]) -> None:
    trades = ms.backtest(bars, rule, params=params).trades
    chart = Chart(bars)
    assert chart.set_trades(trades) == 0
    closed = trades.filter(pl.col("exit_reason") != "open")
    marks = chart.markers
    assert np.all(np.diff(marks["time"]) >= 0)
    found = {"long": [set(), set()], "short": [set(), set()]}
    for time, kind, text in zip(marks["time"], marks["kind"], marks["text"], strict=True):
        found["short" if kind > 1 else "long"][kind % 2].add((int(time), marks["words"][text]))
    for side, (entries, exits) in found.items():
        own, ended = trades.filter(side=side), closed.filter(side=side)
        assert entries == {(moment, "") for moment in own["entry_time"].dt.epoch("s")}
        assert exits == {
            (moment, "" if reason in ("signal", "reversal") else reason)
            for moment, reason in zip(ended["exit_time"].dt.epoch("s"), ended["exit_reason"], strict=True)
        }
    assert len(marks["time"]) == len(trades) + len(closed)
    sent = chart.trades
    for name, column in (
        ("entry_price", "entry_price"),
        ("exit_price", "exit_price"),
        ("pnl", "pnl"),
        ("gain", "return"),
    ):
        np.testing.assert_array_equal(sent[name], trades[column].to_numpy())
    assert [sent["reasons"][k] for k in sent["reason"]] == trades["exit_reason"].to_list()
    assert [bool(k) for k in sent["open"]] == (trades["exit_reason"] == "open").to_list()
    np.testing.assert_array_equal(
        bars.time[np.searchsorted(bars.time, sent["entry"] * 1e6) + sent["bars"].astype(int)], sent["exit"] * 1e6
    )
    assert [kind["shape"] for kind in marks["kinds"]] == ["arrowUp", "circle", "arrowDown", "circle"]


def test_trades_beyond_the_limit_are_counted_not_hidden(bars: ms.Bars) -> None:
    trades = ms.backtest(bars, "EmaCrossStrategy", params={"fast": 5, "slow": 10}).trades
    many = pl.concat([trades] * (MARKED // len(trades) + 1))
    assert Chart(bars).set_trades(many) == len(many) - MARKED > 0


def test_going_somewhere_twice_is_two_messages(bars: ms.Bars) -> None:
    chart, heard = Chart(bars), []
    chart.param.watch(lambda event: heard.append(event.new), "window")
    for _ in range(2):
        chart.go_to("2020-01-05", "2020-01-07")
    assert [window for window in heard if window] == [[1578182400, 1578355200]] * 2
    with pytest.raises(BarsError):
        chart.go_to("soon", "later")


def test_spans_show_their_severity_by_colour(bars: ms.Bars) -> None:
    chart = Chart(bars)
    chart.mark([(0, 5_000_000, "fatal"), (0, 1_000_000, "#123456")])
    assert chart.spans[1] == {"from": 0, "to": 1, "color": "#123456"}
    assert chart.spans[0]["to"] == 5
    assert chart.spans[0]["color"].startswith("rgba(")


def test_every_colour_of_the_theme_has_its_partner_for_the_dark() -> None:
    assert {LIGHT[name]: DARK[name] for name in LIGHT}.items() <= Chart().night.items()


def test_a_thinned_line_keeps_peaks_and_troughs() -> None:
    values = np.zeros(200_000)
    values[[77_777, 123_456]] = 5.0, -5.0
    line = thinned("equity", np.arange(200_000), values)
    assert len(line.values) < 50_000
    assert (line.values.max(), line.values.min()) == (5.0, -5.0)


def test_the_library_is_in_the_package_with_its_licence_and_notice() -> None:
    assert "Apache License" in (FOLDER / "LICENSE").read_text()
    assert "TradingView" in (FOLDER / "NOTICE").read_text()
    bundle = (FOLDER / "chart.bundle.js").read_text()
    assert bundle.endswith((FOLDER / "chart.js").read_text()), "tools/bundle_chart makes it again"
    assert "attributionLogo: true" in bundle
    assert "import(" not in bundle
    assert "fetch(" not in bundle
