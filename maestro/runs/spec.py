"""The specification of a run as typed values: `RunSpec`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from maestro._core.records import Reader, shown, to_plain
from maestro.bars import Bars
from maestro.errors import RunError, RunSchemaError
from maestro.search.dimensions import Dimension
from maestro.typing import Fill
from maestro.version import __version__

SCHEMA = 1
"""Version of the plain form; runs that say none, of the first builds of 0.1.0, are in the form of version 1."""

Edges: TypeAlias = tuple[int, int, int, int]
"""Start and stop of a training window, start and stop of its test window; positions in the bars."""


class _Attributes:
    """Says what to write where a specification is read like a dictionary."""

    __slots__ = ()

    if not TYPE_CHECKING:  # for a type checker, keys are an error already

        def __getitem__(self, key: object) -> Any:
            raise TypeError(
                f"{type(self).__name__} has attributes, not keys: write .{key} in place of [{key!r}], or take a "
                "dictionary from to_dict()."
            )


@dataclass(frozen=True)
class BarsSpec(_Attributes):
    """The bars of a run.

    Attributes
    ----------
    name, provider, symbol, timeframe : str
    fingerprint : str
        SHA-256 of all columns.
    n : int
        Number of bars.
    start, end : datetime
        Open of the first and of the last bar, UTC.
    synthetic : bool
    notes : tuple of str
    others : mapping of (name, fingerprint)
        Further symbols that the bars carry, by the name that the strategy uses.
    """

    name: str
    provider: str
    symbol: str
    timeframe: str
    fingerprint: str
    n: int
    start: datetime
    end: datetime
    synthetic: bool
    notes: tuple[str, ...]
    others: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, bars: Bars) -> BarsSpec:
        """Return what a specification records of bars."""
        return cls(
            name=bars.name, provider=bars.provider, symbol=bars.symbol, timeframe=bars.timeframe,
            fingerprint=bars.fingerprint, n=len(bars), start=bars.start, end=bars.end, synthetic=bars.synthetic,
            notes=tuple(bars.notes),
            others={name: (other.name, other.fingerprint) for name, other in bars.others.items()},
        )  # fmt: skip


@dataclass(frozen=True)
class SplitterSpec(_Attributes):
    """Class of a splitter, and its settings as plain values."""

    kind: str
    settings: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the plain form: the settings next to the kind."""
        return {"kind": self.kind, **self.settings}


@dataclass(frozen=True)
class ObjectSpec(_Attributes):
    """A configured object, such as an Optuna sampler: its class or function, and its settings as plain values."""

    name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class SelectionSpec(_Attributes):
    """Selection of a fold's trial; see `maestro.walkforward.Selection`."""

    kind: Literal["order", "weighted", "rank_average", "pareto"]
    metrics: tuple[str, ...]
    weights: tuple[float, ...]

    @property
    def ranking(self) -> str:
        """The first metric, without the minus of one that is better if lower."""
        return self.metrics[0].removeprefix("-")

    @property
    def lower_is_better(self) -> bool:
        """Whether a lower value of the first metric is better."""
        return self.metrics[0].startswith("-")


@dataclass(frozen=True)
class CostsSpec(_Attributes):
    """Costs as shares of the traded value; see `maestro.Costs`."""

    fee: float
    slippage: float


@dataclass(frozen=True)
class SizingSpec(_Attributes):
    """Size of the trades; see `maestro.Sizing`."""

    kind: Literal["percent", "cash", "units", "volatility", "risk"]
    value: float
    max_exposure: float


