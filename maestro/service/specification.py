"""The specification of a job: one walk-forward or backtest as plain values, validated by the code that runs it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from maestro._core.quiet import ignored
from maestro.bars import Bars, BarsWarning, as_us
from maestro.bars.loading import load
from maestro.data.stores import configured_store
from maestro.engine import Costs, Sizing
from maestro.engine.engines import FAST, engine_name
from maestro.errors import MaestroError, SettingsError, nearest
from maestro.execution.events import Listener
from maestro.search.space import Space
from maestro.service.backtests import PlannedBacktest
from maestro.strategies import Strategy, by_name
from maestro.typing import Fill
from maestro.walkforward.result import WalkForward
from maestro.walkforward.run import Planned, plan, walk_forward
from maestro.walkforward.selection import Selection
from maestro.walkforward.splitter_text import splitter_of
from maestro.walkforward.splitters import checked

_SAMPLE = re.compile(r"sample:[A-Za-z]{1,12}")
_OLD = {
    "provider": r"[A-Za-z0-9_-]{1,40}",
    "symbol": r"[A-Za-z0-9_^=./:+-]{1,60}",
    "bin_size": r"[1-9]\d{0,5}[a-zA-Z]{1,2}",
}
"""Fields of 2020 that name a series together, and what each may be."""
_SERIES = re.compile(":".join(_OLD.values()))
_ALIASES = {
    "test_name": "name", "strategy_params": "params", "commissions": "fee", "start_date": "start", "end_date": "end",
    "engine_version": "engine",
}  # fmt: skip
WALK_FORWARD, BACKTEST = "walk-forward", "backtest"
_JOBS = {WALK_FORWARD: WALK_FORWARD, BACKTEST: BACKTEST, "WALKFORWARD": WALK_FORWARD, "BACKTESTING": BACKTEST}
_NOT_OF_A_BACKTEST = ("splitter", "trials", "search", "seed", "space", "select", "warm_start", "accept_defects")
_FARTHEST = 6e13
"""Milliseconds from 1970 to the year 3871, and back to 68, which all calendars here can express."""
TRIALS = 1_000_000
"""Parameter sets that one job may try, all folds together."""


class SpecificationError(SettingsError):
    """A field of a specification that cannot be used.

    Attributes
    ----------
    field : str
        Its name as it was given; empty where the fields together are refused.
    value : object
    """

    def __init__(self, message: str, field: str = "", value: Any = None) -> None:
        super().__init__(message)
        self.field, self.value = field, value


@dataclass(frozen=True, slots=True)
class Specification:
    """A job as plain values; fields and defaults are those of `ms.walk_forward`, `ms.backtest` and `ms.load`.

    Attributes
    ----------
    data : str
        ``sample:AAPL``, or ``PROVIDER:SYMBOL:TIMEFRAME`` of the server's store.
    strategy : str
        A name of ``maestro strategies``.
    kind : {"walk-forward", "backtest"}
    engine : str
        Who simulates a backtest: ``fast`` (``v2``), ``vectorbt`` or ``backtrader`` (``v1``); a walk-forward is run by
        ``fast``.
    start, end, resample, periods_per_year, fee, slippage
        As the options of ``maestro walk-forward``; None is the default there.
    name : str
        A label for people; no part of the run's id.
    """

    data: str
    strategy: str
    kind: str = WALK_FORWARD
    engine: str = FAST
    start: str | None = None
    end: str | None = None
    resample: str | None = None
    periods_per_year: float | None = None
    splitter: str = "rolling:10,2,1"
    trials: int = 100
    search: str = "tpe"
    seed: int = 0
    params: dict[str, Any] = field(default_factory=dict)
    space: dict[str, Any] = field(default_factory=dict)
    fee: float | None = None
    slippage: float | None = None
    sizing: str = "percent:1.0"
    cash: float = 100_000.0
    fill: str = "next_open"
    select: Any = "sharpe_ratio,vwr"
    warm_start: bool = False
    accept_defects: bool = False
    name: str = ""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Specification:
        """Read a specification; names of the service of 2020 are taken too.

        ``test_name``, ``provider`` with ``symbol`` and ``bin_size``, ``strategy_params``, ``commissions``,
        ``start_date`` and ``end_date`` (in ms), ``kind`` and ``engine_version`` stand for fields of ours.

        Raises
        ------
        SpecificationError
            An unknown field, one that is missing or has a value of a wrong type, or one that is given twice.
        """
        given: dict[str, Any] = {}
        came: dict[str, tuple[str, Any]] = {}
        seen: dict[str, str] = {}
        for key, value in _without_old(dict(document)).items():
            name = _ALIASES.get(key, key)
            if name not in _KINDS:
                known = [*_KINDS, *_ALIASES, *_OLD]
                raise SpecificationError(
                    f"{key} is not a field of a job; there are: {', '.join(_KINDS)}.{nearest(key, known)}",
                    key, value,
                )  # fmt: skip
            if name in seen:
                raise SpecificationError(
                    f"{name} is given twice, as {seen[name]} and as {key}; give it once.", key, value
                )
            seen[name] = key
            if key in ("start_date", "end_date"):
                value = _moment(key, value)
            if value is not None:
                given[name], came[name] = _typed(key, name, value), (key, value)
        for name, what in (("data", "sample:AAPL or PROVIDER:SYMBOL:TIMEFRAME"), ("strategy", "EmaCrossStrategy")):
            if name not in given:
                raise SpecificationError(f"{name} is missing; give one, {what} for instance.", name)
        given["kind"] = _kind(given.get("kind", WALK_FORWARD))
        if "engine" in given:
            with _naming_field(*came["engine"]):
                given["engine"] = engine_name(given["engine"])
        found = cls(**given)
        found._refuse_fields_of_the_other_kind(came)
        return found

    def _refuse_fields_of_the_other_kind(self, came: Mapping[str, tuple[str, Any]]) -> None:
        """Refuse an engine that runs no walk-forward, and a search in a backtest; `came`: keys and values as given."""
        if self.kind == WALK_FORWARD:
            if self.engine != FAST:
                key, value = came["engine"]
                raise SpecificationError(
                    f"{key}={value!r} runs no walk-forward, as that engine has no windows of folds; give fast (v2), or "
                    "kind backtest (BACKTESTING). Results in the schema of 2020 are ?schema=v1.", key, value,
                )  # fmt: skip
            return
        for one in fields(self):
            usual = {} if one.name == "space" else one.default
            if one.name in _NOT_OF_A_BACKTEST and getattr(self, one.name) != usual:
                key, value = came[one.name]
                raise SpecificationError(
                    f"{key} is a field of a walk-forward, and this is a backtest; leave it out, or give kind "
                    "walk-forward.", key, value,
                )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain values; `of` takes it back."""
        return asdict(self)

    def bars(self) -> Bars:
        """Load the bars.

        Raises
        ------
        SpecificationError
            Not a sample and not a series of the store, or one that cannot be loaded. Paths of files are refused.
        """
        text = self.data
        if not (_SAMPLE.fullmatch(text) or _SERIES.fullmatch(text)) or ".." in text or _is_file(text):
            raise SpecificationError(
                f"data={text!r} names no series of this server; give sample:AAPL, or PROVIDER:SYMBOL:TIMEFRAME of its "
                "store. Files on your machine are not read: import them into the store (maestro data import).",
                "data", text,
            )  # fmt: skip
        self._refuse_range()
        with ignored(BarsWarning):  # they are among the notes of the result
            bars = self._loaded()
            with _naming_field("resample", self.resample):
                return bars.resample(self.resample) if self.resample else bars

    def _refuse_range(self) -> None:
        """Refuse a start or an end that is no moment, and a start that is not before the end."""
        moments = []
        for name, text in (("start", self.start), ("end", self.end)):
            with _naming_field(name, text):
                moments.append(None if text is None else as_us(text))
        start, end = moments
        if start is not None and end is not None and start >= end:
            raise SpecificationError(
                f"start={self.start!r} is not before end={self.end!r}; give an earlier start or a later end.",
                "start", self.start,
            )  # fmt: skip

    def _loaded(self) -> Bars:
        """Load the bars; an error blames the field that caused it, and does not name the folder of the store."""
        options = {} if self.periods_per_year is None else {"periods_per_year": self.periods_per_year}
        try:
            return load(self.data, start=self.start, end=self.end, **options)
        except MaestroError as error:
            words, field = str(error).replace(configured_store().name, "the server's store"), "data"
            if words.startswith("no bar "):
                field = "start" if self.start is not None else "end"
            elif words.startswith("periods_per_year="):
                field = "periods_per_year"
            raise SpecificationError(words, field, getattr(self, field)) from error

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of `ms.walk_forward` and `ms.plan`."""
        usual = Costs()
        with _naming_field("fee", self.fee):
            costs = Costs(fee=usual.fee if self.fee is None else self.fee)
        with _naming_field("slippage", self.slippage):
            costs = Costs(costs.fee, usual.slippage if self.slippage is None else self.slippage)
        return {
            "splitter": self.splitter, "trials": self.trials, "search": self.search, "seed": self.seed,
            "params": dict(self.params), "space": dict(self.space), "costs": costs, "sizing": self.sizing,
            "cash": self.cash, "fill": self.fill, "select": self.select, "warm_start": self.warm_start,
            "accept_defects": self.accept_defects,
        }  # fmt: skip

    def plan(self) -> tuple[Bars, Planned | PlannedBacktest]:
        """Check everything by the code that runs it; returns the bars and the planned run.

        Raises
        ------
        SpecificationError
            Whatever `ms.walk_forward` would refuse before the first fold, or `ms.backtest` before it simulates, with
            the field to blame.
        """
        bars = self.bars()
        with _naming_field("strategy", self.strategy):
            cls = by_name(self.strategy, " client.strategies() and GET /api/v2/strategies list them.")
        if self.kind == BACKTEST:
            return bars, self._plan_backtest(bars, cls)
        with _naming_field("params", self.params):
            Space(cls, self.params) if not self.space else cls(**self.params)
        with _naming_field("space", self.space):
            Space(cls, self.params, self.space)
        with _naming_field("splitter", self.splitter):
            windows = checked(splitter_of(self.splitter).split(bars), len(bars))
        with _naming_field("sizing", self.sizing):
            Sizing.of(self.sizing)
        with _naming_field("select", self.select):
            Selection.of(self.select)
        if self.trials * len(windows) > TRIALS:
            raise SpecificationError(
                f"trials={self.trials} in {len(windows)} folds are more than {TRIALS:,} parameter sets; ask for fewer.",
                "trials", self.trials,
            )  # fmt: skip
        with _naming_field("", self.to_dict()):
            return bars, plan(bars, self.strategy, **self.arguments())

    def _plan_backtest(self, bars: Bars, cls: type[Strategy]) -> PlannedBacktest:
        with _naming_field("params", self.params):
            strategy = cls(**self.params)
        with _naming_field("sizing", self.sizing):
            sizing = Sizing.of(self.sizing)
        costs, fill = self.arguments()["costs"], cast(Fill, self.fill)
        with _naming_field("", self.to_dict()):
            return PlannedBacktest(
                bars, strategy, costs=costs, sizing=sizing, cash=self.cash, fill=fill, engine=self.engine
            )

    def run(
        self, runs_dir: Path, *, workers: int | None, progress: list[Listener], cancel: threading.Event,
        executor: Any = None,
    ) -> WalkForward:  # fmt: skip
        """Run it, or go on with it, as `ms.walk_forward` does; folds run on a cluster if `executor` is its client."""
        return walk_forward(
            self.bars(), self.strategy, **self.arguments(), workers=None if executor is not None else workers,
            executor="serial" if executor is None and workers == 1 else executor, runs_dir=runs_dir,
            progress=progress, cancel=cancel,
        )  # fmt: skip


def plan_of(document: Mapping[str, Any]) -> tuple[Specification, Bars, Planned | PlannedBacktest]:
    """Read and check a specification; an error names its fields as the document does, by those of 2020 too.

    Raises
    ------
    SpecificationError
        As of `Specification.of` and `Specification.plan`.
    """
    try:
        specification = Specification.of(document)
        return specification, *specification.plan()
    except SpecificationError as error:
        old = {ours: name for name, ours in _ALIASES.items() if name in document}
        if "symbol" in document:
            old["data"] = "symbol"
        name = old.get(error.field, error.field)
        words = re.sub(rf"^{_ALIASES.get(name, name)}=", f"{name}=", str(error))
        raise SpecificationError(words, name, document.get(name, error.value)) from error


_KINDS: dict[str, tuple[type, ...]] = {
    **{one.name: (str,) for one in fields(Specification)},
    "periods_per_year": (int, float), "trials": (int,), "seed": (int,), "params": (dict,), "space": (dict,),
    "fee": (int, float), "slippage": (int, float), "cash": (int, float), "select": (str, list, dict),
    "warm_start": (bool,), "accept_defects": (bool,),
}  # fmt: skip
_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    dict: "an object",
    list: "a list",
    bool: "true or false",
}


def _typed(key: str, name: str, value: Any) -> Any:
    kinds = _KINDS[name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join(dict.fromkeys(_WORDS[kind] for kind in kinds if kind is not int or float not in kinds))
        raise SpecificationError(f"{key}={value!r} is of the wrong type; give {wanted}.", key, value)
    if isinstance(value, str) and (len(value) > 500 or "\0" in value):
        raise SpecificationError(f"{key} is longer than 500 characters or has a NUL; give a shorter text.", key)
    if isinstance(value, (int, float)) and float in kinds:
        return float(value)
    return value


def _without_old(given: dict[str, Any]) -> dict[str, Any]:
    """Join the fields of 2020 that name a series."""
    parts = {name: given.pop(name) for name in _OLD if name in given}
    if parts:
        if len(parts) < 3 or "data" in given:
            without = (
                "beside data" if "data" in given else f"without {', '.join(name for name in _OLD if name not in parts)}"
            )
            raise SpecificationError(
                f"{', '.join(parts)} {without} cannot be used; give provider, symbol and bin_size together, or data.",
                next(iter(parts)), next(iter(parts.values())),
            )  # fmt: skip
        for name, value in parts.items():
            if not isinstance(value, str):
                raise SpecificationError(f"{name}={value!r} is of the wrong type; give text.", name, value)
            if not re.fullmatch(_OLD[name], value) or ".." in value:
                raise SpecificationError(
                    f"{name}={value!r} is no part of the name of a series; give one like BITMEX, XBTUSD and 1h.",
                    name, value,
                )  # fmt: skip
        given["data"] = ":".join(parts[name] for name in _OLD)
    return given


def _kind(given: str) -> str:
    if given not in _JOBS:
        raise SpecificationError(
            f"kind={given!r} is not a kind of job; give walk-forward or backtest (of 2020: WALKFORWARD, BACKTESTING).",
            "kind", given,
        )  # fmt: skip
    return _JOBS[given]


def _moment(key: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _FARTHEST:
        raise SpecificationError(f"{key}={value!r} is not a moment; give milliseconds since 1970, UTC.", key, value)
    return datetime.fromtimestamp(value / 1000, UTC).isoformat()


def _is_file(text: str) -> bool:
    return Path(text).exists()


@contextmanager
def _naming_field(name: str, value: Any) -> Iterator[None]:
    try:
        yield
    except SpecificationError:
        raise
    except MaestroError as error:
        named = re.match(r"(\w+)=", str(error))
        where = name or (named[1] if named and named[1] in _KINDS else "")
        raise SpecificationError(str(error), where, value if name else value.get(where)) from error
    except (TypeError, ValueError, OverflowError) as error:
        raise SpecificationError(f"{name or 'the specification'}: {error}", name, value) from error
