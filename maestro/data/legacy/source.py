"""The interface of a source of old tables: a running RethinkDB, its dump archive, or its exports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from maestro.errors import SourceError


@dataclass(frozen=True, slots=True, order=True)
class Table:
    """An old table: its database (empty for a lone file) and name."""

    database: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}.{self.name}" if self.database else self.name


class OldSource(Protocol):
    """A place with old tables.

    Errors are `SourceError`: it is away, refuses, or is torn; the message names the table. What was read until then
    is not a whole table.
    """

    @property
    def name(self) -> str:
        """Where it is, without secrets."""
        ...

    def tables(self) -> list[Table]:
        """All tables of people, sorted in the order in which they are best read."""
        ...

    def count(self, table: Table) -> int | None:
        """Number of documents according to the source; None if it is not known."""
        ...

    def documents(self, table: Table) -> Iterator[list[Any]]:
        """Documents in batches, each once, as the JSON values that they are."""
        ...

    def close(self) -> None:
        """Give the connection or file back."""
        ...


class SourceAwayError(SourceError):
    """The source does not answer at all, or refuses the user: no table can be read."""


def first_line(error: BaseException) -> str:
    """First line of what an error says, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def damaged_export(where: str, error: BaseException) -> SourceError:
    """Error for a file that ends too early or holds something else."""
    return SourceError(f"{where} cannot be read to its end ({first_line(error)}); is it whole? Take another copy.")
