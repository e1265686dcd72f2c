"""The button that copies what the open tab of the card "Freeze" shows."""

from __future__ import annotations

from urllib.parse import unquote

from maestro.apps.backtest.state import BacktestState
from maestro.apps.shared.copying import CopyButton
from maestro.apps.shared.freeze import Freeze
from maestro.strategies import Strategy


def test_the_text_of_the_open_tab_is_copied_and_follows_the_settings() -> None:
    state = BacktestState()
    freeze = Freeze(state)
    labels = ["Copy the link", "Copy the command", "Copy the Python", "Copy the YAML"]
    for number, label in enumerate(labels):
        freeze.tabs.active = number
        assert freeze.copy.label == label
    assert "fee: 0.001" in freeze.copy.text
    freeze.tabs.active = 1
    state.params = {"fast": 7}
    assert freeze.copy.text == state.command()
    assert "--param fast=7" in freeze.copy.text
    freeze.tabs.active = 0
    assert freeze.copy.text == state.link()
    assert unquote(freeze.copy.text) == '?strategy=EmaCrossStrategy&params={"fast":7}'


def test_a_class_without_a_name_gets_an_explanation() -> None:
    class Own(Strategy):
        """Only here."""

    freeze = Freeze(BacktestState(own=Own))
    freeze.tabs.active = 1
    assert "a link and YAML cannot name it" in freeze.copy.text


def test_the_button_of_a_page_of_its_own() -> None:
    button = CopyButton(text="a", label="Copy it")
    assert (button.text, button.label) == ("a", "Copy it")
