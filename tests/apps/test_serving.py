"""How the apps are served: by name, in a cell, below a path, and as a tile of JupyterLab."""

from __future__ import annotations

import importlib.metadata
import json
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import maestro as ms
from maestro.apps import serving
from maestro.cli import main
from maestro.errors import SettingsError
from tests.support.patience import GIVE_UP

ROOT = Path(__file__).parents[2]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def fetched(url: str, process: subprocess.Popen[bytes]) -> str:
    """Text of a page of a server that is only starting."""
    for _ in range(240):
        try:
            with urlopen(url, timeout=10) as page:
                return str(page.read().decode())
        except (URLError, OSError):
            assert process.poll() is None, "the server has ended"
            time.sleep(0.25)
    raise AssertionError(f"{url} never answered")


def test_an_app_in_a_cell_shows_the_bars_of_the_call() -> None:
    bars = ms.synthetic_bars(100, seed=1)
    app = ms.app("market", bars)
    assert len(app.view.chart.candles["time"]) == 100
    assert app.settings()["start"] is None
    html = str(app.__panel__().get_root())
    assert html


def test_an_unknown_app_or_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"there is no app 'makret'; there are: market, .*Did you mean 'market'"):
        ms.app("makret")
    with pytest.raises(SettingsError, match=r"the app market has no setting 'dat'; it has: .* Did you mean 'data'"):
        ms.app("market", dat="sample:IBM")
    with pytest.raises(SettingsError, match="there is no app"):
        serving.serve(["nope"])


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("backtest", {"fee": 0.9}, r"the app backtest: fee must be less than 0.5, not 0.9. fee: Fraction of the"),
        ("backtest", {"bars": "sample:AAPL"}, r"does not take 'sample:AAPL' as bars: give what ms.load returns"),
        ("backtest", {"strategy": 5}, "does not take 5 as strategy; give a name or a class"),
        ("backtest", {"fill": "never"}, r"fill does not accept 'never'; valid options include: .*close"),
        ("backtest", {"params": 3}, "params value must be an instance of dict, not 3"),
        ("walk_forward", {"trials": 2.5}, "trials must be an integer"),
        ("walk_forward", {"own": ms.Strategy}, "the app walk_forward has no setting 'own'"),
        ("market", {"strategy": "RSIStrategy"}, "the app market has no setting 'strategy'"),
        ("runs", {"runs": "abc"}, "runs must be a list"),
        ("runs", {"runs_dir": 5}, "runs_dir expected str, bytes or os.PathLike"),
        ("runs", {"bars": ms.synthetic_bars(9)}, "as bars: it shows what runs_dir holds"),
        ("many", {"strategy": ms.Strategy}, "as strategy; give a name"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_before_anything_is_shown(
    name: str, given: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestro.apps.notebook.load_panel", lambda: pytest.fail("the notebook has output"))
    with pytest.raises(SettingsError, match=message):
        ms.app(name, **given)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_ports_that_cannot_be_are_refused(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["app", "market", "--port", str(port), "--no-show"])
    assert ended.value.code == 2
    assert re.search(rf"Invalid value for '--port': .* (0|65535), not '{port}'", capsys.readouterr().err)
    with pytest.raises(SettingsError, match=f"port {port} cannot be; give 1 to 65535"):
        serving.serve(["market"], port=port)


def test_a_port_in_use_is_reported() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "maestro", "app", "market", "--port", str(port), "--no-show"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert f"port {port} of 127.0.0.1 cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr


TILES = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["jupyter_serverproxy_servers"]


def test_each_app_has_its_tile_and_all_lead_to_one_server() -> None:
    tiles = [importlib.metadata.EntryPoint(*tile, "tiles").load()() for tile in TILES.items()]
    [server] = {tile["launcher_entry"]["path_info"].split("/")[0] for tile in tiles}
    assert server == next(iter(TILES))
    below = [tile["command"][tile["command"].index("--prefix") + 1] for tile in tiles]
    assert below == [f"{{base_url}}{name}" for name in TILES]  # as jupyter-server-proxy leads to each of them
    assert [tile["launcher_entry"]["title"] for tile in tiles] == [f"Maestro {name}" for name in serving.APPS.values()]
    assert [tile["launcher_entry"]["path_info"].split("/")[1] for tile in tiles] == list(serving.APPS)


@pytest.mark.parametrize("name", ["maestro-market", "maestro-walk-forward"])
def test_the_tile_of_jupyterlab_starts_the_apps_below_its_path(name: str, free_port: int, tmp_path: Path) -> None:
    first = importlib.metadata.EntryPoint("maestro-market", TILES["maestro-market"], "jupyter_serverproxy_servers")
    entry = importlib.metadata.EntryPoint(name, TILES[name], "jupyter_serverproxy_servers")
    tile: dict[str, Any] = entry.load()()
    assert tile["absolute_url"]
    assert Path(tile["launcher_entry"]["icon_path"]).read_text().startswith("<svg")
    assert tile["launcher_entry"]["path_info"].startswith(f"{first.name}/")
    json.dumps(tile)
    command = [part.format(port=free_port, base_url="/user/jo/") for part in first.load()()["command"]]
    assert command[0] == sys.executable
    with open(tmp_path / "log", "wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT)
    try:
        path = f"/user/jo/{tile['launcher_entry']['path_info']}"
        page = fetched(f"http://127.0.0.1:{free_port}{path}", server)
        assert f"<title>{tile['launcher_entry']['title'].removeprefix('Maestro ')}</title>" in page
        for asked in re.findall(r"(?:src|href)=\"([^\"]+)\"", page):
            assert not asked.startswith(("http:", "https:", "//", "/")), "only paths below its own"
        server.send_signal(signal.SIGINT)
        assert server.wait(GIVE_UP) is not None
        assert "Traceback" not in (tmp_path / "log").read_text()
    finally:
        server.kill()
        server.wait()


def test_names_of_this_machine_and_configured_origins_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[dict[str, Any], dict[str, Any]]] = []
    monkeypatch.setattr("panel.serve", lambda pages, **options: asked.append((pages, options)))
    serving.serve(port=0, show=False, origins=["maestro.example"])
    serving.serve(["runs"], port=5007, address="0.0.0.0", show=False, login_in_front=True)
    (pages, options), (one, shared) = asked
    assert list(pages) == ["/", *serving.APPS]
    assert options["port"] > 0
    assert options["websocket_origin"] == [
        f"127.0.0.1:{options['port']}",
        f"localhost:{options['port']}",
        "maestro.example",
    ]
    assert list(one) == ["runs"]
    assert f"{socket.gethostname()}:5007" in shared["websocket_origin"]
    assert "*" not in shared["websocket_origin"]
