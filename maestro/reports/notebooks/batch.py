"""Batches of reports from one notebook: run one after the other, finished ones never repeated, with an index page."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maestro.errors import MaestroError, ParameterError, SettingsError
from maestro.reports.notebooks.page import headline_of_notebook, notebook_page
from maestro.reports.notebooks.running import NotebookParameter, checked_parameters, notebook_parameters, read_notebook, read_yaml, run_notebook, write_executed
from maestro.strategies.files import in_file
from maestro.version import __version__
from maestro.reports.output import write_page, write_text

_FORM = "a list of parameters, or a mapping of 'common' (of all), 'each' (lists to combine) and 'reports' (a list)"


@dataclass(frozen=True)
class Job:
    """One report of a batch."""

    name: str
    parameters: dict[str, Any]
    key: str
    """Hash of the notebook's cells, the parameters, the strategy's file and Maestro's version: equal keys give equal
    reports."""

    @property
    def stem(self) -> str:
        """Name of its files, without ending."""
        words = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:60].strip("-")
        return f"{words or 'report'}-{self.key[:8]}"


@dataclass
class Record:
    """The outcome of a report, stored next to it as JSON."""

    name: str
    key: str
    parameters: dict[str, Any]
    status: str = "waiting"
    """waiting, done or failed."""
    error: str | None = None
    seconds: float | None = None
    headline: list[list[Any]] = field(default_factory=list)
    made: str | None = None
    page: str = ""
    fresh: bool = False
    """Whether it was made by this call."""


Listener = Callable[[Record, int, int], None]
"""Called with a record, how many are through, and of how many: before each report and after it."""


def read_batch(path: Path, notebook: Path, common: Mapping[str, Any] | None = None) -> list[Job]:
    """Reports that a YAML or CSV file asks for, checked against the notebook's parameters.

    Parameters
    ----------
    path : Path
        ``.yaml``/``.yml``: a list of mappings, one mapping alone (as an app freezes it), or a mapping of ``common``
        (parameters of all), ``each`` (lists, of which every combination is taken) and ``reports`` (a list of
        mappings). ``.csv``: one row per report, one column per parameter; an empty cell is left to the notebook. ``name``
        names a report.
    notebook : Path
    common : mapping, optional
        Parameters of all reports, on top of the file's.

    Raises
    ------
    SettingsError, ParameterError
        The file is not of that form, asks for nothing, or twice for the same; the row is named.
    """
    declared = notebook_parameters(notebook)
    rows = _read_csv(path) if path.suffix.lower() == ".csv" else _read_yaml_rows(path)
    if not rows:
        raise SettingsError(f"{path} asks for no report; give {_FORM}.")
    source = _source(notebook)
    given: list[tuple[str, dict[str, Any], list[str]]] = []
    for number, row in enumerate(rows, 1):
        named = "" if "name" in declared else str(row.pop("name", "") or "")
        try:
            values = checked_parameters(declared, {**row, **(common or {})})
            given.append((named, values, _files(values)))
        except ParameterError as error:
            raise ParameterError(f"{path}, report {number}: {error}") from error
    varied = [name for name in declared if len({_text(values.get(name, ...)) for _, values, _ in given}) > 1]
    jobs: dict[str, Job] = {}
    for number, (named, values, files) in enumerate(given, 1):
        key = hashlib.sha256(_text([__version__, source, values, *files]).encode()).hexdigest()
        if key in jobs:
            raise SettingsError(f"{path}, report {number}: the same parameters were asked for before; give them once.")
        jobs[key] = Job(named or _named(varied, values, declared), values, key)
    return list(jobs.values())


def run_batch(
    notebook: Path,
    jobs: Sequence[Job],
    out: Path,
    *,
    code: bool = True,
    force: bool = False,
    timeout: float | None = None,
    listener: Listener | None = None,
) -> list[Record]:
    """Run a notebook once for each job and write the reports with an index page.

    A report that failed is named in the index with its error, and the others go on. One that is done, from the same
    notebook, parameters and version of Maestro, is not run again. Every file is written beside its place and renamed,
    the index after each report, so that an interrupted batch leaves whole files and goes on where it was.

    Parameters
    ----------
    notebook : Path
    jobs : of `read_batch`
    out : Path
        Folder, made where it is missing.
    code : bool
        Whether the pages hold the code, behind a button.
    force : bool
        Run also what is done.
    timeout : float, optional
        Longest time a cell may take [s].
    listener : callable, optional
        See `Listener`.

    Returns
    -------
    list of Record, in the order of the jobs

    Raises
    ------
    RunError
        The folder cannot be written to.
    """
    records = [_found(job, out, force) for job in jobs]
    declared = notebook_parameters(notebook)
    tell = listener or (lambda record, through, of: None)
    write_index(records, out, notebook)
    for through, (job, record) in enumerate(zip(jobs, records, strict=True)):
        if record.status != "done":
            tell(record, through, len(jobs))
            _make(job, record, notebook, declared, out, code, timeout)
            write_index(records, out, notebook)
        tell(record, through + 1, len(jobs))
    return records


def write_index(records: Sequence[Record], out: Path, notebook: Path) -> Path:
    """Write ``index.html``: one row per report with status, key figures and link; returns its path."""
    from maestro.reports.notebooks.batch_index import index_page

    return write_page(out / "index.html", index_page(records, notebook.name))


def _make(
    job: Job, record: Record, notebook: Path, declared: Mapping[str, NotebookParameter], out: Path, code: bool,
    timeout: float | None,
) -> None:  # fmt: skip
    """Make one report and its record; its failure is its own."""
    try:
        execution = run_notebook(notebook, job.parameters, timeout=timeout)
        record.error, record.seconds = execution.error, round(execution.seconds, 2)
        record.headline = [[name, value] for name, value in headline_of_notebook(execution.notebook).items()]
        write_executed(execution, out / f"{job.stem}.ipynb")
        page = notebook_page(execution, declared, name=notebook.name, code=code)
    except MaestroError as error:
        record.error = str(error)
    else:
        write_page(out / f"{job.stem}.html", page)
        record.page = f"{job.stem}.html"
    record.status = "failed" if record.error else "done"
    record.made = datetime.now(UTC).isoformat(timespec="seconds")
    record.fresh = True
    kept = {name: value for name, value in asdict(record).items() if name != "fresh"}
    write_text(out / f"{job.stem}.json", json.dumps(kept, indent=1, ensure_ascii=False))


def _found(job: Job, out: Path, force: bool) -> Record:
    """Record of a report that is there, done and whole; else one that waits."""
    fresh = Record(job.name, job.key, job.parameters)
    place = out / f"{job.stem}.json"
    if force or not place.is_file():
        return fresh
    try:
        record = Record(**json.loads(place.read_text("utf-8")))
    except (ValueError, TypeError):  # torn, or of another version: it is made again
        return fresh
    whole = record.key == job.key and record.status == "done" and record.page == f"{job.stem}.html"
    return record if whole and (out / record.page).is_file() else fresh


def _source(notebook: Path) -> list[list[str]]:
    return [[cell.cell_type, cell.source] for cell in read_notebook(notebook).cells]


def _files(values: Mapping[str, Any]) -> list[str]:
    """SHA-256 of the file of a user-defined strategy.

    Raises
    ------
    ParameterError
        It cannot be read.
    """
    found = in_file(str(values.get("strategy", "")))
    if found is None:
        return []
    try:
        return [hashlib.sha256(found[0].read_bytes()).hexdigest()]
    except OSError as error:
        raise ParameterError(
            f"strategy={values['strategy']!r}: {found[0]} cannot be read ({error.strerror or error}); give a path from "
            "the folder in which the reports are made."
        ) from error


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _named(varied: Sequence[str], values: Mapping[str, Any], declared: Mapping[str, NotebookParameter]) -> str:
    parts = []
    for name in varied:
        value = values.get(name, declared[name].default)
        if isinstance(value, Mapping):
            parts += [f"{key}={one}" for key, one in value.items()]
        elif isinstance(value, (str, list, tuple)):
            text = value if isinstance(value, str) else ", ".join(map(str, value))
            parts.append(text or f"{'default' if value == declared[name].default else 'no'} {name}")
        else:
            parts.append(f"{name}={value}")
    return " · ".join(parts) or "report"


def _read(path: Path, encoding: str) -> str:
    remedy = "give a CSV or YAML file of parameters."
    if not path.exists():
        raise SettingsError(f"there is no file {path}; {remedy}")
    try:
        return path.read_text(encoding)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}; {remedy}") from error


def _read_csv(path: Path) -> list[dict[str, Any]]:
    text = _read(path, "utf-8-sig")
    rows = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        if None in row or None in row.values():
            raise SettingsError(f"{path}, line {number} has another number of cells than the head; give one per column.")
        rows.append({name.strip(): cell.strip() for name, cell in row.items() if cell.strip()})
    return [row for row in rows if row]


def _read_yaml_rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise SettingsError(f"{path} is neither YAML nor CSV by its ending; give {_FORM}.")
    document = read_yaml(_read(path, "utf-8"), str(path))
    if isinstance(document, list):
        document = {"reports": document}
    if isinstance(document, dict) and document and not set(document) & {"common", "each", "reports"}:
        document = {"reports": [document]}  # the parameters of one report, as an app freezes them
    if not isinstance(document, dict) or set(document) - {"common", "each", "reports"} or not document:
        raise SettingsError(f"{path} is of another form; give {_FORM}.")
    common, each, reports = document.get("common") or {}, document.get("each") or {}, document.get("reports") or [{}]
    mappings = isinstance(common, dict) and isinstance(each, dict) and isinstance(reports, list)
    if not mappings or not all(isinstance(row, dict) for row in reports):
        raise SettingsError(f"{path} is of another form; give {_FORM}.")
    if not all(isinstance(values, list) and values for values in each.values()):
        raise SettingsError(f"{path}: each name under 'each' needs a list of values.")
    if not each and reports == [{}]:
        reports = [{}] if common else []
    combined = [dict(zip(each, values, strict=True)) for values in itertools.product(*each.values())]
    return [{**common, **row, **more} for row in reports for more in combined]
