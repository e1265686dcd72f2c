"""Shifts: tests with each searched parameter of every fold 10 % lower and 10 % higher, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from maestro.search.dimensions import Dimension
from maestro.search.space import Space
from maestro.typing import Parameters
from maestro.validation.robustness.choices import Choices

SHIFT = 0.1
"""Share of its value by which a parameter is shifted; at least one step of its grid."""


def shifted_metric(choices: Choices, metric: str) -> dict[str, float]:
    """Out-of-sample metric of each shift, by its name (``fast lower``); empty if only options were searched."""
    return {
        name: replace(choices, params=tuple(sets)).stitched().metrics[metric]
        for name, sets in shifts(choices.plan.space, choices.params)
    }


def shifts(space: Space, sets: Sequence[Parameters]) -> Iterator[tuple[str, list[Parameters]]]:
    """Name of each shift with the shifted set of every fold.

    A fold keeps its choice if the shifted value is outside the searched range or breaks a constraint; a direction in
    which no fold can be shifted is left out. Options (`Choice` and `Bool`) cannot be shifted.
    """
    for dimension in space.dimensions:
        if dimension.options:
            continue
        for sign, word in ((-1, "lower"), (1, "higher")):
            shifted = [_shifted(space, dimension, params, sign) for params in sets]
            if any(one is not None for one in shifted):
                name = f"{dimension.name} {word}"
                yield name, [own if one is None else one for own, one in zip(sets, shifted, strict=True)]


def _shifted(space: Space, dimension: Dimension, params: Parameters, sign: int) -> Parameters | None:
    code, step = dimension.encode(params[dimension.name]), dimension.step or 0.0
    distance = max(abs(code) * SHIFT, step)
    if step:
        distance = round(distance / step) * step
    wanted = code + sign * distance
    if not dimension.code_low - 1e-12 <= wanted <= dimension.code_high + 1e-12 or distance == 0:
        return None
    value = dimension.decode(round(wanted) if dimension.kind == "int" else wanted)
    other = {**params, dimension.name: value}
    return other if space.feasible(other) else None
