"""Backups of everything that Maestro stores: created while it runs, listed, verified and restored."""

from maestro.operations.backup.create import create
from maestro.operations.backup.opening import open_vault
from maestro.operations.backup.places import Places, places_of
from maestro.operations.backup.restore import restore
from maestro.operations.backup.vault import StoredBackup, Vault
from maestro.operations.backup.verify import Verified, verify

__all__ = ["Places", "StoredBackup", "Vault", "Verified", "create", "open_vault", "places_of", "restore", "verify"]
