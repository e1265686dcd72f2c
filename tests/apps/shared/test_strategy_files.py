"""User-defined strategies in the apps: offered by the server, reloaded when saved, checked for look-ahead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.apps.backtest import App
from maestro.apps.shared.strategy_files import FILES, StrategyFiles
from maestro.apps.walk_forward.app import App as WalkForwardApp
from maestro.apps.walk_forward.remote import belongs_to_service
from maestro.errors import SettingsError, StrategyError
from tests.strategies.test_files import RULE

LOOKS_AHEAD = '''
import numpy as np
import maestro as ms

class Hold(ms.Strategy):
    """Buys before the price rises."""

    length = ms.Int(5, 2, 20)

    def signals(self, bars):
        up = np.append(np.diff(bars.close) > 0, False)
        return ms.Signals.flip(up, ~up)
'''


@pytest.fixture(autouse=True)
def _offered() -> Iterator[None]:
    yield
    FILES.clear()


def checked(app: App) -> str:
    """What the line beside the strategy's name says after the check."""
    line = app.rule._look_ahead
    assert line.thread is not None
    line.thread.join()
    return line.line.text


def test_a_module_beside_the_file_that_is_saved_has_the_file_executed_again(tmp_path: Path) -> None:
    path, helper = tmp_path / "rule.py", tmp_path / "helper_beside.py"
    helper.write_text("BAR = 1\n")
    path.write_text(f"from helper_beside import BAR\n{RULE.format(bar=1)}    bar = BAR\n")
    files = StrategyFiles()
    files.offer(path)
    [name] = files.names()
    before, state = files.get(name), files.state()
    assert files.get(name) is before
    helper.write_text("BAR = 17\n")
    assert files.state() != state
    assert (before.bar, files.get(name).bar) == (1, 17)  # type: ignore[attr-defined]
    helper.write_text("BAR = \n")
    assert "helper_beside.py, line 1" in files.problems()[0]
    helper.write_text("BAR = 170\n")
    assert files.problems() == []
    assert files.get(name).bar == 170  # type: ignore[attr-defined]


def test_only_offered_files_are_executed(tmp_path: Path) -> None:
    files = StrategyFiles()
    good, other = tmp_path / "good.py", tmp_path / "other.py"
    good.write_text(RULE.format(bar=1))
    other.write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n{RULE.format(bar=1)}")
    files.offer(good)
    assert files.names() == [f"{good}:Hold"]
    for name in (f"{other}:Hold", f"{good.parent}/x/../good.py:Hold", f"{good}:Nothing", "good.py:Hold"):
        with pytest.raises(StrategyError, match="not among the strategies of this server"):
            files.get(name)
    FILES.offer(good)
    app = App(query={"strategy": f"{other}:Hold"})
    assert "not among the strategies of this server" in app.view.message.text
    assert not (tmp_path / "executed").exists()
    for place in (tmp_path / "none.py", tmp_path / "executed"):
        with pytest.raises(SettingsError, match=r"--strategy .*give a Python file or a folder that exists"):
            files.offer(place)


def test_a_watched_folder_gains_and_loses_strategies(tmp_path: Path) -> None:
    files = StrategyFiles()
    files.offer(tmp_path)
    assert files.names() == []
    (tmp_path / "a.py").write_text(RULE.format(bar=1))
    (tmp_path / "_helper.py").write_text("raise RuntimeError")
    (tmp_path / "b.py").write_text("x = (")
    state = files.state()
    assert files.names() == [f"{tmp_path / 'a.py'}:Hold"]
    assert files.state() == state
    assert files.problems() == [f"{tmp_path / 'b.py'} cannot be imported: SyntaxError: '(' was never closed (line 1)"]
    (tmp_path / "a.py").unlink()
    assert files.names() == []
    assert files.state() != state


def test_the_backtest_app_follows_a_file_that_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("rule.py")
    path.write_text(LOOKS_AHEAD)
    FILES.offer(path)
    app = App(strategy="rule.py:Hold")
    assert "look-ahead: " in checked(app)
    assert "FAILED" in checked(app)
    assert list(app.rule.widgets) == ["length"]
    app.rule.widgets["length"].value = 9
    names: dict[str, Any] = {}
    exec(app.state.python(), names)
    assert app.view._shown is not None
    assert app.view._shown.bt.metrics == names["bt"].metrics

    path.write_text(RULE.format(bar=3))  # without the parameter
    app.rule.look()
    assert app.state.params == {}
    assert app.view.message.text == ""
    assert "passed" in checked(app)
    assert app.rule.widgets == {}
    trades = app.view._shown.bt.trades
    assert len(trades) == 1

    path.write_text(RULE.format(bar=10**6))
    app.rule.look()
    assert "rule.py:Hold raised ZeroDivisionError" in app.view.message.text
    assert "(rule.py, line 10)" in app.view.message.text

    path.write_text("x = (")
    app.rule.look()
    assert "never closed (line 1)" in app.view.message.text
    assert "never closed (line 1)" in app.rule._problems.text

    path.write_text(RULE.format(bar=3))
    app.rule.look()
    assert app.view.message.text == ""
    assert app.rule._problems.text == ""
    assert app.view._shown.bt.trades.equals(trades)


def test_a_walk_forward_keeps_the_class_that_it_was_started_with(tmp_path: Path) -> None:
    path = tmp_path / "rule.py"
    path.write_text(LOOKS_AHEAD)
    FILES.offer(path)
    app = WalkForwardApp(strategy=f"{path}:Hold", splitter="rolling:3,2,1", trials=4)
    assert app.job is not None
    assert app.wf is not None
    before = app.job.own
    assert before is not None
    path.write_text(LOOKS_AHEAD.replace("ms.Int(5, 2, 20)", "ms.Int(6, 2, 20)"))
    assert app.job.state.chosen() is before
    assert app.state.chosen() is not before
    assert not belongs_to_service(app.state)
    assert app.wf.spec.strategy == "Hold"


def test_a_notebook_names_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rule.py"
    path.write_text(RULE.format(bar=3))
    assert ms.app("backtest", strategy=str(path)).settings()["strategy"] == f"{path}:Hold"
    with pytest.raises(StrategyError, match="has no strategy 'Held'"):
        ms.app("backtest", strategy=f"{path}:Held")
