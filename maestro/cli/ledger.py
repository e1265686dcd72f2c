"""``maestro ledger``: how often each series was tried, what was tried on one, and whether nothing was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from maestro.cli import options

if TYPE_CHECKING:
    from maestro.ledger import Ledger, Trials

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="maestro ledger verify finds every line that was changed, removed, added or moved; exit code 1.")
def ledger(
    series: str = typer.Argument(
        "", metavar="SERIES|verify", help="PROVIDER:SYMBOL:TIMEFRAME or a part of it; or the word verify."
    ),
    json: options.Json = False,
) -> None:
    """Show how often each series was tried; verify that nothing was changed.

    With a series: everything that was tried on it.
    """
    from maestro.ledger import folder, ledgers

    if series == "verify":
        _verify(json)
        return
    found = [one for one in ledgers() if series.upper() in one.series.upper()]
    exact = [one for one in found if one.series.upper() == series.upper()]
    found = exact or found
    if series and not found:
        from maestro.errors import LedgerError, nearest

        known = [one.series for one in ledgers()]
        raise LedgerError(
            f"nothing was tried on {series!r} yet; there are ledgers of: {', '.join(known) or 'no series'}."
            + nearest(series, known)
        )
    if series and len(found) == 1:
        _show(found[0], json)
        return
    from maestro.cli.printing import print_json, say, show_table

    rows = [(one, one.trials, one.entries()) for one in found]
    if json:
        print_json([_counts(one, trials, len(entries)) for one, trials, entries in rows])
        return
    if not rows:
        typer.echo(f"No ledger in {folder()} yet. Every walk-forward and sweep enters its trials.")
        return
    cells = [
        (one.series, f"{trials.distinct:,}", f"{trials.evaluated:,}", f"{len(entries) - 1:,}", _last(entries))
        for one, trials, entries in rows
    ]
    show_table(("series", "trials", "with repetitions", "entries", "last, UTC"), cells)
    say("trials is N of the deflated Sharpe ratio: every trial of this user, exact repetitions once.")


def _show(one: Ledger, json: bool) -> None:
    from maestro._core import formatting as formats
    from maestro.cli.printing import print_json, say, show_notes, show_table

    entries, trials, findings = one.entries(), one.trials, one.verify()
    errors = [finding for finding in findings if finding.severity == "error"]
    if json:
        print_json({**_counts(one, trials, len(entries)), "whole": not errors, "entries": entries.to_dicts()})
        return
    say(f"{one.series}: {formats.plural(trials.distinct, 'trial')}, {trials.evaluated:,} with exact repetitions")
    if trials.variance >= 0:
        say(f"Their Sharpe ratios per bar have a standard deviation of {trials.variance**0.5:.4f}.")
    typer.echo()
    rows = []
    shown = entries.filter(entries["kind"] != "begin")
    for run in shown.partition_by("kind", "strategy", "run", "state", maintain_order=True):
        first = run.row(0, named=True)
        noun = ("entry", "entries") if first["fold"] is None else ("fold", "folds")
        folds = formats.plural(len(run), *noun)
        when = str(first["time"] or "")[:16].replace("T", " ")
        state = f", {first['state']}" if first["state"] not in ("done", None) else ""
        kind = f"{first['kind'].replace('_', '-')}{state}"
        rows.append((when, kind, first["strategy"] or "", first["run"] or "", folds, f"{run['trials'].sum():,}"))
    show_table(("first, UTC", "what", "strategy", "run", "", "trials"), rows, left=5)
    typer.echo(str(one.path))
    if errors:
        say(f"{formats.plural(len(errors), 'error')}; see: maestro ledger verify", bullet="! ")
    show_notes(f"entry {row['n']}: {row['note']}" for row in shown.filter(shown["note"].is_not_null()).to_dicts())


def _verify(json: bool) -> None:
    from maestro._core import formatting as formats
    from maestro.cli.printing import print_json, say
    from maestro.ledger import folder, ledgers, verify

    findings = verify()
    errors = [finding for finding in findings if finding.severity == "error"]
    known = ledgers()
    if json:
        listed = [{"severity": f.severity, "file": f.file, "line": f.line, "text": f.text} for f in findings]
        print_json({"folder": folder(), "ledgers": len(known), "whole": not errors, "findings": listed})
    else:
        for found in findings:
            line = "" if found.line is None else f", line {found.line}"
            say(f"{found.file}{line}: {found.text}", bullet="! " if found.severity == "error" else "• ")
        trials = sum(one.trials.distinct for one in known)
        whole = f"{formats.plural(len(known), 'ledger')} with {trials:,} trials in {folder()}"
        say(f"{whole}: {formats.plural(len(errors), 'error') if errors else 'whole, as they were written'}.")
    if errors:
        raise typer.Exit(1)


def _counts(one: Ledger, trials: Trials, entries: int) -> dict[str, Any]:
    return {
        "series": one.series, "trials": trials.distinct, "evaluated": trials.evaluated, "missing": trials.missing,
        "variance": trials.variance, "entries": entries, "file": one.path,
    }  # fmt: skip


def _last(entries: Any) -> str:
    times = entries["time"].drop_nulls()
    return str(times[-1])[:16].replace("T", " ") if len(times) else ""
