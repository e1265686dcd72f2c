"""Checks that other packages add to the verdict, by entry points of the group ``maestro.checks``."""

from __future__ import annotations

from maestro.errors import PluginError
from maestro.validation.verdict.checks import CHECKS
from maestro.validation.verdict.inputs import VerdictInputs
from maestro.validation.verdict.rule import QUESTIONS, Check


def plugin_checks(inputs: VerdictInputs) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Run the checks of plug-ins.

    Returns
    -------
    checks : tuple of Check
    problems : tuple of str
        One sentence for each check that could not be run; the other checks are not affected.
    """
    found, problems = [], []
    for name in CHECKS.names()[len(CHECKS.builtin) :]:
        try:
            function = CHECKS.get(name)
        except PluginError as error:
            problems.append(f"A check was not run: {error}")
            continue
        try:
            check = function(inputs)
        except Exception as error:  # code of another package
            problems.append(f"The check {name!r} of a plug-in failed: {type(error).__name__}: {error}")
            continue
        wrong = _wrong(check, name)
        if wrong:
            problems.append(f"The check {name!r} of a plug-in was left out: {wrong}")
        else:
            found.append(check)
    return tuple(found), tuple(problems)


def _wrong(check: object, name: str) -> str:
    """Why a result is not a valid check of that name; empty if it is."""
    if not isinstance(check, Check):
        return f"it returned a {type(check).__name__}, not a maestro.validation.Check."
    if check.key != name:
        return f"its key is {check.key!r}; it must be the name of the entry point."
    if check.question not in QUESTIONS:
        return f"its question is {check.question!r}; the questions are {', '.join(QUESTIONS)}."
    if check.outcome not in ("pass", "fail", "not done"):
        return f"its outcome is {check.outcome!r}; it must be pass, fail or not done."
    return ""
