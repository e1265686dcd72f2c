"""Does the started JupyterLab open on the first notebook, and do its tiles open the apps? look.py ADDRESS TOKEN."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from urllib.error import HTTPError, URLError

from maestro.apps.shared.page import APPS

FIRST = "/lab/tree/notebooks/01_first_steps.ipynb"
PATIENCE = 120  # seconds; a fresh environment has no bytecode of its libraries yet


def fetch(address: str, token: str) -> tuple[str, str]:
    """Address after redirections, and text."""
    request = urllib.request.Request(address, headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.geturl(), answer.read().decode("utf-8", "replace")


def until_there(address: str, token: str) -> tuple[str, str]:
    """Fetch as soon as the server answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return fetch(address, token)
        except HTTPError as error:
            if error.code < 500 or time.monotonic() > deadline:
                raise
        except URLError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def main(root: str, token: str) -> None:
    """Look, and say what was seen; a failed assertion is the exit code."""
    where, _ = until_there(f"{root}/", token)
    assert where.split("?")[0] == root + FIRST, f"it opens on {where}"
    print(f"   it opens on {FIRST}")
    servers = json.loads(fetch(f"{root}/server-proxy/servers-info", token)[1])["server_processes"]
    entries = [entry["launcher_entry"] for entry in servers if entry["name"].startswith("maestro-")]
    titles = {entry["title"] for entry in entries}
    wanted = {f"Maestro {title}" for title in APPS.values()}
    assert titles == wanted, f"tiles of the apps: {sorted(titles)}, not {sorted(wanted)}"
    print(f"   tiles: {', '.join(entry['title'] for entry in entries)}")
    path = entries[0]["path_info"]
    where, text = until_there(f"{root}/{path}", token)
    assert "bokeh" in text.lower() or "market" in text.lower(), f"{where} shows no app: {text[:300]}"
    print(f"   the first opens {where.removeprefix(root)}")


main(*sys.argv[1:])
