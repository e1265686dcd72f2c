"""The state of an app, as parameters: readable from a link, and written as link, Python and papermill YAML."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

import param

from maestro._core.formatting import listed
from maestro._core.json import compact, finite
from maestro.apps.shared.access import refuse_runs
from maestro.apps.shared.command import pairs
from maestro.apps.shared.strategy_files import FILES
from maestro.config import load_settings
from maestro.errors import SettingsError, nearest
from maestro.strategies import Strategy, by_name, is_named
from maestro.strategies.files import in_file

Settings = dict[str, Any]
JOURNEY = "journey"
"""Name in a link of the settings that an app carries for the next one and does not use."""
_SAFE = ":,/[]"
"""Characters that a browser leaves as they are in the query of an address."""
SERIES = ("data", "start", "end", "periods_per_year")
"""Settings that determine the bars."""
TRADE = (*SERIES, "strategy", "params", "fee", "slippage", "sizing", "cash", "fill")
"""Settings that travel from app to app."""
_OF_PARAM = re.compile(r"^\w+ parameter '[\w.]+' ")
"""How the library of the states begins its errors: ``Number parameter 'TradeState.fee' must be at least 0``."""


class AppState(param.Parameterized):
    """Base of the apps' states: every parameter that is not private is a setting.

    Settings are plain values (text, numbers, truths, None, and dicts of those), by the names that notebooks and the
    command line use.
    """

    notebook: ClassVar[str] = ""
    """Notebook that runs these settings."""

    carried = param.Dict(default={}, precedence=-1, doc="Settings that this app keeps for the next one.")

    @classmethod
    def names(cls) -> list[str]:
        """Names of the settings."""
        return [name for name in cls.param if name != "name" and (cls.param[name].precedence or 0) >= 0]

    @classmethod
    def check(cls, app: str, settings: Mapping[str, Any]) -> None:
        """Check the settings that a program gives to an app.

        Raises
        ------
        SettingsError
            There is no setting of a name, or it does not take the value.
        """
        for name, value in settings.items():
            if name not in cls.names():
                known = cls.names()
                raise SettingsError(
                    f"the app {app} has no setting {name!r}; it has: {', '.join(known)}.{nearest(name, known)}"
                )
            try:
                cls(**{name: value})
            except (ValueError, TypeError) as error:
                why = _OF_PARAM.sub("", str(error)).rstrip(".")
                raise SettingsError(f"the app {app}: {name} {why}. {name}: {cls.param[name].doc}") from None

    def settings(self) -> Settings:
        """Return what reproduces the screen."""
        return {name: getattr(self, name) for name in self.names()}

    def usual(self) -> Settings:
        """Return the settings of a page whose link names none."""
        return {name: self.param[name].default for name in self.settings()}

    def unnamed(self) -> str:
        """Why a link and YAML cannot give this screen; empty where they can."""
        return ""

    def link(self) -> str:
        """Query of an address that shows the same."""
        chosen = named_in_link(self.settings(), self.usual())
        texts = {name: value if isinstance(value, str) else compact(value) for name, value in chosen.items()}
        return f"?{urlencode(texts, safe=_SAFE)}" if texts else ""

    def read(self, query: Mapping[str, str]) -> list[str]:
        """Take settings of a link; returns, in words, what of it could not be taken."""
        values, problems = self._parsed(query)
        for name, value in values.items():
            try:
                setattr(self, name, value)
            except (ValueError, TypeError):
                problems.append(self._invalid(name, query[name]))
        return problems

    def restore(self, query: Mapping[str, str]) -> None:
        """Take the settings of an earlier link of this page, in one event; what it leaves out has its default."""
        values = {**self.usual(), **self._parsed(query)[0]}
        self.param.update(**{name: value for name, value in values.items() if value != getattr(self, name)})

    def follow(self, query: Mapping[str, str]) -> None:
        """Take the settings of a link from another app, in one event; those of this app alone stay as they are."""
        if JOURNEY not in query:
            self.carried = {}
        given = {**self.usual(), **self._parsed(query)[0]}
        values = self._handed_over({name: given[name] for name in self.travelling()})
        self.param.update(**{name: value for name, value in values.items() if value != getattr(self, name)})

    def _handed_over(self, values: Settings) -> Settings:
        """Return what settings of another app change here."""
        return values

    def travelling(self) -> list[str]:
        """Names of the settings that travel from app to app."""
        return []

    def _parsed(self, query: Mapping[str, str]) -> tuple[Settings, list[str]]:
        """Values of the settings in a link, not checked yet, and what of it is not a setting or has no value."""
        values, problems = {}, []
        for name, text in query.items():
            if name == JOURNEY:
                problems += self._carry(text)
                continue
            if name not in self.settings():
                if name != "theme":
                    problems.append(f"the link has {name!r}, which is not a setting here")
            elif name == "runs_dir" and (refusal := refuse_runs(text)):
                problems.append(refusal)
            else:
                try:
                    values[name] = self._value(name, text)
                except (ValueError, TypeError, RecursionError):
                    problems.append(self._invalid(name, text))
        return values, problems

    def _carry(self, text: str) -> list[str]:
        """Keep settings of another app for the next one, which checks them."""
        try:
            found = finite(json.loads(text))
            self.carried = {name: found[name] for name in TRADE if name in found}
        except (ValueError, TypeError, RecursionError):
            return ["the settings of another app in the link cannot be read"]
        return []

    def _value(self, name: str, text: str) -> Any:
        declared = self.param[name]
        if isinstance(declared, param.String) or (isinstance(declared, param.Selector) and text in declared.objects):
            return text
        value = finite(json.loads(text))
        whole = type(value) is int and not isinstance(declared, param.Integer)
        return float(value) if isinstance(declared, param.Number) and whole else value

    def _invalid(self, name: str, text: str) -> str:
        """What of a link is refused, and what is allowed instead."""
        shown = text if len(text) <= 80 else f"{text[:80]}…"
        return f"{name}={shown!r} in the link is not valid: {_allowed(self.param[name])}"

    def frozen(self) -> Settings:
        """Return the parameters of the notebook: all settings, unless a state leaves some out."""
        return self.settings()

    def papermill(self) -> str:
        """YAML for ``papermill -f`` or ``maestro report --batch``."""
        import yaml

        return str(yaml.safe_dump(self.frozen(), sort_keys=False, allow_unicode=True))

    def python(self) -> str:
        """Lines of Python that give what is shown."""
        raise NotImplementedError

    def command(self) -> str:
        """Command line that does what is shown, or why there is none."""
        raise NotImplementedError

    def _load_line(self) -> str:
        given = self.settings()
        options = "".join(f", {name}={given[name]!r}" for name in SERIES[1:] if given[name])
        return f"import maestro as ms\n\nbars = ms.load({given['data']!r}{options})\n"


def named_in_link(settings: Settings, usual: Mapping[str, Any]) -> Settings:
    """Return the settings that a link names: those that are not `usual`, and the strategy.

    A server with strategies of its own (``maestro app --strategy``) begins with one of them, so a link that leaves the
    strategy out would show another one there.
    """
    return {name: value for name, value in settings.items() if value != usual[name] or (name == "strategy" and value)}


def _allowed(declared: Any) -> str:
    """What a setting takes, in words."""
    if isinstance(declared, param.Selector):
        return f"give {listed([str(one) for one in declared.objects if one != ''], word='or')}"
    if isinstance(declared, param.Boolean):
        return "give true or false"
    if isinstance(declared, param.Number):
        low, high = declared.bounds or (None, None)
        within, below = declared.inclusive_bounds
        ends = [f"{'of at least' if within else 'above'} {low:g}"] if low is not None else []
        ends += [f"{'at most' if below else 'below'} {high:.12g}"] if high is not None else []
        return f"give a {'whole ' if isinstance(declared, param.Integer) else ''}number {' and '.join(ends)}".rstrip()
    return 'give a list such as ["a", "b"]' if isinstance(declared, param.List) else 'give such as {"fast": 10}'


class RunsFolderState(AppState):
    """In which folder runs are kept: the configured one (`runs_dir`) unless another is given."""

    runs_dir = param.String(default="runs", doc="Folder of the runs.")

    def __init__(self, *, runs_dir: str | os.PathLike[str] | None = None, **settings: Any) -> None:
        folder = _configured_runs() if runs_dir is None else os.fspath(runs_dir)
        super().__init__(runs_dir=folder, **settings)

    def usual(self) -> Settings:
        """Return the settings of a page whose link names none."""
        return {**super().usual(), "runs_dir": _configured_runs()}


def _configured_runs() -> str:
    return str(load_settings().runs_dir)


class SeriesState(AppState):
    """Which bars."""

    data = param.String(default="sample:AAPL", doc="sample:AAPL, a file, or PROVIDER:SYMBOL:TIMEFRAME of the store.")
    start = param.String(default=None, allow_None=True, doc="First bar, UTC: 2020, 2020-06 or 2020-06-01.")
    end = param.String(default=None, allow_None=True, doc="Bars before this moment, UTC.")
    periods_per_year = param.Number(
        default=None, allow_None=True, bounds=(0, None), inclusive_bounds=(False, True),
        doc="Bars per year, by which figures are annualised; the market's own number if it is not given.",
    )  # fmt: skip

    def travelling(self) -> list[str]:
        """Names of the settings that travel from app to app."""
        return [name for name in self.settings() if name in TRADE]


class TradeState(SeriesState):
    """Which bars, which rule, and what trading costs."""

    strategy = param.String(default="EmaCrossStrategy", doc="Name of the rule.")
    params = param.Dict(default={}, doc="Values of the rule's parameters; defaults elsewhere.")
    fee = param.Number(
        default=0.001, bounds=(-0.01, 0.5), inclusive_bounds=(True, False),
        doc="Fraction of the notional per side; negative for a maker's rebate.",
    )  # fmt: skip
    slippage = param.Number(
        default=0.0005,
        bounds=(0, 0.5),
        inclusive_bounds=(True, False),
        doc="Fraction by which market orders are worse.",
    )
    sizing = param.String(default="percent:1.0", doc="percent:1.0, cash:5000, units:2, volatility:0.2 or risk:1%.")
    cash = param.Number(default=100_000.0, bounds=(1e-100, 1e100), doc="Starting cash.")
    fill: Any = param.Selector(default="next_open", objects=["next_open", "close"], doc="Where orders fill.")

    def __init__(self, own: type[Strategy] | None = None, **settings: Any) -> None:
        self.own, self._pinned = own, ""
        if own is not None:
            settings.setdefault("strategy", own.__name__)
        super().__init__(**settings)
        self._first = self.strategy

    def usual(self) -> Settings:
        """Return the settings of a page whose link names none."""
        return {**super().usual(), "strategy": self._first}

    def chosen(self) -> type[Strategy]:
        """Class of the strategy: one that was given to the app, of a file of the server, built in, or a plug-in's.

        Raises
        ------
        StrategyError
            There is none of that name.
        """
        if self.own is not None and self.strategy in (self._pinned, self.own.__name__):
            return self.own
        return FILES.get(self.strategy) if in_file(self.strategy) else by_name(self.strategy)

    def pin(self) -> None:
        """Keep the class that is chosen now, also when its file is saved again."""
        if in_file(self.strategy):
            self.own, self._pinned = self.chosen(), self.strategy

    @property
    def user_defined(self) -> bool:
        """Whether the strategy is code of this machine, which no service has."""
        return in_file(self.strategy) is not None or (self.own is not None and self.own.__name__ == self.strategy)

    def unnamed(self) -> str:
        """Why a link and YAML cannot give this screen: the strategy is a class that only this program has."""
        if self.own is None or self.strategy != self.own.__name__ or is_named(self.own):
            return ""
        return (
            f"{self.strategy} is defined in this notebook or program, so a link and YAML cannot name it. Save it "
            f'in a file and open the app with strategy="my_rules.py:{self.strategy}", or use the lines of Python here.'
        )

    def _strategy_text(self) -> str:
        if in_file(self.strategy):
            return f"ms.load_strategy({self.strategy!r})"
        return self.strategy if self.own is not None and self.own.__name__ == self.strategy else repr(self.strategy)

    def _trade_options(self) -> dict[str, Any]:
        """Options of the command line for series, strategy, parameters and costs."""
        return {
            "data": self.data, "start": self.start, "end": self.end, "param": pairs(self.params), "fee": self.fee,
            "slippage": self.slippage, "sizing": self.sizing, "cash": self.cash, "fill": self.fill,
        }  # fmt: skip

    def _trade_lines(self) -> str:
        return (
            f"costs=ms.Costs(fee={self.fee!r}, slippage={self.slippage!r}), sizing={self.sizing!r}, "
            f"cash={self.cash!r}, fill={self.fill!r}"
        )
