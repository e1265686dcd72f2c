"""Controls of a strategy's parameters: bounds take in the value, and unknown names are refused."""

from __future__ import annotations

import math

import pytest

import maestro as ms
from maestro.errors import ParameterError
from maestro.reports import explore
from maestro.reports.notebooks.explore import _control, round_down
from maestro.strategies.parameters import Bool, Choice, Float, Int

widgets = pytest.importorskip("ipywidgets", reason='pip install "maestro-research[jupyter]"')


def test_a_slider_takes_in_a_value_beyond_what_is_searched() -> None:
    slider = _control(widgets, "n", Int(10, 5, 50, doc="bars"), 80)
    assert (slider.min, slider.max, slider.value) == (5, 80, 80)
    assert slider.continuous_update is False
    assert slider.tooltip == "bars"


def test_each_kind_of_parameter_has_its_control() -> None:
    assert type(_control(widgets, "b", Bool(True), False)).__name__ == "Checkbox"
    chosen = _control(widgets, "c", Choice("a", ["a", "b"]), "b")
    assert (tuple(chosen.options), chosen.value) == (("a", "b"), "b")
    log = _control(widgets, "f", Float(0.01, 0.001, 0.1, log=True), 0.01)
    assert (log.min, log.max) == pytest.approx((math.log10(0.001), math.log10(0.1)))
    assert log.value == pytest.approx(0.01)
    plain = _control(widgets, "f", Float(0.5, 0.0, 3.0), 0.5)
    assert plain.step == pytest.approx(0.01)


@pytest.mark.parametrize(("span", "power"), [(3.0, -2), (0.05, -4), (1_000.0, 1), (0.0, -2)])
def test_a_slider_has_a_hundred_steps_or_more(span: float, power: int) -> None:
    assert round_down(span) == power
    assert span == 0.0 or span / 10**power >= 100


def test_an_unknown_parameter_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ParameterError, match=r"has no parameter 'fats'; it has: fast, slow.*Did you mean 'fast'"):
        explore(ms.synthetic_bars(200, seed=1), "EmaCrossStrategy", names=["fats"])
