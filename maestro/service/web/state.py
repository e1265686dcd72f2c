"""State shared by all endpoints: the queue, the users, the tokens, the runs, and bodies of finished runs."""

from __future__ import annotations

from pathlib import Path

from maestro.config import load_settings
from maestro.service.accounts import Hub, Tokens, Users, read_or_make_keys
from maestro.service.jobs import Database, Queue
from maestro.service.specification import BACKTEST
from maestro.service.web.backtests import BacktestBodies
from maestro.service.web.metrics import Metrics
from maestro.service.web.tables import Bodies


class Service:
    """One service: a folder with jobs, users and a key, and the folder of its runs."""

    def __init__(self, folder: Path, runs_dir: Path | None = None, *, quota: int | None = None) -> None:
        self.folder = folder
        self.runs_dir = folder / "runs" if runs_dir is None else runs_dir
        self.database = Database(folder)
        self.queue = Queue(self.database, quota=quota)
        self.users = Users(self.database)
        hub = load_settings().service.hub
        self.hub = None if hub is None else Hub(hub, self.users)
        self.tokens = Tokens(self.database, read_or_make_keys(folder))
        self.metrics = Metrics(self.database, self.runs_dir)
        self.bodies = Bodies(self.runs_dir)
        self._backtests = BacktestBodies(self.runs_dir)

    def bodies_of(self, kind: str) -> Bodies:
        """Return the answers about jobs of a kind."""
        return self._backtests if kind == BACKTEST else self.bodies

    @property
    def has_logins(self) -> bool:
        """Whether anybody must log in: there are users, or a JupyterHub knows some."""
        return self.hub is not None or self.users.exist()
