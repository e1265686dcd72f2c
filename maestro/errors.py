"""Every error that Maestro raises, under one root; a message says what came, the rule and the remedy."""

from __future__ import annotations

import difflib
import linecache
import re
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path


class _ShortInNotebooks:
    """Shows the message and the user's own lines in a notebook; ``%xmode Verbose`` shows every frame."""

    def _render_traceback_(self: BaseException) -> list[str]:  # type: ignore[misc]  # IPython's protocol
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        tb = getattr(shell, "InteractiveTB", None)
        if getattr(tb, "mode", "") == "Verbose":
            return list(tb.structured_traceback(type(self), self, self.__traceback__))  # type: ignore[union-attr]
        name = f"\x1b[31;1m{type(self).__name__}\x1b[0m"
        return [f"{name}: {self}" if str(self) else name, *_user_lines(self)]


class MaestroError(_ShortInNotebooks, Exception):
    """Root of all errors raised on purpose by Maestro."""


class BarsError(MaestroError, ValueError):
    """Market data that breaks a rule of `Bars`; names the rows."""


class ParameterError(MaestroError, ValueError):
    """A strategy parameter of the wrong name, type or value, or an impossible combination."""


class WarmupError(ParameterError):
    """A strategy needs more bars to warm up than half of those given."""


class StrategyError(MaestroError, ValueError):
    """An unknown strategy, or one that broke its contract (signals of a wrong shape or type)."""


class MissingSeriesError(StrategyError):
    """A strategy needs a series (funding rate, open interest, basis) that the bars do not carry."""


class SettingsError(MaestroError, ValueError):
    """An impossible setting: costs, sizing, cash, fill, splitter, search or budget."""


class SplitError(SettingsError):
    """No fold, or no fold of usable length, can be cut from the data."""


class RunError(MaestroError):
    """A run on disk that is missing, damaged, unfinished or cannot be written."""


class RunSchemaError(RunError):
    """A run that another version of Maestro wrote in a form that this one does not read; the message names it."""


class RunBusyError(RunError):
    """Another process works on the run."""


class LedgerError(MaestroError):
    """A ledger of trials that cannot be read or written."""


class RunCancelled(MaestroError):
    """The run was cancelled; what had finished is on disk and is taken up again."""


class RunInterrupted(_ShortInNotebooks, KeyboardInterrupt):
    """A run was interrupted by Ctrl-C or a notebook's stop button; the message says what was kept."""


class SourceError(MaestroError):
    """An exchange or archive that refuses, is away, or answers what cannot be used."""


class StoreError(MaestroError):
    """A store of market data that cannot be read or written as asked."""


class StoreUnavailableError(StoreError):
    """A server that does not answer, or not in time."""


class StoreAccessError(StoreError):
    """Wrong credentials, or no permission."""


class StoreFullError(StoreError):
    """No space is left where the data is."""


class StoreLockedError(StoreError):
    """Another writer holds the series."""


class StoreDamagedError(StoreError):
    """A file that is torn, or that the store did not write; the message names it."""


class StoreSchemaError(StoreError):
    """A table that has not the columns, types or keys of the store's design."""


class ServiceError(MaestroError):
    """A service that does not answer, refuses, or whose database cannot be read or written."""


class BackupError(MaestroError):
    """A backup that cannot be made, found or restored, or is damaged."""


class JobError(ServiceError):
    """A job that does not exist, is not finished, or failed."""


class QuotaError(ServiceError):
    """A user has as many open jobs as are allowed."""


class AccessError(ServiceError):
    """No login, a wrong one, or no permission."""


class MissingExtraError(MaestroError, ImportError):
    """An optional library is not installed; the message gives the extra that brings it."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f'{library} is not installed; it comes with an extra: pip install "maestro-research[{extra}]"')


class PluginError(MaestroError, ImportError):
    """A plug-in of another package that cannot be imported, or is not what its entry point promises."""


def message_of(error: BaseException) -> str:
    """Return an error's message, with the class before it if the error is not one of Maestro's."""
    return str(error) if isinstance(error, MaestroError) else f"{type(error).__name__}: {error}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'X'?"`` for the closest known name, or an empty string."""
    lowered = {one.lower(): one for one in known}
    wanted = name.lower()
    close = difflib.get_close_matches(wanted, lowered, n=1, cutoff=0.5)
    if not close and len(wanted) > 1:  # "RSI" is far from "RSIStrategy", but it is all of its beginning
        close = [one for one in lowered if wanted in one]
    return f" Did you mean {lowered[close[0]]!r}?" if len(close) == 1 else ""


def _user_lines(error: BaseException) -> list[str]:
    """Lines of the user's cells and files through which an error came, innermost last, those of its cause included."""
    ours = str(Path(__file__).parent)
    paths = (ours, *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")))
    found: dict[tuple[str, int], str] = {}
    cause: BaseException | None = error
    while cause is not None:
        tb = cause.__traceback__
        while tb is not None:
            name, number = tb.tb_frame.f_code.co_filename, tb.tb_lineno
            code, cell = linecache.getline(name, number).strip(), re.search(r"ipykernel_\d+|^<ipython", name)
            if code and (cell or (Path(name).is_absolute() and not name.startswith(paths))):
                where = "in this cell" if cell else name
                found[name, number] = f"  {where}, line {number}: {code}"
            tb = tb.tb_next
        cause = cause.__cause__
    return list(found.values())
