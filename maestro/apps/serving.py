"""Show and serve apps: in a notebook, by ``maestro app``, by ``panel serve widgets/*.py``, as tiles of JupyterLab."""

from __future__ import annotations

import gc
import importlib
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro.apps.shared.access import check_address, restrict, restricted
from maestro.apps.shared.address import query_of
from maestro.apps.shared.page import APPS, ICON
from maestro.apps.shared.state import TradeState
from maestro.apps.shared.strategy_files import FILES
from maestro.errors import SettingsError, nearest
from maestro.strategies import Strategy
from maestro.strategies.files import in_file, load_strategy

if TYPE_CHECKING:
    from maestro.bars import Bars


def app(name: str, bars: Bars | None = None, *, strategy: Any = None, **settings: Any) -> Any:
    """Return one of the apps, to show in a notebook cell or to serve.

    Parameters
    ----------
    name : {"market", "backtest", "walk_forward", "many", "runs"}
    bars : Bars, optional
        What it shows; without them a series is chosen in the app.
    strategy : name or type of Strategy, optional
        Also a user-defined class, or ``file.py:Class``, which is executed again when the file is saved.
    **settings
        Of the app, as its `settings()` has them: ``fee=0.0005``, ``params={"fast": 10}``.

    Returns
    -------
    Panel viewable with `settings()`

    Raises
    ------
    SettingsError
        No app of that name, no such setting, or a value that it does not take.
    """
    if name not in APPS:
        raise SettingsError(f"there is no app {name!r}; there are: {', '.join(APPS)}.{nearest(name, APPS)}")
    from maestro.apps.notebook import load_panel
    from maestro.bars import Bars

    make = importlib.import_module(f"maestro.apps.{name}").App
    takes_bars = "data" in make.State.names()
    if bars is not None and not (takes_bars and isinstance(bars, Bars)):
        remedy = "give what ms.load returns, or data='sample:AAPL'" if takes_bars else "it shows what runs_dir holds"
        raise SettingsError(f"the app {name} does not take {repr(bars)[:80]} as bars: {remedy}.")
    own = {}
    if isinstance(strategy, str):
        settings["strategy"] = _offered(strategy)
    elif isinstance(strategy, type) and issubclass(strategy, Strategy) and issubclass(make.State, TradeState):
        own = {"own": strategy}
    elif strategy is not None:
        kinds = "a name or a class" if issubclass(make.State, TradeState) else "a name"
        raise SettingsError(f"the app {name} does not take {repr(strategy)[:80]} as strategy; give {kinds}.")
    make.State.check(name, settings)
    load_panel()
    return make(bars, **own, **settings)


def _offered(strategy: str) -> str:
    """Name of a strategy in the apps, after its file was offered to them."""
    found = in_file(strategy)
    if found is None:
        return strategy
    FILES.offer(found[0])
    load_strategy(strategy)  # says here what is wrong with the file
    return strategy if found[1] else next(name for name in FILES.names() if name.startswith(f"{strategy}:"))


def page_of(name: str, **given: Any) -> Callable[[], Any]:
    """Return a function that makes a page of an app for each visitor, with the settings of the link and of `given`."""

    def make() -> Any:
        import panel as pn

        if not restricted():  # panel serve widgets/*.py
            restrict()
        _load_apps()
        pn.extension("tabulator")
        query = {} if pn.state.location is None else query_of(pn.state.location.search)
        return served_app(name, query, **given).page()

    return make


@cache
def _load_apps() -> None:
    """Import every app and what it needs, and tell the collector of garbage that all of it stays.

    Otherwise it looks at each of its half a million objects again and again, for 0.3 s in which no visitor is served.
    """
    for name in (*APPS, "home"):
        importlib.import_module(f"maestro.apps.{name}")
    gc.collect()
    gc.freeze()


def served_app(name: str, query: Mapping[str, str], **given: Any) -> Any:
    """Return the app of a served page; strategies of the server's own files come first."""
    if name in ("backtest", "walk_forward") and (own := FILES.names()):
        given = {"strategy": own[0], **given}
    return importlib.import_module(f"maestro.apps.{name}").App(None, query=query, **given)


