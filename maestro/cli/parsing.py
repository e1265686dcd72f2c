"""Texts of the command line into bars, strategies, parameters, ranges and costs."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from maestro._core.quiet import ignored
from maestro.bars import Bars, BarsWarning
from maestro.bars.loading import load
from maestro.cli.file_options import file_options
from maestro.config import load_settings
from maestro.engine import Costs
from maestro.errors import ParameterError, StrategyError, nearest
from maestro.strategies import Strategy
from maestro.strategies.files import load_strategy
from maestro.strategies.options import find
from maestro.strategies.options import text as text_of
from maestro.strategies.parameters import Choice, Parameter

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def configured(given: Any, name: str) -> Any:
    """Value of an option: what was given, else the setting of that name."""
    return load_settings().get(name) if given is None else given


def option_of(runs_dir: Path) -> str:
    """Text of ``--runs-dir`` in a command that is printed; empty for the configured folder."""
    there = runs_dir.resolve() == load_settings().runs_dir.resolve()
    return "" if there else f" --runs-dir {shlex.quote(str(runs_dir))}"


def read_bars(
    data: str,
    symbol: str | None,
    start: str | None,
    end: str | None,
    resample: str | None = None,
    periods_per_year: float | None = None,
) -> Bars:
    """Bars of ``--data`` and its options."""
    given = {"symbol": symbol, "periods_per_year": periods_per_year, **file_options()}
    bars = load(data, start=start, end=end, **{name: value for name, value in given.items() if value is not None})
    if not resample:
        return bars
    with ignored(BarsWarning):  # it is in the notes, which every command shows
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
    return load_strategy(
        str(argument or option), " 'maestro strategies' lists them; a user-defined one is file.py:ClassName."
    )


@contextmanager
def executor_of(address: str | None) -> Iterator[Any]:
    """Yield a client of the cluster at ``--cluster`` or the setting ``cluster``, closed at the end; None without.

    ``--cluster none`` computes here, whatever the setting is.
    """
    address = configured(address, "cluster")
    if address is None or address.lower() == "none":
        yield None
        return
    from maestro.execution.distributed import connected

    with connected(address) as client:
        yield client


def read_pairs(texts: Iterable[str] | None, flag: str, example: str) -> dict[str, str]:
    """Texts ``name=value`` by name, each given once."""
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
        No such parameter, or a text that is not a value of its type.
    """
    pairs = read_pairs(texts, "--param", "-p fast=20")
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
    elif isinstance(parameter, Choice):
        value = _option(parameter, text)
    else:
        try:
            value = float(text) if parameter.kind == "float" or not _whole(text) else int(text)
        except ValueError:
            value = text
    return parameter.check(name, value)


def _option(parameter: Choice, text: str) -> Any:
    """Option that a text means: by its own text, or as a value of Python, such as 1.50 or (5,20)."""
    if find(parameter.options, text) is None:
        with suppress(ValueError, SyntaxError):
            return ast.literal_eval(text)
    return text


def _listed(parameter: Choice, text: str) -> list[str]:
    """Texts of a list of options, which may hold commas themselves."""
    found = []
    rest = text.strip()
    while rest:
        known = [one for one in map(text_of, parameter.options) if rest == one or rest.startswith(f"{one},")]
        one = max(known, key=len) if known else _until_comma(rest)
        found.append(one.strip())
        rest = rest[len(one) :].lstrip().removeprefix(",").lstrip()
    return found


def _until_comma(text: str) -> str:
    """Beginning of a text up to the first comma outside of brackets."""
    depth = 0
    for k, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            return text[:k]
    return text


def _whole(text: str) -> bool:
    return text.removeprefix("-").removeprefix("+").isdigit()


def read_space(strategy: type[Strategy], texts: Iterable[str] | None, fixed: dict[str, Any]) -> dict[str, Any]:
    """Ranges of ``--space name=low:high[:step]``, ``name=low:high:log`` or ``name=a,b,c``.

    Raises
    ------
    ParameterError
        No such parameter, or a text that is not a range.
    """
    declared = strategy.parameters(fixed)
    space: dict[str, Any] = {}
    for name, text in read_pairs(texts, "--space", "--space fast=5:50").items():
        parameter = _declared(strategy, declared, name)
        if isinstance(parameter, Choice):
            space[name] = [_value(name, one, parameter) for one in _listed(parameter, text)]
            continue
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
                f"--space {name}={text} is not a range; write {name}=5:50, {name}=5:50:5 or {name}=5,8,13."
            )
        space[name] = {"low": numbers[0], "high": numbers[1], "log": True} if log else tuple(numbers)
    return space


def read_costs(fee: float | None, slippage: float | None, venue: str | None) -> Costs:
    """Costs of a venue or the usual ones, with what was given in their place."""
    usual = Costs.of(venue) if venue else Costs()
    return Costs(fee=usual.fee if fee is None else fee, slippage=usual.slippage if slippage is None else slippage)
