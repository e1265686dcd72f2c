"""Settings that travel from app to app: the links of the menu and of buttons carry series, strategy and costs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from maestro._core.json import as_text
from maestro.apps.shared.state import JOURNEY, SERIES, TRADE, AppState, TradeState, named_in_link
from maestro.errors import MaestroError
from maestro.strategies import Strategy

RESUME = "resume"
"""Name in a link to the Walk-forward app; ``true`` resumes an interrupted run as soon as the page is open."""


def settings_from(state: AppState) -> dict[str, Any]:
    """Settings that the next app takes over: those of this page, and those that it only carries."""
    found = dict(state.carried)
    own = {name: getattr(state, name) for name in state.travelling()}
    if "params" in own and found.get("strategy") == own["strategy"]:  # a walk-forward has those not searched only
        own["params"] = {**found.get("params", {}), **own["params"]}
    return {**found, **own}


def link_to(app: str, settings: Mapping[str, Any], *, fixed: bool = False, **more: Any) -> str:
    """Address of an app, below the same server, that begins with these settings.

    Parameters
    ----------
    app : str
        A key of `APPS`.
    settings : mapping
        As `settings_from` gives them.
    fixed : bool
        The parameters are not searched in a walk-forward; otherwise it searches all that it can.
    **more
        Further settings of that app.
    """
    direct, carried = dict(settings), {}  # settings of that app, and those that it keeps for the next one
    if app == "market":
        carried = {name: direct.pop(name) for name in list(direct) if name not in SERIES}
    elif app == "walk_forward" and not fixed:
        params = direct.get("params") or {}
        direct["params"] = {name: value for name, value in params.items() if name in _not_searched(direct)}
        if params != direct["params"]:
            carried = {"strategy": direct["strategy"], "params": params}
    elif app not in ("backtest", "walk_forward"):
        direct, carried = {}, direct
    usual = {name: TradeState.param[name].default for name in TRADE}
    query = {name: as_text(value) for name, value in {**named_in_link(direct, usual), **more}.items()}
    if kept := named_in_link(carried, usual):
        query[JOURNEY] = json.dumps(kept, separators=(",", ":"))
    return f"./{app}{f'?{urlencode(query)}' if query else ''}"


def _not_searched(settings: Mapping[str, Any]) -> list[str]:
    """Parameters of the strategy that no search varies, such as ``proxy``."""
    try:
        cls: type[Strategy] = TradeState(strategy=settings.get("strategy", "EmaCrossStrategy")).chosen()
    except MaestroError:  # the next app says what is wrong with it
        return []
    return [name for name, one in cls.declared.items() if not one.search]
