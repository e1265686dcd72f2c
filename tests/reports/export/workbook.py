"""Reads back a workbook as a spreadsheet does: every cell with its type, from the XML inside."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class Sheet:
    """Cells by (row, column) from 0, their number formats, and what stands around them."""

    cells: dict[tuple[int, int], Any] = field(default_factory=dict)
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: int = 0
    frozen: tuple[int, int] = (0, 0)
    filtered: str = ""
    xml: str = ""

    def column(self, heading: str) -> list[Any]:
        (j,) = [j for (i, j), value in self.cells.items() if i == 0 and value == heading]
        return [self.cells.get((i, j)) for i in range(1, self.rows)]

    @property
    def rows(self) -> int:
        return 1 + max((i for i, _ in self.cells), default=-1)

    def text(self) -> str:
        return "\n".join(str(value) for value in self.cells.values())


@dataclass
class Workbook:
    """Sheets in order by name, and the XML of the charts."""

    sheets: dict[str, Sheet]
    charts: list[str]


def _place(reference: str) -> tuple[int, int]:
    letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", reference).groups()  # type: ignore[union-attr]
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - 64
    return int(digits) - 1, column - 1


def _unescaped(text: str) -> str:
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)


def read(path: Path) -> Workbook:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert not [name for name in names if "externalLink" in name or "vbaProject" in name]
        styles = ElementTree.fromstring(archive.read("xl/styles.xml"))
        codes = {int(one.get("numFmtId", 0)): one.get("formatCode", "") for one in styles.iter(f"{MAIN}numFmt")}
        cellxfs = styles.find(f"{MAIN}cellXfs")
        assert cellxfs is not None
        kinds = [int(one.get("numFmtId", 0)) for one in cellxfs]
        targets = {
            one.get("Id"): one.get("Target")
            for one in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        }
        sheets = {}
        for one in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{MAIN}sheet"):
            content = archive.read(f"xl/{targets[one.get(RELATION)]}")
            sheets[str(one.get("name"))] = _sheet(content, kinds, codes)
        drawn = [name for name in sorted(names) if re.fullmatch(r"xl/charts/chart\d+\.xml", name)]
        charts = [archive.read(name).decode() for name in drawn]
    return Workbook(sheets, charts)


def _sheet(content: bytes, kinds: list[int], codes: dict[int, str]) -> Sheet:
    sheet = Sheet(xml=content.decode())
    root = ElementTree.fromstring(content)
    for pane in root.iter(f"{MAIN}pane"):
        sheet.frozen = (int(float(pane.get("ySplit", 0))), int(float(pane.get("xSplit", 0))))
    for one in root.iter(f"{MAIN}autoFilter"):
        sheet.filtered = str(one.get("ref"))
    for cell in root.iter(f"{MAIN}c"):
        place = _place(str(cell.get("r")))
        kind, value = cell.get("t", "n"), cell.find(f"{MAIN}v")
        sheet.formulas += cell.find(f"{MAIN}f") is not None
        sheet.formats[place] = codes.get(kinds[int(cell.get("s", 0))], str(kinds[int(cell.get("s", 0))]))
        if kind == "inlineStr":
            sheet.cells[place] = _unescaped("".join(part.text or "" for part in cell.iter(f"{MAIN}t")))
        elif value is not None:
            text = str(value.text)
            assert kind in ("n", "b"), f"cell {place} is of type {kind}"
            sheet.cells[place] = text == "1" if kind == "b" else float(text)
    return sheet
