"""Do the form and the text of the windows say the same, and is a refused value named while the old one stays?"""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.apps.walk_forward.app import App
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.apps.walk_forward.windows_form import WindowsForm
from maestro.walkforward.splitter_text import splitter_of


def form_of(text: str) -> WindowsForm:
    return WindowsForm(WalkForwardState(splitter=text), "splitter")


def fields(form: WindowsForm) -> dict[str, str]:
    return {name: widget.value for name, widget in form.fields.items()}


@pytest.mark.parametrize("text", WindowsForm.presets.values())
def test_a_preset_gives_its_text_and_its_fields_give_it_again(text: str) -> None:
    form = form_of("expanding:3")
    form.preset.value = text
    assert (form.held, form.text.value, form.preset.value) == (text, text, text)
    for name, shown in fields(form).items():
        assert splitter_of(form.changed(splitter_of(text), name, shown)) == splitter_of(text)


@pytest.mark.parametrize(
    ("before", "name", "given", "after"),
    [
        ("rolling:10,2,1", "n_splits", "12", "rolling:13,2,1"),
        ("rolling:10,2,1", "train_folds", "4", "rolling:12,4,1"),
        ("rolling:10,2,1", "purge", "1,000", "rolling:10,2,1,purge=1000"),
        ("expanding:10", "n_splits", "3", "expanding:3"),
        ("calendar:6mo,1mo", "train", "2", "calendar:2mo,1mo"),
        ("calendar:6mo,1mo", "train unit", "y", "calendar:6y,1mo"),
        ("calendar:6mo,1mo", "step", "3", "calendar:6mo,1mo,3mo"),
        ("calendar:6mo,1mo,3mo,embargo=2", "step", "", "calendar:6mo,1mo,embargo=2"),
        ("adaptive:10,2", "longest", "3", "adaptive:10,2,0.5,3.0"),
        ("on-regime:6mo,0.9,3,2w,3mo,states=3", "p", "0.8", "on-regime:6mo,0.8,3,2w,3mo,states=3"),
    ],
)
def test_a_field_changes_its_part_of_the_text_and_nothing_else(before: str, name: str, given: str, after: str) -> None:
    form = form_of(before)
    form.fields[name].value = given
    assert (form.held, form.text.value, form.problem.text) == (after, after, "")
    assert fields(form) == form.shown(splitter_of(after))


def test_a_text_sets_the_fields_and_an_invalid_one_is_refused() -> None:
    form = form_of("rolling:10,2,1")
    form.text.value = "calendar:2y,1q,purge=5"
    assert form.kind.value == "calendar"
    assert fields(form) == {
        "train": "2", "train unit": "y", "test": "1", "test unit": "q", "step": "", "step unit": "q", "purge": "5",
        "embargo": "0",
    }  # fmt: skip
    assert form.preset.value == form.held, "no preset"
    for text in ("rollin:10", "calendar:6,1mo", "adaptive:5,2,a", "rolling:10,2,1,4"):
        form.text.value = text
        assert form.problem.text.startswith("Text of windows: ")
        assert form.problem.text.endswith(" calendar:2y,1q,purge=5 is kept.")
        assert form.held == form.text.value == "calendar:2y,1q,purge=5"


@pytest.mark.parametrize(
    ("text", "name", "given", "expected"),
    [
        ("rolling:10,2,1", "n_splits", "0", "Folds: '0' is not a whole number of at least 1. 9 is kept."),
        ("expanding:10", "purge", "-1", "Purge [bars]: '-1' is not a whole number of at least 0. 0 is kept."),
        ("calendar:6mo,1mo", "train", "", "Training: '' is not a whole number of at least 1. 6 is kept."),
        ("on-regime:6mo,0.9,3,2w,3mo", "p", "2", "Probability: OnRegime: p=2.0 is not a probability above 0.5"),
        ("adaptive:10,2", "shortest", "x", "Shortest [times]: 'x' is not a number. 0.5 is kept."),
    ],
)
def test_a_refused_field_is_named_each_time_and_shows_what_is_in_force(
    text: str, name: str, given: str, expected: str
) -> None:
    form = form_of(text)
    before = fields(form)
    for _ in range(2):
        form.problem.say()
        form.fields[name].value = given
        assert form.problem.text.startswith(expected)
        assert (form.held, fields(form)) == (text, before)


def test_the_page_shows_the_folds_and_refuses_windows_that_the_bars_do_not_have(bars: ms.Bars, tmp_path: Path) -> None:
    app = App(bars, runs_dir=str(tmp_path), trials=2)
    app.live.value = False
    form = app.splitter
    assert "9 folds: train on 544 to 552 bars (at most 23 days), test on 272 bars (11 days)" in form.folds.object
    form.fields["n_splits"].value = "5000"
    assert "cuts 3000 bars into 5002 folds of 0" in form.problem.text
    assert (form.held, form.fields["n_splits"].value) == ("rolling:10,2,1", "9")
    form.preset.value = "calendar:3y,1y"
    assert form.problem.text.startswith("Windows: Calendar(train='3y', test='1y') finds no whole window")
    assert (form.held, form.preset.value) == ("rolling:10,2,1", "rolling:10,2,1")
    form.fields["purge"].value = "4"
    form.kind.value = "calendar"  # 6 months are more than the bars have, 8 weeks are not
    assert form.held == "calendar:8w,1w,purge=4"
    assert "9 folds: train on 1,340 bars" in form.folds.object
    app.state.splitter = "rollin:10"  # of a link: the page says what is wrong, and the form shows the text
    assert form.text.visible
    assert not form.kind.visible
    assert form.folds.object == ""
    form.text.value = "expanding:4"
    assert (form.kind.visible, form.fields["n_splits"].value) == (True, "4")
    assert "4 folds" in form.folds.object


def test_a_way_out_of_windows_that_do_not_fit_is_not_barred(bars: ms.Bars, tmp_path: Path) -> None:
    app = App(bars, runs_dir=str(tmp_path), trials=2, splitter="calendar:5y,2y")
    form = app.splitter
    assert app.view.message.text
    form.fields["train"].value = "1"
    form.fields["train unit"].value = "w"
    form.fields["test"].value = "1"
    assert form.held == "calendar:1w,1y"
    form.fields["test unit"].value = "w"
    assert app.view.message.text == form.problem.text == ""
    assert "folds" in form.folds.object
