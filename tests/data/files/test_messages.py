"""What a new user reads when a file cannot be loaded: what came, where, and the option or correction that helps."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.cli import main
from maestro.errors import MaestroError

HEADER = "Date,Open,High,Low,Close,Volume\n"
ROWS = HEADER + "".join(f"2024-01-0{day},10,11,9,10.5,100\n" for day in range(2, 7))
TWO = "".join(f"2024-01-0{day},{name},10,11,9,10.5,100\n" for day in (2, 3, 4) for name in ("AAPL", "MSFT"))
GAP = "2024-03-31 01:30,1,1,1,1,1\n2024-03-31 02:30,1,1,1,1,1\n2024-03-31 03:30,1,1,1,1,1\n"
THREE = "time,open,high,low,close,volume\n" + "".join(f"{86_400 * day},1,1,1,1,1\n" for day in (1, 2, 3))
POINTS = "Date;Open;High;Low;Close;Volume\n2024-01-02;1,234;1,235;1,233;1,234;1\n2024-01-03;1,234;1,235;1,233;1,234;1\n"
MONTHS = "2024-01-02,10,11,9,10.5,1\n"

MESSAGES: list[tuple[str, str | bytes, dict[str, Any], tuple[str, ...]]] = [
    ("empty.csv", "", {}, ("empty.csv is empty.",)),
    ("header.csv", HEADER, {}, ("header.csv has a header and no row of numbers below it.",)),
    ("no_close.csv", "Date,Open,High,Low,Volume\n2024-01-02,10,11,9,100\n2024-01-03,10,11,9,100\n", {},
     ("missing column close; there are: Date, Open, High, Low, Volume.",
      "columns={'close': 'NAME'} (--column close=NAME).")),
    ("bad_date.csv", ROWS.replace("2024-01-04", "2024-13-04"), {},
     ("the timestamp '2024-13-04' at line 4 is not a date of the calendar", "1 such row of 5", "--unit '%d/%m/%Y'")),
    ("either.csv", HEADER + "01/02/2024,1,1,1,1,1\n02/01/2024,1,1,1,1,1\n01/03/2024,1,1,1,1,1\n", {},
     ("dates like 01/02/2024 can be day-month-year or month-day-year", "unit='%d/%m/%Y' (--unit '%d/%m/%Y') or ")),
    ("text.csv", ROWS.replace("04,10,", "04,n.a. yet,"), {},
     ("column open holds text at line 4: 'n.a. yet'; correct or remove the row", "--column open=NAME")),
    ("no_price.csv", ROWS.replace("04,10,11,9,10.5", "04,10,11,9,"), {},
     ("close is missing, NaN or infinite at line 4 (2024-01-04 00:00); fill in or remove these rows.",)),
    ("high.csv", ROWS.replace("04,10,11,9", "04,10,9,11"), {},
     ("high is below low at line 4 (2024-01-04 00:00); look for swapped columns or a bad tick.",)),
    ("zero.csv", ROWS.replace("04,10,11,9", "04,0,11,0"), {}, ("open is not above zero at line 4 (2024-01-04 00:00)",)),
    ("volume.csv", ROWS.replace("05,10,11,9,10.5,100", "05,10,11,9,10.5,-5"), {},
     ("volume is negative at line 5 (2024-01-05 00:00); volumes are 0 or more.",)),
    ("double.csv", ROWS + "2024-01-04,10,12,9,10.7,100\n", {},
     ("1 stamp has duplicate rows that differ, the first 2024-01-04 00:00 at lines 4 and 7",
      "duplicates='first' (--duplicates first) or duplicates='last' (--duplicates last).")),
    ("two.csv", "Date,Ticker,Open,High,Low,Close,Volume\n" + TWO, {},
     ("two.csv holds 2 symbols in column Ticker (AAPL, MSFT); choose one: symbol='AAPL' (--symbol AAPL).",)),
    ("page.csv", "<!DOCTYPE html><html><body>Too many requests</body></html>", {},
     ("page.csv is a page of HTML, not rows of data: 'Too many requests'. Download the file again.",)),
    ("long.csv", HEADER + "2024-01-02,10,11,9,10.5,1,234\n2024-01-03,10,11,9,10.5,100\n", {},
     ("long.csv, line 2 has 7 values where the header has 6: '2024-01-02,10,11,9,10.5,1,234'", "needs quotes")),
    ("small.csv", THREE, {}, ("the timestamp 86400 at line 2 is too small for an epoch", "unit='s' (--unit s)")),
    ("letters.csv", HEADER + "2024-01-02 09:30 IST,1,1,1,1,1\n2024-01-02 09:31 IST,1,1,1,1,1\n", {},
     ("names its zone IST, which may mean several; give the zone: zone=", "--zone ")),
    ("twice.csv", "Date,Open,High,Low,Close,Close,Volume\n2024-01-02,1,1,1,1,1,1\n2024-01-03,1,1,1,1,1,1\n", {},
     ("twice.csv has column 'Close' more than once; keep one of each name.",)),
    ("one.csv", HEADER + MONTHS, {},
     ("one.csv has one row, which does not tell its timeframe; give it: timeframe='1h' (--timeframe 1h).",)),
    ("torn.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", {}, ("torn.csv.gz cannot be read", "is the file complete?")),
    ("torn.parquet", b"PAR1 and no more", {}, ("torn.parquet cannot be read", "is the file complete?")),
    ("words.csv", "this is a letter\nof two lines\n", {},
     ("has no rows of dates and numbers; it begins with 'this is a letter'", "Give CSV, Parquet or JSON.")),
    ("book.xls", b"\xd0\xcf\x11\xe0" + bytes(600), {}, ("is an old Excel workbook (.xls); save it as .xlsx or CSV.",)),
    ("skipped.csv", HEADER + GAP, {"zone": "Europe/Berlin"},
     ("2024-03-31 02:30:00 at line 3 does not exist in Europe/Berlin", "zone='UTC' (--zone UTC).")),
    ("comma.csv", POINTS, {},
     ("numbers like '1,234' can be thousands or decimals", "decimal=',' (--decimal ,) or decimal='.' (--decimal .).")),
    ("later.csv", ROWS.replace("2024-", "2124-"), {},
     ("the timestamp '2124-01-02' at line 2 would be in the year 2124; stamps from 1900 to",
      "columns={'timestamp': 'NAME'} (--column timestamp=NAME)", "--unit")),
    ("price.csv", HEADER + "".join(f"2024-01-0{day},10,11,9,10.5,10.{day}\n" for day in range(2, 9)), {},
     ("Volume lies between low and high in every row: it is a price", "columns={'volume': '0'} (--column volume=0).")),
    ("name.csv", ROWS, {"columns": {"volume": "Vol"}},
     ("there is no column 'Vol' for the volume", "Did you mean 'Volume'?")),
    ("unit.csv", ROWS, {"unit": "ms"},
     ("the stamps are not numbers (the first is '2024-01-02'), so their unit is not ms; leave unit out",)),
    ("step.csv", ROWS, {"timeframe": "1h"}, ("timeframe '1h' does not fit: the bars are 1d apart",)),
    ("zone.csv", ROWS, {"zone": "Berlin"}, ("zone='Berlin' (--zone) is not a known time zone", "'Europe/Berlin'?")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "options", "message"), MESSAGES, ids=[name for name, *_ in MESSAGES])
def test_the_error_of_a_file_has_a_remedy(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: str | bytes,
    options: dict[str, Any],
    message: tuple[str, ...],
) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(MaestroError) as caught:
        ms.load(path, **options)
    message = str(caught.value)
    for part in message:
        assert part in message
    assert message.endswith((".", "?"))
    assert not any(word in message for word in ("Traceback", "polars", "ComputeError", "None"))
    # `maestro data import` says the same, and no line of a traceback.
    flags = [f"--{key}={value}" for key, value in options.items() if key != "columns"]
    flags += [f"--column={key}={value}" for key, value in options.get("columns", {}).items()]
    with pytest.raises(SystemExit) as ended:
        main(["data", "import", str(path), "--dry-run", "--provider", "X", "--yes", *flags])
    err = capsys.readouterr().err
    if name != "two.csv":  # an import takes both symbols
        assert ended.value.code in (1, 2)
        assert "".join(message[0].split()) in "".join(err.split())
        assert "Traceback" not in err


def test_names_and_options_that_do_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(ROWS)
    with pytest.raises(MaestroError, match=r"there is no file .*price\.csv\. Did you mean 'prices\.csv'\?"):
        ms.load(tmp_path / "price.csv")
    with pytest.raises(MaestroError, match=r"has no use for column; leave it out\..*Did you mean 'columns'\?"):
        ms.load(path, column={})
    with pytest.raises(MaestroError, match=r"duplicates='frist' \(--duplicates\) is unknown; give refuse, first, last"):
        ms.load(path, duplicates="frist")
    with pytest.raises(MaestroError, match=r"decimal=';' \(--decimal\) is unknown; give '\.', ','"):
        ms.load(path, decimal=";")
    with zipfile.ZipFile(tmp_path / "pair.zip", "w") as archive:
        archive.writestr("a.csv", ROWS)
        archive.writestr("b.csv", ROWS)
    with pytest.raises(MaestroError, match=r"holds 2 files \(a\.csv, b\.csv\); give one of them as pair\.zip#a\.csv"):
        ms.load(tmp_path / "pair.zip")
