"""The bars of a recorded run: live, given (cut or resampled to the run's), loaded again, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro.errors import BarsError, SettingsError
from maestro.reproduce.bars import recorded_bars

FEW: dict[str, Any] = {"splitter": "rolling:4,2,1", "trials": 4, "workers": 1}
LONG = ms.synthetic_bars(2_000, seed=3)


def one_volume_changed() -> ms.Bars:
    row = pl.int_range(pl.len())
    return ms.Bars.from_frame(LONG.to_frame().with_columns(pl.col("volume") + (row == 500)))


def loaded(bars: ms.Bars, runs: Path) -> ms.WalkForward:
    """A run that was loaded from disk, so that nothing of it is live."""
    wf = ms.load_run(ms.walk_forward(bars, "EmaCrossStrategy", runs_dir=runs, **FEW).id, runs)
    assert wf.bars is None
    return wf


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    """A run on bars 100 to 1,000 of `LONG`."""
    return loaded(LONG[100:1000], tmp_path_factory.mktemp("runs"))


def test_the_bars_of_a_live_run_are_the_object_itself() -> None:
    bars = LONG[:600]
    assert recorded_bars(ms.walk_forward(bars, "EmaCrossStrategy", **FEW)) is bars


def test_bars_are_loaded_again_from_the_line_in_the_manifest(cut: ms.WalkForward) -> None:
    found = recorded_bars(cut)
    assert found.fingerprint == LONG[100:1000].fingerprint
    assert found.name == LONG.name


@pytest.mark.parametrize("shorten", [lambda bars: bars, lambda bars: bars[50:], lambda bars: bars[:1200]])
def test_longer_ranges_are_cut_to_the_run(cut: ms.WalkForward, shorten: Callable[[ms.Bars], ms.Bars]) -> None:
    assert recorded_bars(cut, shorten(LONG)).fingerprint == LONG[100:1000].fingerprint


def test_shorter_bars_are_resampled_to_the_run(tmp_path: Path) -> None:
    wf = loaded(LONG.resample("2h"), tmp_path)
    assert recorded_bars(wf, LONG).fingerprint == LONG.resample("2h").fingerprint


def test_bars_of_the_caller_get_the_description_of_the_run(cut: ms.WalkForward) -> None:
    plain = ms.Bars.from_frame(LONG.to_frame(), provider="OTHER", symbol="X", periods_per_year=123.0)
    found = recorded_bars(cut, plain)
    of_run = LONG[100:1000]
    for name in ("provider", "symbol", "synthetic", "notes", "periods_per_year"):
        assert getattr(found, name) == getattr(of_run, name), name
    assert (plain.provider, plain.periods_per_year) == ("OTHER", 123.0)  # the given ones stay as they are


def test_a_name_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    LONG.to_frame().write_parquet("prices.parquet")
    wf = loaded(ms.load("prices.parquet", start="2020-01-03", periods_per_year=5_000), tmp_path / "runs")
    assert recorded_bars(wf).periods_per_year == 5_000
    (tmp_path / "prices.parquet").rename("moved.parquet")
    with pytest.raises(BarsError, match=r"cannot be loaded: ms\.load\('prices\.parquet'.*give the run's bars"):
        recorded_bars(wf)
    for name in ("moved.parquet", Path("moved.parquet")):
        found = recorded_bars(wf, name)
        assert found.periods_per_year == 5_000
        assert found.fingerprint == recorded_bars(wf, "moved.parquet").fingerprint


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda: LONG[100:900], "their number differs"),
        (lambda: ms.synthetic_bars(100, seed=1), "their number differs"),
        (one_volume_changed, "number and range are the same, prices, volumes"),
        (lambda: LONG.resample("2h"), "their number differs"),
    ],
)
def test_other_bars_are_refused(cut: ms.WalkForward, change: Callable[[], ms.Bars], why: str) -> None:
    with pytest.raises(BarsError, match=f"these are not the bars of run {cut.id}: {why}"):
        recorded_bars(cut, change())


def test_a_second_symbol_belongs_to_the_bars(tmp_path: Path) -> None:
    other = ms.synthetic_bars(900, seed=2)
    pair = LONG[:900].with_other(other, "B")
    wf = loaded(pair, tmp_path)
    assert recorded_bars(wf).others["B"].fingerprint == pair.others["B"].fingerprint
    assert recorded_bars(wf, LONG.with_other(other, "B")).fingerprint == pair.fingerprint
    with pytest.raises(BarsError, match="these are not the bars of run"):
        recorded_bars(wf, LONG[:900])
    with pytest.raises(BarsError, match="these are not the bars of run"):
        recorded_bars(wf, LONG[:900].with_other(ms.synthetic_bars(900, seed=4), "B"))


def test_a_manifest_is_data_and_not_a_program(cut: ms.WalkForward, tmp_path: Path) -> None:
    wf = ms.load_run(str(cut.folder))
    marker = tmp_path / "ran"
    wf.manifest = {**wf.manifest, "python": f"bars = open({str(marker)!r}, 'w')"}
    with pytest.raises(BarsError, match="SYNTHETIC:WALK-3:1h"):  # the store that the series is named after
        recorded_bars(wf)
    assert not marker.exists()


def test_bars_of_unknown_origin_are_asked_for(tmp_path: Path) -> None:
    bars = ms.Bars.from_frame(LONG[:900].to_frame())
    wf = loaded(bars, tmp_path)
    with pytest.raises(BarsError, match=r"does not say where its bars .*900 bars\) came from; give the run's bars"):
        recorded_bars(wf)
    assert recorded_bars(wf, bars) is bars


def test_what_is_neither_bars_nor_a_name_is_refused(cut: ms.WalkForward) -> None:
    frame: Any = LONG.to_frame()
    with pytest.raises(SettingsError, match=r"bars is a DataFrame; give ms\.Bars"):
        recorded_bars(cut, frame)
