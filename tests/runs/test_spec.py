"""A run's specification: the same bytes and ids as ever, there and back, and old or foreign forms read or refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.errors import RunError, RunSchemaError, SettingsError
from maestro.runs import RunSpec, RunStore, list_runs, run_id
from maestro.runs.identity import canonical
from maestro.runs.spec import SCHEMA

RECORDED = Path(__file__).with_name("recorded")
KNOWN: dict[str, Any] = json.loads((RECORDED / "specs.json").read_text())
"""Ids and specifications that were recorded before specifications were typed."""
OLD = "a159a5f1e319d9b0"
"""A whole run of that time: its manifest names no schema."""
BARS = ms.synthetic_bars(900, seed=3)


@pytest.mark.parametrize("name", KNOWN)
def test_the_plain_form_and_the_id_are_those_recorded_earlier(name: str) -> None:
    known = KNOWN[name]
    spec = RunSpec.from_dict(known["spec"])
    form = spec.to_dict()
    assert form.pop("schema") == SCHEMA
    assert canonical(form) == canonical(known["spec"])
    assert list(form) == list(known["spec"])
    assert run_id(spec.to_dict(), "0.1.0") == run_id(known["spec"], "0.1.0") == known["id"]


@pytest.mark.parametrize(
    ("name", "bars", "strategy", "settings"),
    [
        ("defaults", lambda: ms.load_sample("AAPL"), "EmaCrossStrategy", {}),
        ("named", lambda: BARS, "EmaCrossStrategy", {"splitter": "rolling:4,2,1", "trials": 8}),
        ("calendar", lambda: BARS, "RSIStrategy",
         {"search": "random", "splitter": ms.Calendar(train="2w", test="1w"), "warm_start": True}),
        ("params", lambda: BARS, "EmaCrossStrategy",
         {"search": "grid", "params": {"fast": 12}, "splitter": "adaptive:3,2", "sizing": "volatility:0.3,2"}),
        ("space", lambda: BARS, "EmaCrossStrategy",
         {"space": {"fast": (5, 9), "slow": (30, 40, 5)}, "costs": ms.Costs(0.002, 0), "fill": "close", "cash": 5000,
          "seed": 11}),
        ("first", lambda: BARS, ms.strategy("RSIStrategy", period=9),
         {"splitter": "expanding:3", "select": {"sharpe_ratio": 1, "vwr": 0.1}}),
        ("regime", lambda: ms.load_sample("IBM"), "RSIStrategy",
         {"splitter": "on-regime:3y,0.9,3,2w,1y", "select": "pareto:sharpe_ratio,-volatility"}),
        ("pair", lambda: BARS.with_other(ms.synthetic_bars(900, seed=2), "B"), "EmaCrossStrategy",
         {"sizing": ms.Sizing("cash", 5000)}),
    ],
)  # fmt: skip
def test_settings_give_the_id_that_they_always_gave(name: str, bars: Any, strategy: Any, settings: Any) -> None:
    planned = ms.plan(bars(), strategy, **settings)
    assert planned.id == KNOWN[name]["id"]
    assert planned.spec == RunSpec.from_dict(KNOWN[name]["spec"])


def test_a_live_run_and_the_same_from_disk_have_equal_specifications(tmp_path: Path) -> None:
    wf = ms.walk_forward(BARS, "EmaCrossStrategy", splitter="rolling:4,2,1", trials=3, workers=1, runs_dir=tmp_path)
    assert ms.load_run(wf.id, tmp_path).spec == wf.spec
    assert json.loads((tmp_path / wf.id / "manifest.json").read_text())["spec"] == wf.spec.to_dict()
    assert RunStore(tmp_path / wf.id).spec() == wf.spec
    assert wf.spec.title == "EmaCrossStrategy on SYNTHETIC:WALK-3:1h"
    assert wf.spec.bars.start == datetime(2020, 1, 1, tzinfo=UTC)


def test_fields_are_attributes_and_cannot_be_set() -> None:
    spec = RunSpec.from_dict(KNOWN["defaults"]["spec"])
    with pytest.raises(FrozenInstanceError):
        spec.cash = 1.0  # type: ignore[misc]
    with pytest.raises(TypeError, match=r"write \.bars in place of \['bars'\]"):
        spec["bars"]  # type: ignore[index]
    assert spec.selection.ranking == "sharpe_ratio"
    assert not spec.selection.lower_is_better


# -- forms that are read or refused ----------------------------------------------------------------


def test_a_run_of_before_is_read() -> None:
    wf = ms.load_run(OLD, RECORDED)
    assert "schema" not in wf.manifest["spec"]
    assert (wf.id, wf.spec.strategy, wf.spec.seed, len(wf.folds)) == (OLD, "EmaCrossStrategy", 5, 3)
    assert wf.metrics["sharpe_ratio"] == pytest.approx(wf.manifest["metrics"]["sharpe_ratio"], rel=1e-12)
    assert list_runs(RECORDED).row(0, named=True)["status"] == "done"


def test_a_run_without_a_seal_is_refused_with_the_version_that_wrote_it() -> None:
    with pytest.raises(RunError, match=r"no seal: an early build of Maestro 0\.1\.0 wrote it, or it was changed"):
        ms.load_run("f28312588b2b8700", RECORDED / "unsealed")


def test_a_run_of_a_later_version_is_refused_with_that_version(tmp_path: Path) -> None:
    shutil.copytree(RECORDED / OLD, tmp_path / OLD)
    path = tmp_path / OLD / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["spec"] = {"schema": 7, "everything": "else"}
    manifest["versions"]["maestro"] = "3.2.1"
    path.write_text(json.dumps(manifest))
    with pytest.raises(RunSchemaError, match=r"schema 7, which Maestro 3\.2\.1 wrote.*maestro-research==3\.2\.1"):
        ms.load_run(OLD, tmp_path)
    assert list_runs(tmp_path)["status"].to_list() == ["other version"]


def wrong(**changes: Any) -> dict[str, Any]:
    return {**KNOWN["defaults"]["spec"], **changes}


BARS_FORM = KNOWN["defaults"]["spec"]["bars"]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (wrong(trials="8"), r"spec\.trials is '8' \(str\); a whole number is needed"),
        (wrong(trials=True), r"spec\.trials is True \(bool\); a whole number"),
        (wrong(warm_start=1), r"spec\.warm_start is 1 \(int\); true or false"),
        (wrong(fill="open"), r"spec\.fill is 'open' \(str\); allowed: 'next_open', 'close'"),
        (wrong(costs={"fee": 0.001}), r"spec\.costs has no field 'slippage'; it needs fee, slippage"),
        (wrong(costs={"fee": 0.1, "slippage": 0, "slipage": 0}), r"unknown field 'slipage'.*Did you mean 'slippage'"),
        (wrong(colour="red"), r"spec has an unknown field 'colour'"),
        (wrong(windows=[[0, 1, 2]]), r"spec\.windows\[0\] has 3 items; 4 are needed"),
        (wrong(windows=4), r"spec\.windows is 4 \(int\); a list is needed"),
        (wrong(bars={**BARS_FORM, "start": "soon"}), r"spec\.bars\.start is 'soon' \(str\); an ISO 8601 time"),
        (wrong(bars="AAPL"), r"spec\.bars is 'AAPL' \(str\); a mapping is needed"),
        (wrong(space={"fixed": {"slow": 1}, "search": {}}), r"spec\.space is .*fixed with the values of params"),
        (wrong(space={"fixed": {}, "search": {"fast": 3}}), r"spec\.space\.fast is 3 \(int\); a mapping is needed"),
        (wrong(search=None), r"spec\.search is None \(NoneType\); a mapping is needed"),
        (["spec"], r"spec is \['spec'\] \(list\); a mapping is needed"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(form: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        RunSpec.from_dict(form)


def test_every_field_is_needed() -> None:
    for one in fields(RunSpec):
        form = wrong()
        del form[one.name]
        with pytest.raises(RunError, match=r"no field|is needed|are needed"):
            RunSpec.from_dict(form)


def test_a_splitter_that_json_cannot_hold_is_refused() -> None:
    class Odd:
        def split(self, bars: ms.Bars) -> list[tuple[int, int, int, int]]:
            return [(0, 300, 300, 400)]

        def to_dict(self) -> dict[str, Any]:
            return {"rule": object()}

    with pytest.raises(SettingsError, match=r"Odd\.to_dict\(\) does not return a dictionary of what JSON can hold"):
        ms.plan(BARS, "EmaCrossStrategy", splitter=Odd())