@dataclass(frozen=True)
class RunSpec(_Attributes):
    """The specification of a walk-forward, as plain data; `maestro.reproduce` turns it back into objects.

    Attributes
    ----------
    strategy : str
        Name of the class.
    source : str
        Hash of its source (see `maestro.runs.source_hash`).
    params : mapping
        Values of the parameters that are not searched.
    space : mapping of Dimension
        Ranges of the searched parameters, by name.
    splitter : SplitterSpec
    windows : tuple of (train start, train stop, test start, test stop)
        Positions in the bars, one for each fold.
    search : str or ObjectSpec
    pruner : ObjectSpec or None
    trials : int
        Per fold.
    selection : SelectionSpec
    first : tuple of mappings
        Parameter sets that each fold tries first.
    warm_start : bool
    costs : CostsSpec
    sizing : SizingSpec
    cash : float
    fill : {"next_open", "close"}
    seed : int
    periods_per_year : float
    bars : BarsSpec
    """

    strategy: str
    source: str
    params: Mapping[str, Any]
    space: Mapping[str, Dimension]
    splitter: SplitterSpec
    windows: tuple[Edges, ...]
    search: str | ObjectSpec
    pruner: ObjectSpec | None
    trials: int
    selection: SelectionSpec
    first: tuple[Mapping[str, Any], ...]
    warm_start: bool
    costs: CostsSpec
    sizing: SizingSpec
    cash: float
    fill: Fill
    seed: int
    periods_per_year: float
    bars: BarsSpec

    @property
    def series(self) -> str:
        """Name of the bars, for headings and messages."""
        return self.bars.name or "unnamed series"

    @property
    def title(self) -> str:
        """Strategy and series, for headings and messages."""
        return f"{self.strategy} on {self.series}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the version of their form as ``schema``."""
        form: dict[str, Any] = {"schema": SCHEMA, **to_plain(self)}
        form["space"] = {"fixed": form["params"], "search": form["space"]}
        if not self.bars.others:
            del form["bars"]["others"]
        return form

    @classmethod
    def from_dict(cls, form: Mapping[str, Any], *, written_by: str = "") -> RunSpec:
        """Read what `to_dict` of this version, or of an earlier one, returned.

        Parameters
        ----------
        form : mapping
        written_by : str
            Version of Maestro that wrote it, for messages.

        Raises
        ------
        RunSchemaError
            The form is of a version that this one does not read.
        RunError
            A field is missing, unknown or of the wrong type; the message names it.
        """
        if not isinstance(form, Mapping):
            raise RunError(f"spec is {shown(form)}; a mapping is needed, as RunSpec.to_dict returns it.")
        check_schema(form, written_by)
        given = {name: value for name, value in form.items() if name != "schema"}
        space, splitter, bars = given.get("space"), given.get("splitter"), given.get("bars")
        if isinstance(space, Mapping):
            given["space"] = space.get("search")
            if space.keys() != {"fixed", "search"} or space["fixed"] != given.get("params"):
                raise RunError(
                    f"spec.space is {shown(space)}; search, and fixed with the values of params, are needed."
                )
        if isinstance(splitter, Mapping) and "kind" in splitter:
            settings = {name: value for name, value in splitter.items() if name != "kind"}
            given["splitter"] = {"kind": splitter["kind"], "settings": settings}
        if isinstance(bars, Mapping):
            given["bars"] = {"others": {}, **bars}
        return _READER.read(RunSpec, given, "spec")


def check_schema(form: Mapping[str, Any], written_by: str = "") -> None:
    """Raise `RunSchemaError` if this package does not read a specification's plain form."""
    schema = form.get("schema", SCHEMA)
    if type(schema) is int and schema == SCHEMA:
        return
    by = f"Maestro {written_by}" if written_by else "another version of Maestro"
    version = f"=={written_by}" if written_by else ""
    raise RunSchemaError(
        f"the run has a specification of schema {schema!r}, which {by} wrote; this is Maestro {__version__} and reads "
        f'schema {SCHEMA}. Read it with the version that wrote it (pip install "maestro-research{version}"), or '
        "compute the run again with this one."
    )


def _dimension(name: str, form: Any) -> Dimension:
    numbers = isinstance(form, Mapping) and all(type(form.get(end)) in (int, float) for end in ("low", "high"))
    ranged = numbers and {"step", "log"} <= form.keys()
    if not (isinstance(form, Mapping) and form.get("kind") in ("int", "float", "bool", "choice")) or not (
        ranged or isinstance(form.get("options"), list)
    ):
        raise ValueError("a mapping is needed, with kind, low, high, step and log, or with kind and options")
    return Dimension.from_dict(name, form)


_READER = Reader(RunError, {Dimension: _dimension})
