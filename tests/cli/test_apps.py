"""``maestro app`` hands every option to the server of the apps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.commands import Done


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    made: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.setattr("maestro.apps.serving.serve", lambda names, **options: made.append((names, options)))
    return made


def test_all_apps_are_served_to_this_machine_only_by_default(
    run: Callable[..., Done], calls: list[tuple[Any, dict[str, Any]]]
) -> None:
    assert run("app").code == 0
    [(names, options)] = calls
    assert list(names) == []
    assert (options["address"], options["port"], options["login_in_front"]) == ("127.0.0.1", 5006, False)


def test_options_that_can_be_repeated_are_all_passed_on(
    run: Callable[..., Done], calls: list[tuple[Any, dict[str, Any]]]
) -> None:
    line = "app market runs --port 0 --no-show --origin a.org --origin b.org --data-dir x --strategy y.py"
    assert run(*line.split()).code == 0
    [(names, options)] = calls
    assert (list(names), options["port"], options["show"]) == (["market", "runs"], 0, False)
    assert (options["origins"], options["data_dirs"], options["strategies"]) == (["a.org", "b.org"], ["x"], ["y.py"])
