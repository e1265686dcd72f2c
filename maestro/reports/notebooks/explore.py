"""Controls for the parameters of a strategy in a notebook cell, with a backtest that follows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro.bars import Bars
from maestro.engine import backtest
from maestro.errors import MaestroError, MissingExtraError, ParameterError, nearest
from maestro.reports.figures.chart import backtest_figure
from maestro.reports.html.fragments import paragraph
from maestro.reports.notebooks.display import drawn, headline_of, tiles
from maestro.strategies import Strategy, strategy_class

_WIDE = {"description_width": "130px"}


def explore(
    bars: Bars,
    strategy: str | Strategy | type[Strategy],
    *,
    names: Sequence[str] = (),
    params: dict[str, Any] | None = None,
    height: int = 300,
    **settings: Any,
) -> None:
    """Show a control for each parameter of a strategy, and below them the backtest with their values.

    Parameters
    ----------
    bars : Bars
    strategy : str, type of Strategy or Strategy
        The values of an instance are the initial values of the controls.
    names : sequence of str
        Parameters to have controls for; all unless given.
    params : dict, optional
        Values instead of the defaults.
    height : int [px]
        Of the price pane.
    **settings
        costs, sizing, cash, fill, as in `backtest`.

    Raises
    ------
    ParameterError
        The strategy has no parameter of that name.
    StrategyError
        No such strategy.
    MissingExtraError
        Jupyter's widgets are not installed.

    Notes
    -----
    An impossible combination says why in place of the chart. In a static page the controls are the values they had.
    """
    try:
        import ipywidgets as widgets  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("ipywidgets", "jupyter") from error
    from IPython.display import display

    cls, fixed = strategy_class(strategy, params)
    begin = {**(strategy.params if isinstance(strategy, Strategy) else {}), **fixed}
    declared = cls.parameters(begin)
    for name in names:
        if name not in declared:
            raise ParameterError(
                f"{cls.__name__} has no parameter {name!r}; it has: {', '.join(declared) or 'none'}."
                f"{nearest(name, declared)}"
            )
    shown = list(names) or [name for name, parameter in declared.items() if parameter.search]
    controls = {
        name: _control(widgets, name, declared[name], begin.get(name, declared[name].default)) for name in shown
    }

    def shown_now() -> dict[str, str]:
        try:
            bt = backtest(bars, cls, params={**begin, **{name: c.value for name, c in controls.items()}}, **settings)
        except MaestroError as error:
            return {"text/html": paragraph(str(error)), "text/plain": str(error)}
        return {
            "text/html": drawn(backtest_figure(bt, height=height), above=tiles(headline_of(bt))),
            "text/plain": repr(bt),
        }

    display(widgets.VBox(list(controls.values())))  # type: ignore[no-untyped-call]
    # Not in an Output widget: what it captures is lost when the notebook is saved, and papermill can wait for ever.
    place = display(shown_now(), raw=True, display_id=True)  # type: ignore[no-untyped-call]
    for control in controls.values():
        control.observe(lambda change: place.update(shown_now(), raw=True), names="value")


def _control(widgets: Any, name: str, parameter: Any, value: Any) -> Any:
    """Widget of a parameter, made from its declaration."""
    value = parameter.cell(parameter.check(name, value))
    common = {"description": name, "tooltip": parameter.doc, "style": _WIDE, "value": value}
    if parameter.kind == "bool":
        return widgets.Checkbox(**common)
    if parameter.kind == "choice":
        return widgets.Dropdown(options=parameter.cells, **common)
    common |= {"continuous_update": False, "layout": {"width": "420px"}}
    low, high = min(parameter.low, value), max(parameter.high, value)
    if parameter.kind == "int":
        return widgets.IntSlider(min=low, max=high, step=parameter.step, **common)
    if parameter.log and low > 0:
        import math

        return widgets.FloatLogSlider(min=math.log10(low), max=math.log10(high), step=0.01, **common)
    step = parameter.step or 10 ** round_down(high - low)
    return widgets.FloatSlider(min=low, max=high, step=step, readout_format=".4g", **common)


def round_down(span: float) -> int:
    """Power of ten a hundredth of a span, so that a slider has a hundred steps or more: 3.0 gives -2."""
    import math

    return math.floor(math.log10(span)) - 2 if span > 0 else -2
