"""Check a strategy's declared parameters: names that are free, and a default for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro.errors import ParameterError
from maestro.strategies.parameters import Choice, Parameter

if TYPE_CHECKING:
    from maestro.strategies.base import Strategy

TABLE_COLUMNS = frozenset(
    {
        "bar", "chosen", "error", "fold", "folds", "in_sample", "kept", "out_of_sample", "state", "test_end",
        "test_start", "times", "train_end", "train_start", "trial",
    }
)  # fmt: skip
"""Columns beside the parameters in the tables of results, the metrics apart."""


def check_declaration(strategy: type[Strategy], declared: dict[str, Parameter] | None = None) -> None:
    """Refuse parameters whose names are taken, or that have no default.

    A parameter is a column of every table of results and an attribute of the strategy: under the name of another
    column or attribute it would overwrite it, or be overwritten.

    Parameters
    ----------
    strategy : type of Strategy
    declared : dict, optional
        Declarations in effect, if they depend on given values; by default those of the class.

    Raises
    ------
    ParameterError
    """
    if declared is None or declared is strategy.declared:
        if "__usable__" in strategy.__dict__:
            return
        declared = strategy.declared
    from maestro.metrics import NAMES  # Numba, which a declaration alone does not need

    root = next(base for base in reversed(strategy.__mro__) if "declared" in vars(base))
    attributes = set(vars(root)) | {"params"}
    for name, parameter in declared.items():
        what = ""
        if name in NAMES or name.removeprefix("is_") in NAMES or name.removeprefix("oos_") in NAMES:
            what = "a metric"
        elif name in TABLE_COLUMNS:
            what = "a column of the tables of results"
        elif name in attributes:
            what = "an attribute of ms.Strategy"
        if what:
            raise ParameterError(
                f"{strategy.__name__}: a parameter cannot be called {name!r}, which is the name of {what}; give it "
                f"another name, like {name}_level or max_{name}."
            )
        if isinstance(parameter, Choice) and parameter.default is None and None not in parameter.options:
            raise ParameterError(
                f"{strategy.__name__}: the choice {name!r} has no default; give one of its options, "
                f"{', '.join(map(repr, parameter.options))}, or make None an option."
            )
    if declared is strategy.declared:
        strategy.__usable__ = True  # type: ignore[attr-defined]  # a name that is no part of the hash of its source
