"""The sheets of an Excel workbook as tab-separated text, which is then read like any other text."""

from __future__ import annotations

import io
from pathlib import Path

from maestro.errors import BarsError, MissingExtraError


def sheets_of(data: bytes, path: Path) -> dict[str, str]:
    """Text of each sheet that has at least two rows of two cells.

    Raises
    ------
    MissingExtraError
        fastexcel is not installed.
    BarsError
        The workbook is damaged.
    """
    try:
        import fastexcel
    except ImportError:
        raise MissingExtraError("fastexcel, which reads Excel workbooks,", "excel") from None
    import polars as pl

    found = {}
    try:
        book = fastexcel.read_excel(data)
        for name in book.sheet_names:
            sheet = book.load_sheet(name, header_row=None, dtypes="string")
            if sheet.height < 2 or sheet.width < 2:
                continue
            frame = sheet.to_polars()
            text = io.BytesIO()
            frame.with_columns(pl.all().str.replace_all(r"[\t\r\n]+", " ")).write_csv(
                text, separator="\t", include_header=False
            )
            found[name] = text.getvalue().decode()
    except fastexcel.FastExcelError as error:
        raise BarsError(f"{path} cannot be read ({str(error).splitlines()[0]}); is the file complete?") from None
    return found
