"""``maestro ledger``: how often each series was tried, what was tried on one, and whether nothing was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from maestro.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from maestro.ledger import Counted, Ledger

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="maestro ledger verify finds every line that was changed, removed, added or moved; exit code 1.")
def ledger(
    series: str = typer.Argument(
        "", metavar="SERIES|verify", help="PROVIDER:SYMBOL:TIMEFRAME or a part of it; or the word verify."
    ),
    json: options.Json = False,
) -> None:
    """Show the trials on each series; verify that no record was changed.

    With a series: everything that was tried on it.
    """
    from maestro.ledger import counted, folder, ledgers

    if series == "verify":
        _verify(json)
        return
    by_series: dict[str, list[Ledger]] = {}
    for place in _places():
        for one in ledgers(place):
            by_series.setdefault(one.series, []).append(one)
    found = [name for name in sorted(by_series) if series.upper() in name.upper()]
    found = [name for name in found if name.upper() == series.upper()] or found
    if series and not found:
        from maestro.errors import LedgerError, nearest

        known = sorted(by_series)
        raise LedgerError(
            f"nothing was tried on {series!r} yet; there are ledgers of: {', '.join(known) or 'no series'}."
            + nearest(series, known)
        )
    if series and len(found) == 1:
        _show(by_series[found[0]], json)
        return
    from maestro.cli.printing import print_json, say, show_table

    rows = [(by_series[name], counted(name)) for name in found]
    if json:
        print_json([_counts(ledgers, of) for ledgers, of in rows])
        return
    if not rows:
        typer.echo(f"No ledger in {folder()} yet. Every walk-forward and sweep enters its trials.")
        return
    cells = [
        (ledgers[0].series, f"{of.trials.distinct:,}", f"{of.trials.evaluated:,}", str(len(of.users)), _last(ledgers))
        for ledgers, of in rows
    ]
    show_table(("series", "trials", "with repetitions", "users", "last, UTC"), cells)
    say("trials is N of the deflated Sharpe ratio: every trial on the series, exact repetitions once.")
    if any(of.left_out for _, of in rows):
        say("The trials of other users are not counted (setting ledger_team).")
    unreadable = sorted({name for _, of in rows for name in of.unreadable})
    if unreadable:
        say(f"The ledgers of {', '.join(unreadable)} cannot be read: the counts are too small.", bullet="! ")


def _places() -> list[Path]:
    """Folders of the users whose trials count; one that cannot be entered is left out, and `counted` names it."""
    import os

    from maestro.config import load_settings
    from maestro.ledger import folder, user_folders

    places = user_folders() if load_settings().ledger_team else [folder()]
    return [place for place in places if os.access(place, os.R_OK | os.X_OK)]


def _show(ledgers: list[Ledger], json: bool) -> None:
    import polars as pl

    from maestro._core import formatting as formats
    from maestro.cli.printing import print_json, say, show_notes, show_table
    from maestro.ledger import counted

    series = ledgers[0].series
    of = counted(series)
    entries = pl.concat([one.entries() for one in ledgers]).sort("time", maintain_order=True)
    errors = [finding for one in ledgers for finding in one.verify() if finding.severity == "error"]
    if json:
        print_json({**_counts(ledgers, of), "whole": not errors, "entries": entries.to_dicts()})
        return
    trials = of.trials
    line = f"{series}: {formats.plural(trials.distinct, 'trial')}{of.who}, {trials.evaluated:,} with exact repetitions"
    say(line)
    if trials.variance >= 0:
        say(f"Their Sharpe ratios per bar have a standard deviation of {trials.variance**0.5:.4f}.")
    typer.echo()
    rows = []
    shown = entries.filter(entries["kind"] != "begin")
    for run in shown.partition_by("user", "kind", "strategy", "run", "state", maintain_order=True):
        first = run.row(0, named=True)
        noun = ("entry", "entries") if first["fold"] is None else ("fold", "folds")
        folds = formats.plural(len(run), *noun)
        when = str(first["time"] or "")[:16].replace("T", " ")
        state = f", {first['state']}" if first["state"] not in ("done", None) else ""
        kind = f"{first['kind'].replace('_', '-')}{state}"
        whose = first["user"] or ""
        rows.append((when, whose, kind, first["strategy"] or "", first["run"] or "", folds, f"{run['trials'].sum():,}"))
    show_table(("first, UTC", "user", "what", "strategy", "run", "", "trials"), rows, left=6)
    for one in ledgers:
        typer.echo(str(one.path))
    if errors:
        say(f"{formats.plural(len(errors), 'error')}; see: maestro ledger verify", bullet="! ")
    show_notes(f"entry {row['n']}: {row['note']}" for row in shown.filter(shown["note"].is_not_null()).to_dicts())


def _verify(json: bool) -> None:
    from maestro._core import formatting as formats
    from maestro.cli.printing import print_json, say
    from maestro.config import load_settings
    from maestro.ledger import folder, ledgers, verify

    places = _places()
    findings = [found for place in places for found in verify(place)]
    errors = [finding for finding in findings if finding.severity == "error"]
    known = [one for place in places for one in ledgers(place)]
    where = folder() if places == [folder()] else load_settings().ledger_dir
    if json:
        listed = [{"severity": f.severity, "file": f.file, "line": f.line, "text": f.text} for f in findings]
        print_json({"folder": where, "ledgers": len(known), "whole": not errors, "findings": listed})
    else:
        for found in findings:
            line = "" if found.line is None else f", line {found.line}"
            say(f"{found.file}{line}: {found.text}", bullet="! " if found.severity == "error" else "• ")
        trials = sum(one.trials.distinct for one in known)
        whole = f"{formats.plural(len(known), 'ledger')} with {trials:,} trials in {where}"
        say(f"{whole}: {formats.plural(len(errors), 'error') if errors else 'whole, as they were written'}.")
    if errors:
        raise typer.Exit(1)


def _counts(ledgers: list[Ledger], of: Counted) -> dict[str, Any]:
    trials = of.trials
    return {
        "series": ledgers[0].series, "trials": trials.distinct, "evaluated": trials.evaluated,
        "missing": trials.missing, "variance": trials.variance, "users": of.users, "left_out": of.left_out,
        "unreadable": of.unreadable, "entries": sum(len(one.entries()) for one in ledgers),
        "file": ledgers[0].path, "files": [one.path for one in ledgers],
    }  # fmt: skip


def _last(ledgers: list[Ledger]) -> str:
    times = [str(time) for one in ledgers for time in one.entries()["time"].drop_nulls()]
    return max(times)[:16].replace("T", " ") if times else ""
