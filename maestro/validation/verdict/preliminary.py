"""The preliminary verdict: the checks that need neither bars nor a simulation, by the same rule, in milliseconds."""

from __future__ import annotations

from maestro.errors import RunError
from maestro.validation.verdict.checks import all_checks
from maestro.validation.verdict.inputs import VerdictInputs
from maestro.validation.verdict.notes import hints_of, notes_of, summary, warnings_of
from maestro.validation.verdict.plugin_checks import plugin_checks
from maestro.validation.verdict.result import Verdict
from maestro.version import __version__
from maestro.walkforward.result import WalkForward


def preliminary_verdict(wf: WalkForward) -> Verdict:
    """Return the verdict from the tables of a walk-forward alone; `ms.verdict` runs all checks.

    The other checks are "not done", so whether the result is more than luck stays open: the conclusion is *not enough
    data*, *fitted* or *inconclusive*, and never *robust*. It depends on the run alone.
    """
    inputs = VerdictInputs(wf, pending="Not done yet: it is part of the full verdict.")
    return assemble_verdict(inputs, preliminary=True)


def assemble_verdict(
    inputs: VerdictInputs, settings: dict[str, object] | None = None, *, preliminary: bool = False
) -> Verdict:
    """Build a verdict from the inputs of its checks."""
    wf, evidence = inputs.wf, inputs.evidence
    checks = all_checks(inputs)
    problems: tuple[str, ...] = ()
    if not preliminary:
        added, problems = plugin_checks(inputs)
        checks = (*checks, *added)
    lost = (inputs.lost,) if inputs.lost else ()
    notes = (*lost, *problems, *notes_of(evidence, () if preliminary else checks))
    return Verdict(
        checks, wf.id, evidence.strategy, evidence.series, summary=summary(evidence), warnings=warnings_of(evidence),
        hints=hints_of(checks), notes=notes, settings={"maestro": __version__, **(settings or {})},
        preliminary=preliminary,
    )  # fmt: skip


def current_verdict(wf: WalkForward) -> tuple[Verdict, str]:
    """Verdict of a walk-forward, preliminary if there is no other, and the reason if the one on disk is unreadable."""
    try:
        found: Verdict = wf.verdict
    except RunError as error:
        return preliminary_verdict(wf), str(error)
    return found, ""
