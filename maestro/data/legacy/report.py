"""The report of a migration, table by table, as an object, JSON and Markdown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class TableReport:
    """One table.

    Attributes
    ----------
    table, series : str
    status : ``"done"``, ``"counted"`` (dry run) or ``"failed"``
    documents : int, read; ``documents == rows + identical + sum(rejected)``
    rows : int, that belong into the target
    identical : int, documents that repeat another one
    rejected : mapping from reason to number, documents that are not rows
    examples : mapping from reason to the first of them
    notes : list of str, what was odd and how it was understood
    first, last : str, ISO stamps of the rows
    inserted, replaced, unchanged, kept : int
        Rows that were new, that replaced other values, that were there already, that differ and were left (only with
        ``existing="keep"``). In a dry run what would be.
    found : int, rows of these stamps in the target afterwards
    checksum, checksum_found : str
        SHA-256 over stamps and all columns, of the documents' rows and of what the target gave back.
    largest_difference : float, between any two numbers of them; 0 is expected
    error : str
    """

    table: str
    series: str
    status: str = "failed"
    documents: int = 0
    rows: int = 0
    identical: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    first: str = ""
    last: str = ""
    inserted: int = 0
    replaced: int = 0
    unchanged: int = 0
    kept: int = 0
    found: int = 0
    checksum: str = ""
    checksum_found: str = ""
    largest_difference: float | None = None
    error: str = ""

    @property
    def lost(self) -> int:
        """Documents that are not in the target, neither themselves nor an equal one."""
        return sum(self.rejected.values())


@dataclass(slots=True)
class MigrationReport:
    """The report of a migration.

    Attributes
    ----------
    id : str, for the rollback; empty for a dry run
    source, target : str, without secrets
    dry_run, resumed : bool
    tables : list of TableReport
    left_out : list of (table, reason)
    seconds : float, of this run
    folder : str, where the journal and the rejected documents are
    """

    id: str
    source: str
    target: str
    dry_run: bool = False
    resumed: bool = False
    tables: list[TableReport] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    folder: str = ""

    @property
    def ok(self) -> bool:
        """Whether every table was moved (counted, in a dry run) and checked without a difference."""
        return all(table.status != "failed" for table in self.tables)

    @property
    def complete(self) -> bool:
        """Whether every document is in the target, itself or an equal one."""
        return self.ok and not any(table.lost or table.kept for table in self.tables)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        return asdict(self) | {"ok": self.ok, "whole": self.complete}

    def to_markdown(self) -> str:
        """The report for people."""
        kind = "Migration, dry run" if self.dry_run else f"Migration {self.id}"
        lines = [f"# {kind}", "", f"From `{self.source}` to `{self.target}`."]
        if self.resumed:
            lines.append("It went on where an interrupted one had stopped.")
        lines += ["", self._verdict(), ""]
        head = ["table", "series", "documents", "rows", "identical", "rejected", "new", "replaced", "there already",
                "checked"]  # fmt: skip
        lines += [f"| {' | '.join(head)} |", f"|---|---|{'---:|' * 7}---|"]
        for one in self.tables:
            numbers = (one.documents, one.rows, one.identical, one.lost, one.inserted, one.replaced, one.unchanged)
            cells = [one.table, one.series, *(f"{number:,}" for number in numbers), _checked(one)]
            lines.append(f"| {' | '.join(cell.replace('|', '¦') for cell in cells)} |")
        for one in self.tables:
            lines += ["", f"## {one.table}", "", *self._about(one)]
        if self.left_out:
            lines += ["", "## Left out", "", *(f"- {table}: {reason}" for table, reason in self.left_out)]
        if not self.dry_run:
            lines += ["", f"Taken back with `maestro data migrate --rollback {self.id}`."]
        return "\n".join(lines) + "\n"

    def _verdict(self) -> str:
        failed = sum(table.status == "failed" for table in self.tables)
        lost = sum(table.lost for table in self.tables)
        kept = sum(table.kept for table in self.tables)
        documents = sum(table.documents for table in self.tables)
        parts = [f"{len(self.tables):,} tables, {documents:,} documents."]
        if failed:
            parts.append(f"**{failed} failed: see below.**")
        if lost:
            parts.append(f"**{lost:,} documents are not rows and are not migrated: each is in its table's list.**")
        if kept:
            parts.append(f"**{kept:,} rows of the target with other values were left as they are.**")
        if self.complete:
            parts.append("Every document can be moved." if self.dry_run else "Every document is in the target.")
        return " ".join(parts)

    def _about(self, one: TableReport) -> list[str]:
        lines = [f"- {one.first} to {one.last}"] if one.first else []
        lines += [f"- error: {one.error}"] if one.error else []
        lines += [f"- {note}" for note in one.notes]
        if one.checksum:
            lines.append(f"- checksum of the documents' rows: `{one.checksum}`")
        if one.checksum_found:
            lines.append(f"- checksum of the target's rows: `{one.checksum_found}`")
        if one.largest_difference is not None:
            lines.append(f"- {one.found:,} rows found, largest difference {one.largest_difference:g}")
        if one.kept:
            lines.append(f"- {one.kept:,} rows of the target have other values and were left")
        for reason, number in one.rejected.items():
            lines.append(f"- rejected, {number:,} times: {reason}")
            lines += [f"  - `{example}`" for example in one.examples.get(reason, ())]
        return lines


def _checked(one: TableReport) -> str:
    if one.status == "done":
        return "equal"
    return "not yet" if one.status == "counted" else "**failed**"
