"""What visitors of a server may open, and where a server may listen."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.apps.market.app import App as Market
from maestro.apps.runs.state import RunsState
from maestro.apps.shared import access
from maestro.apps.shared.series import keep_upload
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.cli import main
from maestro.errors import SettingsError

SECRET = "root:x:0:0:secret"


@pytest.fixture(autouse=True)
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server started in a folder, with one folder of data."""
    for name in ("work", "data", "else"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("MAESTRO_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path / "work")
    access.restrict([tmp_path / "data"])


def problem(data: str) -> str:
    return Market(data=data).picker.problem


def test_samples_stored_series_and_files_below_the_folders_are_opened(tmp_path: Path) -> None:
    ms.synthetic_bars(100).to_frame().write_csv(tmp_path / "data" / "bars.csv")
    assert problem("sample:IBM") == ""
    assert problem(str(tmp_path / "data" / "bars.csv")) == ""
    assert "is not among the data" not in problem("BINANCE:BTCUSDT:1h")


@pytest.mark.parametrize(
    "data",
    ["/etc/shadow", "{}/else/secret.csv", "{}/data/../else/secret.csv", "{}/data/link.csv", "\0", "secret.csv#x"],
)
def test_other_files_are_refused_without_a_look(tmp_path: Path, data: str) -> None:
    secret = tmp_path / "else" / "secret.csv"
    secret.write_text(SECRET)
    (tmp_path / "work" / "secret.csv").write_text(SECRET)
    (tmp_path / "data" / "link.csv").symlink_to(secret)
    output = problem(data.format(tmp_path))
    assert "is not among the data of this server" in output
    assert SECRET not in output
    assert (
        problem(str(tmp_path / "else" / "none.csv")).partition("is not among")[2] == output.partition("is not among")[2]
    )


def test_an_upload_is_opened(tmp_path: Path) -> None:
    content = ms.synthetic_bars(100).to_frame().write_csv().encode()
    assert problem(str(keep_upload("mine.csv", content))) == ""


@pytest.mark.parametrize("state", [RunsState, WalkForwardState])
def test_a_link_names_no_folder_of_runs_elsewhere(tmp_path: Path, state: type[RunsState]) -> None:
    one = state()
    for inside in ("runs", str(tmp_path / "work" / "mine"), str(tmp_path / "data" / "runs")):
        assert one.read({"runs_dir": inside}) == []
    (output,) = one.read({"runs_dir": str(tmp_path / "else")})
    assert "are not opened" in output
    assert one.runs_dir == str(tmp_path / "data" / "runs")


def test_an_app_in_a_notebook_opens_what_its_user_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_folders", None)
    path = tmp_path / "else" / "bars.csv"
    ms.synthetic_bars(100).to_frame().write_csv(path)
    assert problem(str(path)) == ""


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_a_server_listens_to_this_machine_alone(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["app", "--address", address, "--no-show"])
    assert ended.value.code == 2
    output = " ".join(capsys.readouterr().err.split())
    assert "lets other machines in" in output
    assert "--i-have-a-login-in-front" in output


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.3.2.1"])
def test_own_addresses_need_no_login(address: str) -> None:
    access.check_address(address, False)
    access.check_address("0.0.0.0", True)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such folder"):
        access.restrict([tmp_path / "none"])
