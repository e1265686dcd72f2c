"""The sets that a search may try: searched parameters of a strategy, fixed ones, and the rules between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maestro.errors import ParameterError, SettingsError, StrategyError, nearest
from maestro.search.dimensions import Dimension, dimension
from maestro.strategies.base import Strategy
from maestro.strategies.declaration import check_declaration
from maestro.strategies.parameters import Choice, Constraint, Params
from maestro.typing import BoolArray, Parameters

Columns: TypeAlias = dict[str, NDArray[Any]]
"""Many parameter sets: one array a searched parameter, all of one length."""

_PROBES = 32


class Space:
    """The parameter sets of a strategy that a search may try.

    Parameters
    ----------
    strategy : type[Strategy]
        Its declarations give types, ranges and constraints.
    fixed : dict, optional
        Values of parameters that are not searched.
    search : dict, optional
        Ranges in place of the declared ones, by name: ``(low, high)``, ``(low, high, step)``, a list of options,
        a dictionary (low, high, step, log, options) or a parameter object (``ms.Choice(None, (5, 8, 13))``).
        A parameter declared with ``search=False`` is searched when it has a range here.

    Attributes
    ----------
    dimensions : tuple of Dimension
        Searched parameters in order of declaration.
    names : tuple of str
        Their names.
    fixed : dict
        All other parameters, with their values: those given, defaults, and ranges of a single value.

    Raises
    ------
    SettingsError
        A name fixed and searched at once, an empty range, nothing to search.
    ParameterError
        An unknown name, a value that the rule cannot take.
    """

    def __init__(
        self,
        strategy: type[Strategy],
        fixed: Mapping[str, Any] | None = None,
        search: Mapping[str, Any] | None = None,
    ) -> None:
        given, ranges = dict(fixed or {}), dict(search or {})
        declared = strategy.parameters(given)
        check_declaration(strategy, declared)
        for name in (*given, *ranges):
            if name not in declared:
                raise ParameterError(
                    f"{strategy.__name__} has no parameter {name!r}; it has: {', '.join(declared) or 'none'}."
                    + nearest(name, declared)
                )
        both = sorted(given.keys() & ranges.keys())
        if both:
            raise SettingsError(
                f"{', '.join(both)}: fixed and searched at once ({both[0]}={given[both[0]]!r} and "
                f"{both[0]}={ranges[both[0]]!r}); keep one of them."
            )
        self.strategy = strategy
        self.fixed: Parameters = {}
        dimensions = []
        for name, parameter in declared.items():
            if name in given:
                self.fixed[name] = parameter.check(name, given[name])
            elif not parameter.search and name not in ranges:
                self.fixed[name] = parameter.default
            else:
                found = dimension(name, parameter, ranges.get(name))
                if found.low == found.high:
                    self.fixed[name] = found.decode(found.code_low)
                else:
                    dimensions.append(found)
        if not dimensions:
            shown = ", ".join(f"{name}={value!r}" for name, value in self.fixed.items())
            raise SettingsError(
                f"{strategy.__name__} has nothing to search ({'all fixed: ' + shown if shown else 'no parameters'}); "
                "leave a parameter free, or give a range: search={name: (low, high)}."
            )
        self.dimensions: tuple[Dimension, ...] = tuple(dimensions)
        self.names: tuple[str, ...] = tuple(d.name for d in dimensions)
        self._declared, self._order = declared, tuple(declared)
        self._defaults = {name: parameter.default for name, parameter in declared.items()}

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """Rules between parameters, of the strategy."""
        return self.strategy.constraints

    @property
    def size(self) -> float:
        """Number of distinct sets, those that break a constraint included; infinite with a real number."""
        return math.prod(math.inf if d.size is None else d.size for d in self.dimensions)

    @property
    def default(self) -> Parameters | None:
        """The strategy's defaults with the fixed values, or None where they are not a point of this space."""
        params = self.complete({name: self._defaults[name] for name in self.names})
        return params if self.contains(params) and self.feasible(params) else None

    def complete(self, params: Mapping[str, Any]) -> Parameters:
        """All parameters in order of declaration, from the searched ones."""
        return {name: params[name] if name in params else self.fixed[name] for name in self._order}

    def contains(self, params: Mapping[str, Any]) -> bool:
        """Whether a search can come upon this set, constraints apart."""
        return all(d.contains(params[d.name]) for d in self.dimensions)

    def check(self, params: Mapping[str, Any]) -> Parameters:
        """Return a given set completed, or refuse one that is not a feasible point of this space."""
        for name in params:
            if name not in self._order:
                raise ParameterError(
                    f"{self.strategy.__name__} has no parameter {name!r}; it has: {', '.join(self._order)}."
                    + nearest(name, self._order)
                )
        lacking = [name for name in self.names if name not in params]
        if lacking:
            raise SettingsError(f"A first trial lacks {', '.join(lacking)}; give every searched parameter.")
        params = {name: self._declared[name].check(name, value) for name, value in params.items()}
        other = [f"{n}={params[n]!r} (fixed: {v!r})" for n, v in self.fixed.items() if n in params and params[n] != v]
        outside = [f"{d.name}={params[d.name]!r}" for d in self.dimensions if not d.contains(params[d.name])]
        if other or outside:
            raise SettingsError(
                f"A first trial lies outside the searched space: {', '.join(other + outside)}; searched are "
                f"{self.describe()}."
            )
        values = self.complete(params)
        if not self.feasible(values):
            broken = [c.rule for c in self.constraints if not self._holds(c, Params(values))]
            shown = ", ".join(f"{n}={values[n]!r}" for n in self.names)
            raise SettingsError(f"A first trial ({shown}) breaks {' and '.join(broken)}; give one that holds.")
        return values

    def describe(self) -> str:
        """Ranges in words, for messages."""
        parts = []
        for d in self.dimensions:
            step = f" step {d.step:g}" if d.step is not None and (d.kind == "float" or d.step != 1) else ""
            shown = (
                f"{list(d.options)}" if d.options else f"[{d.low:g}..{d.high:g}]{step}{' log scale' if d.log else ''}"
            )
            parts.append(f"{d.name} {shown}")
        return ", ".join(parts)

    # -- constraints ------------------------------------------------------------------------

    def violations(self, params: Mapping[str, Any]) -> int:
        """Number of constraints that a complete set breaks."""
        if not self.constraints:
            return 0
        values = Params(params)
        return sum(not self._holds(constraint, values) for constraint in self.constraints)

    def feasible(self, params: Mapping[str, Any]) -> bool:
        """Whether a complete set breaks no constraint."""
        return self.violations(params) == 0

    def feasible_mask(self, columns: Columns) -> BoolArray:
        """Which rows break no constraint.

        A constraint is asked once with whole columns in place of values; where it cannot answer that (``and``,
        ``max``, ``math.sqrt``), or answers otherwise than row by row on a sample, every row is asked.
        """
        n = len(columns[self.names[0]])
        mask = np.ones(n, np.bool_)
        for constraint in self.constraints:
            answer = self._at_once(constraint, columns, n)
            if answer is None:
                answer = np.fromiter((self._holds(constraint, Params(row)) for row in self.rows(columns)), np.bool_, n)
            mask &= answer
        return mask

    def _at_once(self, constraint: Constraint, columns: Columns, n: int) -> BoolArray | None:
        if n <= _PROBES:
            return None
        holds: Callable[[Params], Any] = constraint.holds
        try:
            with np.errstate(all="raise"):
                answer = holds(Params({**self.fixed, **columns}))
        except Exception:  # any refusal of arrays means: ask row by row, where a real error shows itself
            return None
        if not isinstance(answer, np.ndarray) or answer.shape != (n,) or answer.dtype != np.bool_:
            return None
        probe = np.linspace(0, n - 1, _PROBES).astype(np.int64)
        rows = self.rows({name: column[probe] for name, column in columns.items()})
        if any(self._holds(constraint, Params(row)) != answer[i] for i, row in zip(probe, rows, strict=True)):
            return None
        return answer

    def _holds(self, constraint: Constraint, values: Params) -> bool:
        try:
            return bool(constraint.holds(values))
        except Exception as error:
            shown = ", ".join(f"{name}={value!r}" for name, value in values.items())
            raise StrategyError(
                f"The constraint {constraint.rule!r} of {self.strategy.__name__} failed for {shown}: "
                f"{type(error).__name__}: {error}."
            ) from error

    # -- many sets --------------------------------------------------------------------------

    def rows(self, columns: Columns) -> Iterator[Parameters]:
        """Complete sets, one per row, as plain Python values."""
        lists = [columns[name].tolist() for name in self.names]
        template = self.complete(dict.fromkeys(self.names))
        for values in zip(*lists, strict=True):
            params = template.copy()
            params.update(zip(self.names, values, strict=True))
            yield params

    def columns(self, sets: list[Parameters]) -> Columns:
        """Columns of the searched parameters of a list of sets."""
        types: dict[str, type] = {"int": np.int64, "float": np.float64, "bool": np.bool_, "choice": object}
        result: Columns = {}
        for d in self.dimensions:
            column: NDArray[Any] = np.empty(len(sets), types[d.kind])
            for k, params in enumerate(sets):  # one by one: NumPy would spread a tuple over several
                column[k] = d.options[d.place(params[d.name])] if d.kind == "choice" else params[d.name]
            result[d.name] = column
        return result

    # -- in tables --------------------------------------------------------------------------

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all parameters, searched and fixed, in order of declaration: columns of every table."""
        return self._order

    def row(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A complete set as a row of a table; options without a column type are written as text."""
        return {name: self._declared[name].cell(params[name]) for name in self._order}

    def table(self, sets: Sequence[Mapping[str, Any]]) -> dict[str, pl.Series]:
        """Columns of tables for complete sets, one per parameter, of the declared type even if there is no set."""
        return {name: self._column(name, [params[name] for params in sets]) for name in self._order}

    def searched_table(self, columns: Columns) -> dict[str, pl.Series]:
        """Columns of tables for the searched parameters of many sets."""
        return {name: self._column(name, columns[name].tolist()) for name in self.names}

    def _column(self, name: str, values: list[Any]) -> pl.Series:
        parameter = self._declared[name]
        kinds: dict[type, Any] = {bool: pl.Boolean, int: pl.Int64, float: pl.Float64, str: pl.String}
        if not isinstance(parameter, Choice):
            kind = {"int": int, "float": float, "bool": bool}[parameter.kind]
            return pl.Series(name, values, kinds[kind])
        known = {id(option): cell for option, cell in zip(parameter.options, parameter.cells, strict=True)}
        cells = [known[id(value)] if id(value) in known else parameter.cell(value) for value in values]
        return pl.Series(name, cells, kinds[type(parameter.cells[0])])

    def from_row(self, row: Mapping[str, Any]) -> Parameters:
        """Complete set of a table's row, in the declared types."""
        return {name: self._declared[name].check(name, row[name]) for name in self._order}

    def written(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """JSON form of parameters; `check` and `Space` take it back."""
        return {name: self._declared[name].written(value) for name, value in params.items()}

    # -- on disk ----------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """JSON form: ``{"fixed": {...}, "search": {name: {...}}}``, which `Space` takes back as its arguments."""
        return {"fixed": self.written(self.fixed), "search": {d.name: d.to_dict() for d in self.dimensions}}

    def __repr__(self) -> str:
        return f"Space({self.strategy.__name__}: {self.describe()})"
