"""Every snippet and command of the page "From your file to a verdict" runs, on files as their vendors write them."""

from __future__ import annotations

import re
import shlex
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import maestro as ms
from maestro.bars.samples import sample_frame
from maestro.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "from-your-file-to-a-verdict.md"
NAMES = ["Close", "High", "Low", "Open", "Volume"]


def download(tickers: str | list[str], **options: str) -> pd.DataFrame:
    """What `yf.download` returns, of real bars: columns of two levels, Price and Ticker, and days as index."""
    listed = [tickers] if isinstance(tickers, str) else tickers
    rows = [sample_frame(name).to_pandas().set_index("Date")[NAMES] for name in listed]
    frame = pd.concat(rows, axis=1, keys=listed).swaplevel(axis=1).sort_index(axis=1)
    frame.columns = frame.columns.set_names(["Price", "Ticker"])
    frame.index = pd.DatetimeIndex(frame.index, name="Date")
    return frame.loc[options["start"] : options["end"]]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's files: Apple's real bars in the form of each vendor."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))
    module = types.ModuleType("yfinance")
    module.download = download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "yfinance", module)
    frame = ms.load_sample("AAPL").to_frame().with_row_index("n")
    trading_view, meta, kraken = ["time,open,high,low,close,Basis,Upper,Lower,Volume,Volume MA"], [], []
    meta.append("<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>")
    for n, stamp, *prices, volume in (
        frame.head(500).select("n", "timestamp", "open", "high", "low", "close", "volume").iter_rows()
    ):
        text = [repr(price) for price in prices]
        trading_view.append(f"{int(stamp.timestamp())},{','.join(text)},1.5,2.5,0.5,{volume!r},777")
        meta.append("\t".join([f"2024.01.{n // 24 + 1:02d}", f"{n % 24:02d}:00:00", *text, str(n), "0", "12"]))
        kraken.append(",".join([str(1_704_067_200 + 3_600 * n), *text, repr(volume), "9"]))
    (tmp_path / "BATS_AAPL, 1D.csv").write_text("\n".join(trading_view))
    (tmp_path / "EURUSD_H1.csv").write_text("\n".join(meta[: 24 * 20]))
    (tmp_path / "XBTUSD_60.csv").write_text("\n".join(kraken))
    with zipfile.ZipFile("Kraken_OHLCVT.zip", "w") as archive:
        archive.write("XBTUSD_60.csv")
        archive.writestr("XBTEUR_60.csv", "\n".join(kraken))
    return tmp_path


def test_every_snippet_and_command_runs(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```(python|console)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert {kind for kind, _ in blocks} == {"python", "console"}
    space: dict[str, Any] = {}
    loaded: list[ms.Bars] = []
    for kind, block in blocks:
        if kind == "python":
            exec(compile(block, PAGE.name, "exec"), space)
            if "bars" in space and (not loaded or space["bars"] is not loaded[-1]):
                loaded.append(space["bars"])
            continue
        for line in block.splitlines():
            with pytest.raises(SystemExit) as ended:
                main(shlex.split(line.removeprefix("$ maestro ")))
            assert not ended.value.code, f"{line}: {capsys.readouterr().err}"
    yahoo, trading_view, meta, kraken, saved = loaded
    sample = ms.load_sample("AAPL")
    assert (yahoo.symbol, yahoo.timeframe, yahoo.periods_per_year) == ("AAPL", "1d", 252.0)
    assert list(yahoo.close) == list(sample.close)
    assert list(yahoo.time) == list(sample.time)
    assert list(saved.close) == list(space["apple"].close) == list(sample.close)
    assert list(trading_view.close) == list(sample.close[:500])
    assert list(trading_view.volume) == list(sample.volume[:500])
    assert trading_view.basis is None
    assert str(meta.start)[:16] == "2023-12-31 22:00"  # midnight in Athens
    assert list(meta.volume[:3]) == [0.0, 1.0, 2.0]
    assert "TICKVOL" in " ".join(meta.notes)
    assert (kraken.symbol, kraken.timeframe, len(kraken)) == ("XBTUSD", "1h", 500)
    assert (desk / "report.html").stat().st_size > 100_000
    assert str(space["verdict"].conclusion) in PAGE.read_text(encoding="utf-8")
