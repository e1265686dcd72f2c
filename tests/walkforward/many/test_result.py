"""The result as a mapping, as a table, and loaded again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import maestro as ms
from maestro._core.seal import sealed
from maestro.errors import RunError, SettingsError
from maestro.walkforward.many import Cell, WalkForwards, load_walk_forwards

RULES = ["EmaCrossStrategy", "RSIStrategy"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def many(runs: Path) -> WalkForwards:
    u = ms.universe({"A": ms.synthetic_bars(800, 0, "1d"), "B": ms.synthetic_bars(790, 1, "1d"),
                     "short": ms.synthetic_bars(5, timeframe="1d")})  # fmt: skip
    return ms.walk_forward_many(u, RULES, splitter="rolling:3,1,1", trials=3, runs_dir=runs, executor="serial")


def test_a_run_is_found_by_as_much_of_its_name_as_is_needed(many: WalkForwards) -> None:
    cell = Cell("A", "1d", "RSIStrategy")
    assert many[cell].id == many["A", "1d", "RSIStrategy"].id == many.run("A", "RSIStrategy").id
    with pytest.raises(SettingsError, match="2 walk-forwards have symbol='A'"):
        many.run("A")
    with pytest.raises(SettingsError, match="no walk-forward has symbol='AB'"):
        many.run("AB")
    with pytest.raises(RunError, match="RSIStrategy on short 1d has no result"):
        many.run("short", "RSIStrategy")
    with pytest.raises(KeyError, match="give \\(symbol, timeframe, strategy\\)"):
        many["A"]


def test_the_table_has_a_row_for_every_cell(many: WalkForwards) -> None:
    table = many.to_frame()
    assert table.select("symbol", "timeframe", "strategy").rows() == [tuple(cell) for cell in many.cells]
    assert len(table) == 6
    assert len(many) == 4
    row = table.filter(symbol="A", strategy="RSIStrategy").row(0, named=True)
    wf = many.run("A", "RSIStrategy")
    assert row["sharpe_ratio"] == wf.metrics["sharpe_ratio"]
    assert row["efficiency"] == wf.efficiency or np.isnan(wf.efficiency)
    assert row["test_start"] == wf.equity["timestamp"][0]
    assert table.filter(symbol="short")["p_value"].null_count() == 2


def test_timing_returns_are_aligned_by_day(many: WalkForwards) -> None:
    days, values = many.timing
    assert values.shape == (len(days), 4)
    assert (np.diff(days) > 0).all()
    tested = [many[cell].equity["timestamp"].dt.date().n_unique() for cell in many]
    assert (~np.isnan(values)).sum(axis=0).tolist() == tested


def test_it_is_loaded_again_by_its_id(many: WalkForwards, runs: Path) -> None:
    again = load_walk_forwards(many.id[:6], runs)
    assert again.table.equals(many.table)
    assert again.notes == many.notes
    assert again.errors == many.errors
    with pytest.raises(RunError, match=f"no result of many walk-forwards begins with 'x'.*{many.id}"):
        load_walk_forwards("x", runs)


def test_a_damaged_list_is_named(many: WalkForwards, runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "universes"
    folder.mkdir()
    (folder / "abc.json").write_text("{}")
    with pytest.raises(RunError, match=r"abc\.json is damaged"):
        load_walk_forwards("abc", tmp_path)


def test_a_changed_bit_of_a_list_is_named(many: WalkForwards, runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs, tmp_path / "runs")
    path = tmp_path / "runs" / "universes" / f"{many.id}.json"
    whole = path.read_bytes()
    for position in range(0, len(whole), 29):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(RunError, match="is damaged"):
            load_walk_forwards(many.id, tmp_path / "runs")


def test_a_list_from_before_the_checksum_is_read(many: WalkForwards, runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs, tmp_path / "runs")
    path = tmp_path / "runs" / "universes" / f"{many.id}.json"
    content = json.loads(path.read_bytes())
    del content["seal"], content["format"]
    path.write_text(json.dumps(content, indent=1))
    assert load_walk_forwards(many.id, tmp_path / "runs").table.equals(many.table)


def test_a_list_leads_to_runs_of_its_own_folder_only(many: WalkForwards, runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "universes", tmp_path / "universes")
    path = tmp_path / "universes" / f"{many.id}.json"
    first = many[next(iter(many))]
    content = json.loads(path.read_bytes())
    del content["seal"]
    for row in content["cells"]:
        row["id"] = str(first.folder)
    path.write_bytes(sealed(json.dumps(content, indent=1)))
    with pytest.raises(RunError, match=f"{first.id}' is not the id of a run"):
        load_walk_forwards(many.id, tmp_path)


def test_the_summary_states_what_remains(many: WalkForwards) -> None:
    assert "6 walk-forwards" in repr(many)
    assert "2 failed" in repr(many)
    shown = many._repr_html_()
    assert many.significance.sentence in shown
    assert "<script" not in shown
