"""Migration of the old RethinkDB database (running, dumped or exported) into a store, and its rollback."""

from maestro.data.legacy.documents import Choices
from maestro.data.legacy.migration import Progress, migrate, migrations_folder
from maestro.data.legacy.opening import open_legacy
from maestro.data.legacy.report import MigrationReport, TableReport
from maestro.data.legacy.rollback import RollbackReport, rollback
from maestro.data.legacy.source import OldSource

__all__ = [
    "Choices",
    "MigrationReport",
    "OldSource",
    "Progress",
    "RollbackReport",
    "TableReport",
    "migrate",
    "migrations_folder",
    "open_legacy",
    "rollback",
]