def servable(name: str) -> None:
    """Hand an app to `panel serve`, with its name as the title of the tab."""
    page_of(name)().servable(title={"home": "Maestro", **APPS}[name])


def serve(
    names: Sequence[str] = (),
    *,
    port: int = 5006,
    address: str = "127.0.0.1",
    show: bool = True,
    prefix: str = "",
    origins: Sequence[str] = (),
    data_dirs: Sequence[str | Path] = (),
    strategies: Sequence[str | Path] = (),
    login_in_front: bool = False,
) -> None:
    """Serve apps until Ctrl-C.

    Parameters
    ----------
    names : names of apps; none are all of them
    port : int
        0 takes a free one.
    address : str
        To listen on.
    show : bool
        Open a browser.
    prefix : str
        Path before the names of the apps, where a proxy serves them below one.
    origins : list of HOST[:PORT]
        Under which browsers may reach the apps besides this machine's own names; ``*`` is any.
    data_dirs : folders whose files visitors may open, besides samples, stored series and their own uploads
    strategies : Python files, and folders that are watched for them
        User-defined strategies that visitors may choose; a file is executed again when it is saved.
    login_in_front : bool
        A proxy asks for a login before anything reaches the apps, so that `address` may be that of a network.

    Raises
    ------
    SettingsError
        No app of that name, a port or address that cannot be used, or an address that other machines reach without
        a login in front.
    """
    check_address(address, login_in_front)
    restrict(data_dirs)
    for place in strategies:
        FILES.offer(place)
    import panel as pn

    from maestro.apps.shared.series import clear_uploads
    from maestro.apps.shared.studies import patterns

    for name in names:
        if name not in APPS:
            raise SettingsError(f"there is no app {name!r}; there are: {', '.join(APPS)}.{nearest(name, APPS)}")
    if not 0 <= port < 65_536:
        raise SettingsError(f"port {port} cannot be; give 1 to 65535, or 0 for a free one.")
    clear_uploads()
    _load_apps()
    try:
        port = port or _free_port(address)
        hosts = {address, "localhost", "127.0.0.1", *([socket.gethostname()] if address in ("0.0.0.0", "::") else [])}
        pages = {name: page_of(name) for name in names or APPS}
        if len(pages) > 1:  # one app alone is what the address without a name leads to
            pages = {"/": page_of("home", served=tuple(pages)), **pages}
        pn.serve(
            pages, port=port, address=address, show=show, title={"/": "Maestro", **APPS},
            websocket_origin=[*(f"{host}:{port}" for host in sorted(hosts)), *origins], autoreload=False,
            extra_patterns=patterns(),
            use_xheaders=True,  # links of a page behind a proxy with TLS begin with https
            **({"prefix": prefix} if prefix else {}),
        )  # fmt: skip
    except OSError as error:
        raise SettingsError(
            f"port {port} of {address} cannot be used: {error.strerror or error}; give another."
        ) from error


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as free:
        free.bind((address, 0))
        return int(free.getsockname()[1])


def jupyter_tile(name: str) -> dict[str, Any]:
    """Entry of jupyter-server-proxy: a tile in JupyterLab's launcher that opens an app.

    All tiles lead to one server, that of the first entry: it begins when one of them is clicked, and has all apps.
    The other entries begin a server of their own for addresses that were saved before. Any origin is allowed, because
    the address of a hub or of Binder is not known here; what comes in has passed Jupyter's own login, and the port is
    open to this machine only.
    """
    first = f"maestro-{next(iter(APPS))}"
    below = f"maestro-{name.replace('_', '-')}"
    return {
        "command": [
            sys.executable, "-m", "maestro", "app", "--port", "{port}", "--no-show",
            "--prefix", f"{{base_url}}{below}", "--origin", "*", "--data-dir", ".",
        ],
        "absolute_url": True,
        "timeout": 60,
        "launcher_entry": {
            "title": f"Maestro {APPS[name]}", "path_info": f"{first}/{name}",  # icons are for its own categories only
            "icon_path": str(ICON),
        },
    }  # fmt: skip


market_tile, backtest_tile, walk_forward_tile, many_tile, runs_tile = (partial(jupyter_tile, name) for name in APPS)
"""What the package's entry points name."""
