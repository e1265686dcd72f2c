"""The one Jinja environment of all reports: templates that come with the package, with automatic escaping."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from maestro.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = files("maestro.reports") / "templates"


class Html(Markup):
    """HTML text: notebooks and templates show it as it is, and escape everything else."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<style>{stylesheet('tables.css')}</style><div class='mst'>{self}</div>"


@cache
def environment() -> Environment:
    """Environment in which a missing variable is an error and text is escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    found = Environment(
        loader=FunctionLoader(source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.globals.update(version=__version__)
    return found


@cache
def source(name: str) -> str:
    """Text of a template, style sheet or script that comes with the package."""
    return (TEMPLATES / name).read_text("utf-8")


def stylesheet(*names: str) -> Markup:
    """Style sheets or scripts, one after the other, to be placed into a page as they are."""
    return Markup("\n".join(source(name) for name in names))


def render(template: str, /, **context: Any) -> Html:
    """Render a template."""
    return Html(environment().get_template(template).render(context))


def render_page(template: str, /, **context: Any) -> str:
    """Render the template of a whole page, as plain text."""
    return environment().get_template(template).render(context)


def render_macro(template: str, macro: str, /, *values: Any, **named: Any) -> Html:
    """Render one macro of a template."""
    return Html(getattr(environment().get_template(template).module, macro)(*values, **named))
