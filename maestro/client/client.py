"""`Client`: submit walk-forwards and backtests to a service with the arguments of the library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from maestro.client.connection import Connection
from maestro.client.job import RemoteJob
from maestro.config import load_settings
from maestro.engine import Backtest, Costs, Sizing
from maestro.errors import SettingsError
from maestro.walkforward.result import WalkForward

_HERE = "/api/v2/optimizations"


class Client:
    """A Maestro service.

    Parameters
    ----------
    url, key : str, optional
        Address and API key; the settings ``service.url`` and ``service.key`` (``MAESTRO_SERVICE_KEY``) if not given.
    runs_dir : path, optional
        Where results are put; the setting ``runs_dir`` if not given.
    timeout : float [s]
        Of one request.
    patience : float [s]
        How long a service that does not answer is asked again.
    session : str, optional
        Value of the cookie of a browser that is logged in, in place of a key; the apps act for their visitors with it.

    Raises
    ------
    ServiceError
        It does not answer, or has another version than this package.
    """

    def __init__(
        self, url: str | None = None, key: str | None = None, *, runs_dir: str | Path | None = None,
        timeout: float = 60.0, patience: float = 60.0, session: str = "",
    ) -> None:  # fmt: skip
        self._connection = Connection(url, key, timeout=timeout, patience=patience, session=session)
        self._runs_dir = load_settings().runs_dir if runs_dir is None else Path(runs_dir)
        try:
            self._connection.check_version()
        except BaseException:
            self._connection.close()
            raise

    @property
    def url(self) -> str:
        """Address of the service."""
        return self._connection.url

    def walk_forward(
        self, data: str, strategy: str, *, progress: bool | Callable[[dict[str, Any]], None] = False, **settings: Any
    ) -> WalkForward:
        """Run a walk-forward on the service and return its result, as `ms.walk_forward` does.

        The result has the id and the bytes of the library's and is put into the runs directory. If this program ends
        before the run, the run goes on; the same call follows it again.

        Parameters
        ----------
        data : str
            ``sample:AAPL``, or ``PROVIDER:SYMBOL:TIMEFRAME`` of the server's store.
        strategy : str
            A built-in strategy, or one of the server's plug-ins.
        progress : bool or callable
            True shows a bar of trials; a function is given every event as a dictionary.
        **settings
            start, end, resample and periods_per_year as of the command line; splitter, trials, search, seed, params,
            space, costs, sizing, cash, fill, select, warm_start and accept_defects as of `ms.walk_forward`, where
            objects are given as text (``splitter="rolling:10,2,1"``); name, a label; priority.

        Raises
        ------
        SettingsError
            The service refuses a setting; the message says what is allowed.
        AccessError, QuotaError, JobError, RunCancelled, ServiceError
        """
        job = self.submit(data, strategy, **settings)
        wf: WalkForward = job.wait(progress).result()
        return wf

    def backtest(
        self, data: str, strategy: str, *, progress: bool | Callable[[dict[str, Any]], None] = False, **settings: Any
    ) -> Backtest:
        """Run a backtest on the service and return its result, as `ms.backtest` does.

        The numbers are those of the library on the server's bars, which come with the result. It is kept in
        ``backtests/`` of the runs directory; the same call finds it again. `Backtest.native` is not sent.

        Parameters
        ----------
        data, strategy, progress
            As of `walk_forward`.
        **settings
            start, end, resample and periods_per_year as of the command line; params, costs, sizing, cash, fill and
            engine as of `ms.backtest`, where objects are given as text; name, a label; priority.

        Raises
        ------
        SettingsError
            The service refuses a setting; the message says what is allowed.
        AccessError, QuotaError, JobError, RunCancelled, ServiceError
        """
        job = self.submit(data, strategy, **settings, kind="backtest")
        result: Backtest = job.wait(progress).result()
        return result

    def submit(self, data: str, strategy: str, **settings: Any) -> RemoteJob:
        """Submit a walk-forward, or with ``kind="backtest"`` a backtest; returns its job at once.

        Arguments are those of `walk_forward` and `backtest`.
        """
        document = document_of(data, strategy, settings)
        return self._job(self._connection.ask("POST", _HERE, json=document).json())

    def estimate(self, data: str, strategy: str, **settings: Any) -> dict[str, Any]:
        """Return run id, folds, trials and the seconds that one core of the service takes, without running.

        ``core_seconds`` is None for a backtest by another engine than the fast one. Arguments as of `submit`.
        """
        document = document_of(data, strategy, settings)
        found: dict[str, Any] = self._connection.ask("POST", f"{_HERE}/estimate", json=document).json()
        return found

    def job(self, ident: str) -> RemoteJob:
        """Return a job by its id, to follow it again."""
        return self._job(self._connection.ask("GET", f"{_HERE}/{ident}").json())

    def jobs(self, state: str | None = None, limit: int = 50, *, run: str | None = None) -> list[RemoteJob]:
        """Return jobs, the newest first; with `run`, those that make this run."""
        given = {"limit": limit, **({"state": state} if state else {}), **({"run": run} if run else {})}
        return [self._job(one) for one in self._connection.ask("GET", _HERE, params=given).json()["jobs"]]

    def strategies(self) -> list[str]:
        """Names of the strategies that the service has."""
        return [one["name"] for one in self._connection.ask("GET", "/api/v2/strategies").json()]

    def series(self) -> list[str]:
        """Names of the series that the service has."""
        return list(self._connection.ask("GET", "/api/v2/series").json())

    def close(self) -> None:
        """Close the connection; jobs continue."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _job(self, document: dict[str, Any]) -> RemoteJob:
        return RemoteJob(self._connection, document, self._runs_dir)

    def __repr__(self) -> str:
        return f"Client({self.url!r})"


def document_of(data: str, strategy: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the plain values of a submission.

    Raises
    ------
    SettingsError
        Bars, a class, or another object that has no plain form; the service runs what it has itself.
    """
    if not isinstance(data, str) or not isinstance(strategy, str):
        raise SettingsError(
            f"a service takes names, and this is {type(data).__name__} and {type(strategy).__name__}; give a series "
            "and a strategy that the server has (client.series(), client.strategies()), or run ms.walk_forward here."
        )
    document: dict[str, Any] = {"data": data, "strategy": strategy}
    for name, value in settings.items():
        if value is None:
            continue
        if name == "costs" and isinstance(value, Costs):
            document |= {"fee": value.fee, "slippage": value.slippage}
        elif name == "sizing" and isinstance(value, Sizing):
            document[name] = f"{value.kind}:{value.value!r},{value.max_exposure!r}"
        elif name == "space":
            document[name] = {key: _range(key, one) for key, one in value.items()}
        elif isinstance(value, (str, int, float, bool, list, tuple, dict)):
            document[name] = list(value) if isinstance(value, tuple) else value
        else:
            raise SettingsError(f"{name}={value!r} cannot be sent; give it as text, as on the command line.")
    return document


def _range(name: str, value: Any) -> Any:
    """A range as JSON: a tuple is low, high and step; a list means what it means in `ms.walk_forward`."""
    if isinstance(value, tuple) and len(value) in (2, 3):
        return dict(zip(("low", "high", "step"), value, strict=False))
    if not isinstance(value, (list, dict)):
        raise SettingsError(f"space: {name}={value!r} cannot be sent; give (low, high), a list, or a dictionary.")
    return value
