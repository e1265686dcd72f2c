"""``maestro report``: the report of a run on disk, of a notebook run with other parameters, or of a whole batch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.recorded import Own, found_run
from maestro.errors import SettingsError

if TYPE_CHECKING:
    from maestro.reports.notebooks.batch import Record

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def report(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN|NOTEBOOK",
            help="A run: its id, the beginning of one, or its folder. A notebook: a file, or the name of one that "
            "comes with Maestro: walk-forward.",
        ),
    ],
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="Of a notebook: a parameter; repeatable."),
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Of a notebook: YAML or CSV of parameters, a report for each, and an index."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="File or folder to write.  [default: report.html in the run's folder, NAME.html here, or the folder "
            "reports of a batch]",
        ),
    ] = None,
    code: Annotated[
        bool, typer.Option("--code/--no-code", help="Keep the notebook's code in the page, behind a button.")
    ] = True,
    executed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of a notebook: write it here as it was run, too.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=1, metavar="SECONDS", help="Of a notebook: the longest time a cell may take.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Of a batch: make finished reports again.")] = False,
    parameters: Annotated[
        bool, typer.Option("--parameters", help="Of a notebook: list its parameters, and run nothing.")
    ] = False,
    runs_dir: options.RunsDir = None,
    tearsheet: options.Tearsheet = False,
    decision: options.Decision = False,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="NAME", help="With --decision: the run's bars, if they were moved."),
    ] = None,
    strategy: Own = None,
    progress: options.Progress = True,
    json: options.Json = False,
) -> None:
    """Write the report of a run, a notebook or a batch of notebooks, one HTML file each.

    A notebook is run by papermill with the parameters given. A batch continues after a failure, and skips
    reports that are finished.
    """
    from maestro.reports.notebooks.running import find_notebook

    notebook = None if Path(what).is_dir() else find_notebook(what)
    if notebook is None:
        aside = {"-p": param, "--batch": batch, "--executed": executed, "--timeout": timeout, "--force": force,
                 "--parameters": parameters, "--no-code": not code}  # fmt: skip
        _refuse(aside, f"a notebook, and {what} is not one (a file ending in .ipynb, or one that comes with Maestro)")
        if not decision:
            _refuse({"--data": data, "--strategy": strategy}, "--decision, which was not given")
        _of_run(what, runs_dir, out, tearsheet, json, (data, strategy) if decision else None)
        return
    apart = {"--tearsheet": tearsheet, "--runs-dir": runs_dir, "--decision": decision, "--data": data}
    _refuse({**apart, "--strategy": strategy}, f"a run, and {notebook.name} is a notebook")
    if parameters:
        _list_parameters(notebook, json)
    elif batch is None:
        _refuse({"--force": force}, "--batch, which was not given")
        _of_notebook(notebook, _pairs(param), out, code, executed, timeout, progress, json)
    else:
        _refuse({"--executed": executed}, "one notebook, and a batch keeps each beside its page")
        _of_batch(notebook, _pairs(param), batch, out or Path("reports"), code, timeout, force, progress, json)


def _refuse(given: dict[str, Any], wanted: str) -> None:
    named = [flag for flag, value in given.items() if value]
    if named:
        are, them = ("is", "it") if len(named) == 1 else ("are", "them")
        raise SettingsError(f"{' and '.join(named)} {are} only for {wanted}; leave {them} out.")


def _pairs(texts: list[str] | None) -> dict[str, str]:
    from maestro.cli.parsing import read_pairs

    return read_pairs(texts, "--param", "-p strategy=RSIStrategy")


def _of_run(
    what: str, runs_dir: Path | None, out: Path | None, tearsheet: bool, json: bool,
    decision: tuple[str | None, str | None] | None,
) -> None:  # fmt: skip
    from maestro.cli.parsing import read_bars, read_strategy
    from maestro.cli.printing import print_json

    wf = found_run(what, runs_dir)
    more: dict[str, Any] = {}
    if decision is not None:
        data, strategy = decision
        more = {
            "decision": True, "bars": None if data is None else read_bars(data, None, None, None),
            "strategy": None if strategy is None else read_strategy(strategy, None),
        }  # fmt: skip
    written = wf.report(out, tearsheet=tearsheet, **more)
    if json:
        print_json({"report": str(written)})
    else:
        typer.echo(str(written.resolve()))


def _list_parameters(notebook: Path, json: bool) -> None:
    from maestro.cli.printing import print_json, show_table
    from maestro.reports.notebooks.running import notebook_parameters

    found = notebook_parameters(notebook).values()
    if json:
        print_json([{"name": p.name, "type": p.kind, "default": p.default, "doc": p.doc} for p in found])
    else:
        rows = [(p.name, p.kind, str(p.default), p.doc) for p in found]
        show_table(("parameter", "type", "default", "meaning"), rows, left=4)


def _of_notebook(
    notebook: Path, given: dict[str, str], out: Path | None, code: bool, executed: Path | None, timeout: float | None,
    progress: bool, json: bool,
) -> None:  # fmt: skip
    from maestro.cli.printing import print_json
    from maestro.reports.notebooks.page import headline_of_notebook, notebook_page
    from maestro.reports.notebooks.running import (
        notebook_parameters,
        refuse_foreign_notebook,
        run_notebook,
        write_executed,
    )
    from maestro.reports.output import refuse_foreign_page, write_page

    target = out or Path(f"{notebook.stem}.html")
    for place in (target, executed):
        if place is not None and (place.is_dir() or (place.exists() and place.samefile(notebook))):
            raise SettingsError(f"{place} is {'a folder' if place.is_dir() else 'the notebook itself'}; name a file.")
    refuse_foreign_page(target)  # before the notebook runs, which may take long
    if executed is not None:
        refuse_foreign_notebook(executed)
    declared = notebook_parameters(notebook)
    execution = run_notebook(notebook, given, timeout=timeout, progress=progress and sys.stderr.isatty())
    if executed is not None:
        write_executed(execution, executed)
    written = write_page(target, notebook_page(execution, declared, name=notebook.name, code=code))
    if json:
        print_json({
            "report": str(written), "executed": executed and str(executed), "notebook": notebook.name,
            "parameters": execution.parameters, "headline": headline_of_notebook(execution.notebook),
            "seconds": execution.seconds, "error": execution.error,
        })  # fmt: skip
    else:
        typer.echo(str(written.resolve()))
    if execution.error:
        typer.echo(f"maestro: {notebook.name} did not run to its end: {execution.error}", err=True)
        raise typer.Exit(1)


def _of_batch(
    notebook: Path, given: dict[str, str], batch: Path, out: Path, code: bool, timeout: float | None, force: bool,
    progress: bool, json: bool,
) -> None:  # fmt: skip
    from tqdm import tqdm

    from maestro._core.formatting import plural
    from maestro.cli.printing import print_json, say
    from maestro.reports.notebooks.batch import read_batch, run_batch

    jobs = read_batch(batch, notebook, given)
    with tqdm(total=len(jobs), unit="report", disable=not progress, dynamic_ncols=True, smoothing=0) as bar:

        def tell(record: Record, through: int, of: int) -> None:
            bar.set_postfix_str(record.name[:40], refresh=False)
            bar.update(through - bar.n)
            bar.refresh()

        records = run_batch(notebook, jobs, out, code=code, force=force, timeout=timeout, listener=tell)
        bar.set_postfix_str("")
    failed = [record for record in records if record.status == "failed"]
    kept = sum(not record.fresh for record in records)
    index = out / "index.html"
    if json:
        reports = [
            {"name": r.name, "status": r.status, "report": str(out / r.page) if r.page else None, "error": r.error,
             "parameters": r.parameters, "headline": dict(map(tuple, r.headline)), "seconds": r.seconds}
            for r in records
        ]  # fmt: skip
        print_json({"index": str(index), "reports": reports, "failed": len(failed), "kept": kept})
    else:
        for record in failed:
            say(f"{record.name} failed: {record.error}", bullet="! ")
        there = f", {kept} of them there already" if kept else ""
        typer.echo(f"{plural(len(records), 'report')}{there}; {len(failed) or 'none'} failed.")
        typer.echo(str(index.resolve()))
    if failed:
        raise typer.Exit(1)
