"""Splitters to and from text (``rolling:10,2,1``) and the plain values in a run's specification."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from maestro.errors import SettingsError, SplitError, nearest
from maestro.regime import Regimes
from maestro.runs.spec import SplitterSpec
from maestro.walkforward.splitters import Adaptive, Calendar, Expanding, Rolling, Splitter
from maestro.walkforward.triggers import OnRegime

SPLITTERS: dict[str, Any] = {
    "rolling": Rolling, "expanding": Expanding, "adaptive": Adaptive, "calendar": Calendar, "on-regime": OnRegime,
}  # fmt: skip
"""The kinds of splitter, by the name that texts use."""
_BY_NAME = ("purge", "embargo", "model")
_MODEL = tuple(field.name for field in fields(Regimes))


def splitter_of(given: Splitter | str) -> Splitter:
    """Make a splitter from a text ``kind:value,value,purge=24`` with settings in order, or return a given one.

    ``on-regime`` also takes the settings of its model by name:
    ``on-regime:6mo,0.9,3,2w,3mo,states=3,features=return+volatility``.

    Raises
    ------
    SplitError
        An unknown kind, or settings that it does not have.
    """
    if not isinstance(given, str):
        if not hasattr(given, "split"):
            raise SplitError(
                f"splitter={given!r} cannot split; give a text like rolling:10,2,1, ms.Rolling, ms.Expanding, "
                "ms.Calendar, ms.Adaptive, ms.OnRegime, or an object with split(bars) that returns "
                "(train_start, train_stop, test_start, test_stop) for each fold."
            )
        return given
    kind, _, settings = given.partition(":")
    example = "; give rolling:10,2,1, expanding:10, adaptive:10,2, calendar:6mo,1mo or on-regime:6mo,0.9,3,2w,3mo."
    if kind not in SPLITTERS:
        raise SplitError(f"splitter={given!r} is unknown{example}{nearest(kind, SPLITTERS)}")
    cls = SPLITTERS[kind]
    ordered = _ordered(cls)
    names = (*ordered, *(_MODEL if cls is OnRegime else ("purge", "embargo")))
    values: dict[str, Any] = {}
    for place, part in enumerate(filter(None, (one.strip() for one in settings.split(",")))):
        name, equals, value = part.partition("=")
        if not equals:
            name, value = (ordered[place] if place < len(ordered) else part), part
        if name not in names or name in values:
            raise SplitError(f"splitter={given!r}: {part!r} is not understood; {kind} has {', '.join(names)}{example}")
        values[name] = _number_or_text(value)
    if cls is not OnRegime:
        return cls(**values)  # type: ignore[no-any-return]
    model = {name: values.pop(name) for name in _MODEL if name in values}
    if "features" in model:
        model["features"] = tuple(str(model["features"]).split("+"))
    try:
        return OnRegime(**values, model=Regimes(**model))
    except SplitError:
        raise
    except SettingsError as error:
        raise SplitError(f"splitter={given!r}: {error}") from error


def splitter_text(splitter: Splitter) -> str:
    """Text that `splitter_of` turns into an equal splitter; `SplitError` for a user-defined one."""
    kinds = {cls: kind for kind, cls in SPLITTERS.items()}
    cls: Any = type(splitter)
    if cls not in kinds:
        raise SplitError(f"{splitter!r} has no text; the kinds that have are {', '.join(SPLITTERS)}.")
    values: dict[str, Any] = asdict(splitter)  # type: ignore[call-overload]
    settings = [str(values[name]) for name in _ordered(cls) if values[name] is not None]  # only the last may be
    named = {name: values[name] for name in ("purge", "embargo") if values.get(name)}
    if cls is OnRegime:
        usual = asdict(Regimes())
        named = {name: value for name, value in values["model"].items() if value != usual[name]}
        if "features" in named:
            named["features"] = "+".join(named["features"])
    return f"{kinds[cls]}:{','.join([*settings, *(f'{name}={value}' for name, value in named.items())])}"


def recorded_splitter(spec: SplitterSpec) -> Splitter:
    """Return the splitter of a run's specification.

    Raises
    ------
    SplitError
        A user-defined one, or settings that its kind does not have.
    """
    kinds = {cls.__name__: cls for cls in SPLITTERS.values()}
    if spec.kind not in kinds:
        raise SplitError(f"{spec.kind!r} is not a built-in splitter; they are {', '.join(kinds)}.")
    values = dict(spec.settings)
    try:
        if "model" in values:
            values["model"] = Regimes(**values["model"])
        return kinds[spec.kind](**values)  # type: ignore[no-any-return]
    except TypeError as error:
        raise SplitError(f"the recorded splitter {spec} has settings that {spec.kind} does not have.") from error


def _ordered(cls: Any) -> list[str]:
    names = [field.name for field in fields(cls)]
    return [name for name in names if name not in _BY_NAME]


def _number_or_text(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
