"""What visitors of a server may open: samples, stored series, their own uploads, and files below given folders."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from maestro.bars.loading import is_series_name
from maestro.config import load_settings
from maestro.errors import SettingsError

_folders: tuple[Path, ...] | None = None  # None: an app in a notebook, which may open what its user may


def restrict(folders: Iterable[str | Path] | None = ()) -> None:
    """From now on the apps of this process open files below these folders only; None lifts the restriction.

    Raises
    ------
    SettingsError
        A folder that does not exist.
    """
    global _folders
    if folders is None:
        _folders = None
        return
    given = [Path(folder) for folder in folders]
    for folder in given:
        if not folder.is_dir():
            raise SettingsError(f"--data-dir {folder}: there is no such folder; give one that exists.")
    _folders = tuple(folder.resolve() for folder in given)


def restricted() -> bool:
    """Whether `restrict` was called."""
    return _folders is not None


def refuse_data(name: str) -> str:
    """Why an app does not open these data; empty if it does. A file is not looked at before."""
    if _folders is None or name.startswith("sample:") or (is_series_name(name) and not Path(name).is_file()):
        return ""
    own = load_settings().state_dir
    if _inside(name.partition("#")[0], (*_folders, own / "uploads", own / "bars")):
        return ""
    return (
        f"{name[:200]!r} is not among the data of this server: samples, series of the store, uploads, and files below "
        "the folders that it was started with (maestro app --data-dir FOLDER)."
    )


def refuse_runs(folder: str) -> str:
    """Why an app does not open this folder of runs; empty if it does."""
    if _folders is None or _inside(folder, (*_folders, Path.cwd(), load_settings().runs_dir)):
        return ""
    return (
        f"the runs in {folder[:200]!r} are not opened: they are neither in the folder that this server was started in, "
        "nor in the configured runs_dir, nor below a --data-dir"
    )


def check_address(address: str, login_in_front: bool) -> None:
    """Refuse to listen to other machines unless somebody vouches for a login.

    Raises
    ------
    SettingsError
    """
    try:
        local = address == "localhost" or ip_address(address).is_loopback
    except ValueError:
        local = False
    if not local and not login_in_front:
        raise SettingsError(
            f"--address {address} lets other machines in, and the apps have no login of their own: anyone who reaches "
            "them may start and delete runs. Listen on 127.0.0.1 and put a proxy with a login in front; if there is "
            "one already, add --i-have-a-login-in-front."
        )


def _inside(path: str | Path, folders: Iterable[Path]) -> bool:
    try:
        asked = Path(path).resolve()
        return any(asked.is_relative_to(folder.resolve()) for folder in folders)
    except (OSError, ValueError, RuntimeError):  # a null character, a circle of links
        return False
