"""Texts of the command line into bars, strategies, parameters, ranges, costs and sizes."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from maestro.bars import Bars, BarsWarning
from maestro.config import load_settings
from maestro.config.settings import BUILT_IN
from maestro.engine import Costs, Sizing
from maestro.errors import ParameterError, SettingsError, SplitError, StrategyError, nearest
from maestro.loading import load
from maestro.strategies import STRATEGIES, Strategy
from maestro.strategies.parameters import Parameter
from maestro.walkforward.splitters import Adaptive, Calendar, Expanding, Rolling, Splitter

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_SIZINGS = ("percent", "cash", "units", "volatility")
_SPLITTERS: dict[str, Any] = {"rolling": Rolling, "expanding": Expanding, "adaptive": Adaptive, "calendar": Calendar}


def configured(given: Any, name: str, usual: Any) -> Any:
    """Value of an option: what was given, else what ``maestro.yaml`` or the environment says, else the usual one."""
    if given is not None:
        return given
    settings: Any = load_settings()
    if settings.origins.get(name, BUILT_IN) == BUILT_IN:
        return usual
    for part in name.split("."):
        settings = getattr(settings, part)
    return settings


def read_bars(
    data: str,
    symbol: str | None,
    start: str | None,
    end: str | None,
    resample: str | None = None,
    periods_per_year: float | None = None,
) -> Bars:
    """Bars of ``--data`` and the options beside it."""
    given = {"symbol": symbol, "periods_per_year": periods_per_year}
    bars = load(data, start=start, end=end, **{name: value for name, value in given.items() if value is not None})
    if not resample:
        return bars
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BarsWarning)  # it stands in the notes, which every command shows
        return bars.resample(resample)


def read_strategy(argument: str | None, option: str | None) -> type[Strategy]:
    """Class of a strategy, by its name or as ``path/to/file.py:ClassName``.

    Raises
    ------
    StrategyError
        None was given, or two, or there is none of that name.
    """
    if (argument is None) == (option is None):
        given = "is missing" if argument is None else f"was given twice, {argument} and {option}"
        raise StrategyError(f"the strategy {given}; give one name of 'maestro strategies', or file.py:ClassName.")
    text = str(argument or option)
    path, _, name = text.rpartition(":")
    if text.endswith(".py"):
        path, name = text, ""
    if path.endswith(".py"):
        return _from_file(Path(path), name)
    if text not in STRATEGIES:
        raise StrategyError(
            f"there is no strategy {text!r}; 'maestro strategies' lists them, your own is file.py:ClassName."
            + nearest(text, STRATEGIES)
        )
    return STRATEGIES[text]


def _from_file(path: Path, name: str) -> type[Strategy]:
    import cloudpickle

    if not path.is_file():
        raise StrategyError(f"there is no file {path}; give path/to/file.py:ClassName.")
    module_name = f"_maestro_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # where inspect looks for the source, and the source is part of a run's identity
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise StrategyError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    cloudpickle.register_pickle_by_value(module)  # worker processes cannot import it
    own = {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module_name
    }
    if name in own or (not name and len(own) == 1):
        return own[name] if name else next(iter(own.values()))
    shown = ", ".join(own) or "none"
    raise StrategyError(
        f"{path} has no strategy {name!r}; it has: {shown} (classes of ms.Strategy).{nearest(name, own)}"
        if name
        else f"{path} has {len(own)} strategies ({shown}); name one: {path}:ClassName."
    )


def _pairs(texts: Iterable[str] | None, flag: str, example: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name or not value.strip():
            raise ParameterError(f"{flag} {text!r} is not understood; write {example}.")
        if name in pairs:
            raise ParameterError(f"{flag} {name} was given twice; give it once.")
        pairs[name] = value.strip()
    return pairs


def read_params(strategy: type[Strategy], texts: Iterable[str] | None) -> dict[str, Any]:
    """Values of ``-p name=value`` in their declared types.

    Raises
    ------
    ParameterError
        No such parameter, or a text that is no value of its type.
    """
    pairs = _pairs(texts, "--param", "-p fast=20")
    proxy = {"proxy": True} if pairs.get("proxy", "").lower() in _YES else {}
    declared = strategy.parameters(proxy)
    return {name: _value(name, text, _declared(strategy, declared, name)) for name, text in pairs.items()}


def _declared(strategy: type[Strategy], declared: dict[str, Parameter], name: str) -> Parameter:
    if name not in declared:
        raise ParameterError(
            f"{strategy.__name__} has no parameter {name!r}; it has: {', '.join(declared) or 'none'}."
            + nearest(name, declared)
        )
    return declared[name]


def _value(name: str, text: str, parameter: Parameter) -> Any:
    """One value in its declared type; what is none is left as text, for `check` to refuse in its own words."""
    value: Any = text
    if parameter.kind == "bool":
        value = True if text.lower() in _YES else False if text.lower() in _NO else text
    elif parameter.kind == "choice":
        value = next((option for option in getattr(parameter, "options", ()) if str(option) == text), text)
    else:
        try:
            value = float(text) if parameter.kind == "float" or not _whole(text) else int(text)
        except ValueError:
            value = text
    return parameter.check(name, value)


def _whole(text: str) -> bool:
    return text.removeprefix("-").removeprefix("+").isdigit()


def read_space(strategy: type[Strategy], texts: Iterable[str] | None, fixed: dict[str, Any]) -> dict[str, Any]:
    """Ranges of ``--space name=low:high[:step]``, ``name=low:high:log`` or ``name=a,b,c``.

    Raises
    ------
    ParameterError
        No such parameter, or a text that is no range.
    """
    declared = strategy.parameters(fixed)
    space: dict[str, Any] = {}
    for name, text in _pairs(texts, "--space", "--space fast=5:50").items():
        parameter = _declared(strategy, declared, name)
        if ":" not in text:
            space[name] = [_value(name, one.strip(), parameter) for one in text.split(",")]
            continue
        parts = text.split(":")
        log = parts[-1] == "log"
        try:
            numbers: list[float] = [int(part) if _whole(part) else float(part) for part in parts[: -1 if log else None]]
        except ValueError:
            numbers = []
        if len(numbers) not in ((2,) if log else (2, 3)):
            raise ParameterError(
                f"--space {name}={text} is no range; write {name}=5:50, {name}=5:50:5 or {name}=5,8,13."
            )
        space[name] = {"low": numbers[0], "high": numbers[1], "log": True} if log else tuple(numbers)
    return space


def read_costs(fee: float | None, slippage: float | None, venue: str | None) -> Costs:
    """Costs of a venue or the usual ones, with what was given in their place."""
    usual = Costs.of(venue) if venue else Costs()
    return Costs(fee=usual.fee if fee is None else fee, slippage=usual.slippage if slippage is None else slippage)


def read_sizing(text: str) -> Sizing:
    """Size of ``kind:value`` or ``kind:value,max_exposure``."""
    kind, _, numbers = text.partition(":")
    if kind not in _SIZINGS:
        raise SettingsError(f"--sizing {text!r} is unknown; write percent:1.0, cash:5000, units:2 or volatility:0.2.")
    try:
        value, *rest = (float(part) for part in numbers.split(",")) if numbers else (1.0,)
    except ValueError:
        value, rest = 1.0, [0.0, 0.0]
    if len(rest) > 1:
        raise SettingsError(f"--sizing {text!r} is not understood; write {kind}:VALUE or {kind}:VALUE,MAX_EXPOSURE.")
    sizing: Sizing = getattr(Sizing, kind)(value, **({"max_exposure": rest[0]} if rest else {}))
    return sizing


def read_splitter(text: str) -> Splitter:
    """Splitter of ``kind:value,value,purge=24``; the values are the splitter's settings in order.

    Raises
    ------
    SplitError
        An unknown kind, or settings that it does not have.
    """
    kind, _, settings = text.partition(":")
    example = "; write rolling:10,2,1, expanding:10, adaptive:10,2 or calendar:6mo,1mo."
    if kind not in _SPLITTERS:
        raise SplitError(f"--splitter {text!r} is unknown{example}{nearest(kind, _SPLITTERS)}")
    cls = _SPLITTERS[kind]
    ordered = [field.name for field in fields(cls) if field.name not in ("purge", "embargo")]
    given: dict[str, Any] = {}
    for place, part in enumerate(filter(None, (one.strip() for one in settings.split(",")))):
        name, equals, value = part.partition("=")
        if not equals:
            name, value = (ordered[place] if place < len(ordered) else part), part
        if name not in (*ordered, "purge", "embargo") or name in given:
            allowed = ", ".join((*ordered, "purge", "embargo"))
            raise SplitError(f"--splitter {text!r}: {part!r} is not understood; {kind} has {allowed}{example}")
        given[name] = _number_or_text(value)
    splitter: Splitter = cls(**given)
    return splitter


def _number_or_text(text: str) -> int | float | str:
    if _whole(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text
