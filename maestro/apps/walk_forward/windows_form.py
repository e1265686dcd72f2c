"""The form for the windows of a walk-forward: kind of splitter, lengths in steps or time, gaps, and presets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import panel as pn

from maestro._core.formatting import plural
from maestro.apps.shared.page import HtmlPane
from maestro.apps.shared.text_form import HALF, TextForm, number_in
from maestro.bars import Bars
from maestro.data.durations import duration_unit
from maestro.data.timeframes import DAY_US, timeframe_us
from maestro.errors import SplitError
from maestro.walkforward.splitter_text import SPLITTERS, splitter_of, splitter_text
from maestro.walkforward.splitters import Rolling, Window

UNITS = {"hours": "h", "days": "d", "weeks": "w", "months": "mo", "quarters": "q", "years": "y"}


@dataclass(frozen=True)
class _Field:
    """One setting of a splitter: how its box is called and read (``whole``, ``number`` or ``length``)."""

    name: str
    label: str
    read: str = "whole"
    low: int = 1
    """Smallest whole number."""
    optional: bool = False


_GAPS = (_Field("purge", "Purge [bars]", low=0), _Field("embargo", "Embargo [bars]", low=0))
_FOLDS, _TRAIN = _Field("n_splits", "Folds"), _Field("train_folds", "Training [steps]")
_ROWS: dict[str, tuple[tuple[_Field, ...], ...]] = {
    "rolling": ((_FOLDS,), (_TRAIN, _Field("test_folds", "Test [steps]")), _GAPS),
    "expanding": ((_FOLDS,), _GAPS),
    "calendar": (
        (_Field("train", "Training", "length"),), (_Field("test", "Test", "length"),),
        (_Field("step", "Step (empty: test)", "length", optional=True),), _GAPS,
    ),
    "adaptive": (
        (_FOLDS, _TRAIN),
        (_Field("shortest", "Shortest [times]", "number"), _Field("longest", "Longest [times]", "number")), _GAPS,
    ),
    "on-regime": (
        (_Field("train", "Training", "length"),), (_Field("min_gap", "Shortest test", "length"),),
        (_Field("max_gap", "Longest test", "length"),), (_Field("p", "Probability", "number"),
        _Field("confirm", "For [bars]")),
    ),
}  # fmt: skip
"""Boxes of each kind of splitter, row by row; a length has a row of its own, with its unit."""
_FIELDS = {kind: [field for row in rows for field in row] for kind, rows in _ROWS.items()}


class WindowsForm(TextForm):
    """Writes a splitter such as ``rolling:10,2,1`` or ``calendar:6mo,1mo``.

    Rolling windows are given by their number of folds: the bars are cut into equal steps, and a training and a test
    window take some steps each.
    """

    title = "Windows"
    presets = {
        "9 folds, rolling": "rolling:10,2,1",
        "10 folds, rolling": "rolling:11,2,1",
        "10 folds, anchored": "expanding:10",
        "Yearly: train on 3 years": "calendar:3y,1y",
        "Quarterly: train on 1 year": "calendar:1y,1q",
        "Monthly: train on 6 months": "calendar:6mo,1mo",
        "Weekly: train on 8 weeks": "calendar:8w,1w",
        "Daily: train on 2 weeks": "calendar:2w,1d",
        "10 folds, by volatility": "adaptive:10,2",
        "On a change of regime": "on-regime:6mo,0.9,3,2w,3mo",
    }
    kinds = {
        "rolling: equal lengths": "rolling",
        "anchored: train from the first bar": "expanding",
        "calendar: lengths of time": "calendar",
        "adaptive: volatility sets the training": "adaptive",
        "on-regime: a change of regime ends a test": "on-regime",
    }

    def __init__(self, *given: Any, **options: Any) -> None:
        self.folds = HtmlPane("", sizing_mode="stretch_width", margin=(2, 10), styles={"font-size": "13px"})
        super().__init__(*given, **options)

    def tell(self, bars: Bars | None = None, windows: Sequence[Window] = ()) -> None:
        """Show how many folds result, and how long their windows are; nothing without bars."""
        self.folds.object = "" if bars is None else f"<div role='status'>{escape(folds_text(bars, windows))}</div>"

    def parse(self, text: str) -> Any:
        return splitter_of(text)

    def kind_of(self, value: Any) -> str:
        return next(kind for kind, cls in SPLITTERS.items() if type(value) is cls)

    def of_kind(self, kind: str, before: Any) -> list[str]:
        gaps = {
            field.name: getattr(before, field.name) for field in _GAPS
            if hasattr(before, field.name) and field in _FIELDS[kind]
        }  # fmt: skip
        known: list[Any] = [splitter_of(text) for text in self.presets.values()]
        texts = [splitter_text(replace(one, **gaps)) for one in known if self.kind_of(one) == kind]
        return [splitter_text(replace(SPLITTERS[kind](), **gaps)), *texts]

    def make(self, value: Any) -> tuple[dict[str, Any], list[Any]]:
        import panel_material_ui as pmui

        widgets: dict[str, Any] = {}
        rows = []
        for fields in _ROWS[self.kind_of(value)]:
            row = []
            for field in fields:
                widgets[field.name] = pmui.TextInput(label=field.label, width=HALF)
                row.append(widgets[field.name])
                if field.read == "length":
                    label = f"{field.label.partition(' (')[0]}: unit"
                    widgets[f"{field.name} unit"] = pmui.Select(label=label, options=UNITS, width=HALF)
                    row.append(widgets[f"{field.name} unit"])
            rows.append(pn.Row(*row))
        return widgets, rows

    def below(self) -> list[Any]:
        return [self.folds]

    def shown(self, value: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field in _FIELDS[self.kind_of(value)]:
            now = getattr(value, field.name)
            if field.read == "length":
                unit = duration_unit(now) or duration_unit(value.test if field.optional else now) or "mo"
                found[f"{field.name} unit"] = unit
                found[field.name] = "" if now is None else str(now).removesuffix(unit)
            else:
                now = _folds(value) if field.name == "n_splits" else now
                found[field.name] = f"{now:g}" if field.read == "number" else str(now)
        return found

    def changed(self, value: Any, name: str, given: Any) -> str:
        field = next(one for one in _FIELDS[self.kind_of(value)] if one.name == name.removesuffix(" unit"))
        now = self.shown(value)
        if field.read != "length":
            return splitter_text(_replaced(value, field.name, _number(given, field)))
        number, unit = (now[field.name], given) if name.endswith(" unit") else (given.strip(), now[f"{name} unit"])
        if not number and field.optional:
            return splitter_text(replace(value, **{field.name: None}))
        return splitter_text(replace(value, **{field.name: f"{_whole(number, 1)}{unit}"}))


def _folds(splitter: Any) -> int:
    """How many folds a splitter with a number of splits gives."""
    if not isinstance(splitter, Rolling):
        return int(splitter.n_splits)
    return splitter.n_splits + 2 - splitter.train_folds - splitter.test_folds


def _replaced(splitter: Any, name: str, value: Any) -> Any:
    """`splitter` with another setting; a rolling one keeps its number of folds."""
    if not isinstance(splitter, Rolling) or name not in ("n_splits", "train_folds", "test_folds"):
        return replace(splitter, **{name: value})
    folds = value if name == "n_splits" else _folds(splitter)
    lengths = {"train_folds": splitter.train_folds, "test_folds": splitter.test_folds}
    lengths |= {name: value} if name in lengths else {}
    return replace(splitter, n_splits=folds - 2 + sum(lengths.values()), **lengths)


def _number(text: str, field: _Field) -> float:
    if field.read == "whole":
        return _whole(text, field.low)
    return number_in(text)


def _whole(text: str, low: int) -> int:
    plain = text.replace(",", "").strip()
    if not plain.isdecimal() or int(plain) < low:
        raise SplitError(f"{text!r} is not a whole number of at least {low}.")
    return int(plain)


def folds_text(bars: Bars, windows: Sequence[Window]) -> str:
    """Number of folds, and the lengths of their windows: ``9 folds: train 502 bars (2.0 years), test 251 bars``."""
    spans = [[(w.train_start, w.train_stop) for w in windows], [(w.test_start, w.test_stop) for w in windows]]
    train, test = (_length(bars, span) for span in spans)
    return f"{plural(len(windows), 'fold')}: train on {train}, test on {test}"


def _length(bars: Bars, spans: Sequence[tuple[int, int]]) -> str:
    counts = [stop - start for start, stop in spans]
    low, high, step = min(counts), max(counts), timeframe_us(bars.timeframe)
    longest = max((int(bars.time[stop - 1] - bars.time[start]) + step) / DAY_US for start, stop in spans)
    span = f"{longest / 365.25:.1f} years" if longest > 700 else f"{longest:.{0 if longest > 5 else 1}f} days"
    return f"{low:,} to {high:,} bars (at most {span})" if low != high else f"{high:,} bars ({span})"
