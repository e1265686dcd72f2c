"""How apps are shown: in a notebook, by ``maestro app``, by ``panel serve widgets/*.py``, as tiles of JupyterLab."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro.apps.page import APPS
from maestro.errors import SettingsError, nearest

if TYPE_CHECKING:
    from maestro.bars import Bars


def app(name: str, bars: Bars | None = None, *, strategy: Any = None, **settings: Any) -> Any:
    """One of the apps, to be shown in a notebook cell or served.

    Parameters
    ----------
    name : {"market", "backtest", "walk_forward", "runs"}
    bars : Bars, optional
        What it shows; without them a series is chosen in the app.
    strategy : name or type of Strategy, optional
        Also a class of one's own.
    **settings
        Of the app, as its `settings()` has them: ``fee=0.0005``, ``params={"fast": 10}``.

    Returns
    -------
    Panel viewable with `settings()`

    Raises
    ------
    SettingsError
        No app of that name, or no such setting.
    """
    if name not in APPS:
        raise SettingsError(f"there is no app {name!r}; there are: {', '.join(APPS)}.{nearest(name, APPS)}")
    import panel as pn

    pn.extension("tabulator")
    module = importlib.import_module(f"maestro.apps.{name}")
    if isinstance(strategy, str):
        settings["strategy"] = strategy
    elif strategy is not None:
        settings["own"] = strategy
    try:
        return module.App(bars, **settings)
    except TypeError as error:
        raise SettingsError(f"the app {name} does not take these settings: {error}.") from error


def page_of(name: str) -> Callable[[], Any]:
    """Return what makes a page of an app for each visitor, its settings taken from the link."""

    def make() -> Any:
        import panel as pn

        pn.extension("tabulator")
        module = importlib.import_module(f"maestro.apps.{name}")
        query = {} if pn.state.location is None else dict(pn.state.location.query_params)
        return module.App(None, query={key: _text(value) for key, value in query.items()}).page()

    return make


def _text(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)


def serve(
    names: Sequence[str] = tuple(APPS), *, port: int = 5006, address: str = "127.0.0.1", show: bool = True
) -> None:
    """Serve apps until Ctrl-C.

    Raises
    ------
    SettingsError
        No app of that name, or a port that is taken.
    """
    import panel as pn

    for name in names:
        if name not in APPS:
            raise SettingsError(f"there is no app {name!r}; there are: {', '.join(APPS)}.{nearest(name, APPS)}")
    try:
        pn.serve(
            {name: page_of(name) for name in names}, port=port, address=address, show=show, title=dict(APPS),
            websocket_origin=[f"{address}:{port}", f"localhost:{port}"], autoreload=False,
        )  # fmt: skip
    except OSError as error:
        raise SettingsError(
            f"port {port} of {address} cannot be used: {error.strerror or error}; give another."
        ) from error


def jupyter_tile() -> dict[str, Any]:
    """Entry of jupyter-server-proxy: a tile in JupyterLab's launcher that opens the apps."""
    scripts = Path(__file__).parent / "scripts"
    command = [
        sys.executable, "-m", "panel", "serve", *(str(scripts / f"{name}.py") for name in APPS), "--port", "{port}",
        "--prefix", "{base_url}maestro", "--allow-websocket-origin", "*", "--index", "backtest",
    ]  # fmt: skip
    return {
        "command": command,
        "absolute_url": True,
        "timeout": 60,
        "launcher_entry": {"title": "Maestro", "path_info": "maestro/backtest"},
    }
