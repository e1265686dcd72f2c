"""The dialect of a text file: encoding, separator, header and its names, lines above the header."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass

from maestro.data.files.names import JOINT, optional_of, plain, price_of, stamp_rank, volume_rank
from maestro.data.files.vocabulary import SYMBOLS
from maestro.errors import BarsError

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
LOOKED_AT = 65_536
"""Bytes of a text that its dialect is recognised by."""
_LEGACY = ("cp1252", "cp1250", "cp1251", "cp932", "gbk", "euc-kr")  # what Excel writes where UTF-8 is not chosen
_STAMP = re.compile(
    r"^\W?(\d{4}[-/.年]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{1,2}[-/. ]?[^\W\d_]{3,}|[^\W\d_]{3,9}\.? \d{1,2}|"
    r"\d{6,19}(\.\d+)?$|\d{8}[ T]\d|-\d{6,12}$|\d{5}(\.\d+)?$|[^\W\d_]{3} \d{4}$)"
)
_NUMBER = re.compile(r"^[-+(]?[$€£¥₹]?\s?[\d.,\s'  ]*\d[\d.,']*\s?([eE][-+]?\d+|[KMBT%$€])?\)?$")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect of a text file.

    Attributes
    ----------
    separator : str
    names : tuple of str, one for each cell of a row; several header lines are joined
    header : bool, there is a header
    first : int, number of lines above the first row of data
    above : int, of these, lines above the header
    comments : bool, lines that begin with # are left out
    """

    separator: str
    names: tuple[str, ...]
    header: bool
    first: int
    above: int
    comments: bool


def as_utf8(data: bytes) -> tuple[bytes, str]:
    """Text of a file in UTF-8, and its encoding in words where it was another one.

    UTF-16 by its mark or its zero bytes; else the encoding of Excel's in which the header has most known names.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace").encode(), "UTF-16"
    if b"\x00" in data[:400]:
        little = data[1:400:2].count(0) > data[:400:2].count(0)
        return data.decode("utf-16-le" if little else "utf-16-be", errors="replace").encode(), "UTF-16"
    if data.isascii() or _decoded(data, "utf-8") is not None:
        return data, ""
    found = [(one, text) for one in _LEGACY if (text := _decoded(data, one)) is not None]
    best = max(found, key=lambda pair: _known(pair[1][:LOOKED_AT]), default=("latin-1", data.decode("latin-1")))
    return best[1].encode(), best[0]


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _known(text: str) -> int:
    """Number of known column names in the best of the first lines."""
    return max((_names_known(re.split(r"[;,\t|]", line)) for line in text.splitlines()[:30]), default=0)


def sniff(text: str, path: object, *, whole: bool = True) -> Dialect:
    """Dialect of a text.

    Parameters
    ----------
    text : str, the text or its beginning
    path : for messages
    whole : bool, `text` is all of it

    Raises
    ------
    BarsError
        Empty, a page of HTML, or lines that no separator cuts into rows of numbers.
    """
    lines = text.splitlines()
    if not whole and len(lines) > 1:
        lines = lines[:-1]  # cut off somewhere
    if re.match(r"(?is)\s*<(!doctype|html|\?xml|head|body)", text):
        words = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)).strip()[:80]
        raise BarsError(f"{path} is a page of HTML, not rows of data: {words!r}. Download the file again.")
    comments = any(line.lstrip().startswith("#") for line in lines)
    cut = {separator: _rows(lines, separator) for separator in SEPARATORS}
    clean = {sign: [row for row in rows if not _holds_stronger(row, sign)] for sign, rows in cut.items()}
    scores = {sign: _score(rows) for sign, rows in clean.items()}
    if not any(scores.values()):
        scores = {sign: _score(rows) for sign, rows in cut.items()}
    best = max(scores, key=lambda sign: scores[sign])
    if not scores[best]:
        filled = [line for line in lines if line.strip()]
        if filled and max(_names_known(re.split(r"[;,\t|]", line)) for line in filled[:20]) > 2:
            raise BarsError(f"{path} has a header and no row of numbers below it.")
        shown = "; ".join(repr(line.strip()[:60]) for line in filled[:2])
        raise BarsError(f"{path} has no rows of dates and numbers; it begins with {shown}. Give CSV, Parquet or JSON.")
    return _dialect(best, cut[best], comments, path)


def _rows(lines: list[str], separator: str) -> list[list[str]]:
    """Cells of each line; empty for empty lines and comments."""
    rows: list[list[str]] = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            rows.append([])
        elif separator == " ":
            rows.append(line.split())
        elif '"' in line:
            rows.append([cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))])
        else:
            rows.append([cell.strip() for cell in line.split(separator)])
    return rows


def _holds_stronger(row: list[str], separator: str) -> bool:
    """Whether a cell holds a sign that separates more surely than this one: a comma may be a decimal sign."""
    stronger = {",": ";\t|", " ": ";\t|,"}.get(separator, "")
    return any(sign in cell for sign in stronger for cell in row)


def _score(rows: list[list[str]]) -> float:
    """Share of lines that are rows of data, all of one length; 0 where there are none."""
    data = [row for row in rows if is_data(row)]
    if not data:
        return 0.0
    width, count = Counter(map(len, data)).most_common(1)[0]
    filled = sum(bool(row) for row in rows)
    stamped = sum(len(row) == width and any(_STAMP.match(cell) for cell in row) for row in data)
    plain_cells = sum(bool(_PLAIN.match(cell)) for row in data[:50] for cell in row)
    cells = sum(map(len, data[:50]))
    return (count + stamped) / filled + 0.5 * plain_cells / cells + 0.001 * min(width, 20)


_PLAIN = re.compile(r"^-?\d+(\.\d+)?([eE][-+]?\d+)?$")


def is_data(row: list[str]) -> bool:
    """Whether cells are those of a row of bars: four numbers at least, or two and a date."""
    numbers = sum(bool(_NUMBER.match(cell)) for cell in row)
    return numbers >= 4 or (
        numbers >= 1 and len(row) >= 2 and bool(row and _STAMP.match(row[0])) and _texts(row) < len(row) / 2
    )


def _texts(row: list[str]) -> int:
    return sum(bool(re.match(r"^[^\W\d_]{2,}", cell)) for cell in row)


def _names_known(row: list[str]) -> int:
    cells = [cell.strip().strip("\"'") for cell in row]
    return sum(
        bool(price_of(cell) or volume_rank(cell) is not None or stamp_rank(cell) is not None or plain(cell) in SYMBOLS)
        or optional_of(cell) is not None
        for cell in cells
        if cell
    )


def _dialect(separator: str, rows: list[list[str]], comments: bool, path: object) -> Dialect:
    first = next(place for place, row in enumerate(rows) if is_data(row) and not _is_header(row))
    widths = Counter(len(row) for row in rows[first:] if is_data(row))
    width = widths.most_common(1)[0][0]
    block: list[tuple[int, list[str]]] = []
    place = first - 1
    while place >= 0 and (not rows[place] or len(rows[place]) >= min(width, 2)):
        if rows[place]:
            block.insert(0, (place, rows[place]))
        place -= 1
    heads = _header_lines(block, width)
    if not heads:
        return Dialect(separator, tuple(str(n + 1) for n in range(width)), False, first, first, comments)
    names = _joined([row for _, row in heads])
    doubled = [name for place, name in enumerate(names) if name in names[:place] and _names_known([name])]
    if doubled:
        raise BarsError(f"{path} has column {doubled[0]!r} more than once; keep one of each name.")
    names = _fitted(names, rows, first, width, path)
    return Dialect(separator, tuple(_unique(names)), True, first, heads[0][0], comments)


def _is_header(row: list[str]) -> bool:
    return _names_known(row) >= 3 and sum(bool(_NUMBER.match(cell)) for cell in row) < len(row) / 2


def _header_lines(block: list[tuple[int, list[str]]], width: int) -> list[tuple[int, list[str]]]:
    """Of the lines above the data those that are the header: the one with most known names, and its neighbours."""
    wide = [(place, row) for place, row in block if abs(len(row) - width) <= 1 or _names_known(row) >= 3]
    if not wide:
        return []
    best = max(wide, key=lambda one: (_names_known(one[1]), one[0]))
    if _names_known(best[1]) < 2 and sum(bool(cell) for cell in best[1]) < min(width, 4):
        return []
    return (
        [one for one in wide if one[0] >= best[0] - 1 and len(one[1]) == len(best[1])]
        if _several(wide, best)
        else [best]
    )


def _several(wide: list[tuple[int, list[str]]], best: tuple[int, list[str]]) -> bool:
    """Whether the header has several lines, as pandas writes columns of several levels: a name for each symbol."""
    fields = [plain(cell) for cell in best[1]]
    doubled = any(fields.count(one) > 1 for one in fields if one)
    return len(wide) > 1 and (doubled or any(place > best[0] for place, _ in wide))


def _joined(rows: list[list[str]]) -> list[str]:
    """One name for each column; of the first column, which names the levels, the last."""
    if len(rows) == 1:
        return [cell.strip().strip("<>").strip() for cell in rows[0]]
    width = max(map(len, rows))
    cells = [[row[place] if place < len(row) else "" for row in rows] for place in range(width)]
    first = [cell for cell in cells[0] if cell]
    return [first[-1] if first else "", *(JOINT.join(dict.fromkeys(filter(None, column))) for column in cells[1:])]


def _fitted(names: list[str], rows: list[list[str]], first: int, width: int, path: object) -> list[str]:
    """Names for as many cells as the rows have; a header that is shorter fits only where what is more is empty."""
    data = [row for row in rows[first:] if is_data(row)]
    longest = max(map(len, data))
    if longest <= len(names):
        return names
    if all(not any(row[len(names) :]) for row in data):
        return names + [""] * (longest - len(names))
    if longest == len(names) + 1 and all(len(row) == longest for row in data):
        stamped = all(_STAMP.match(row[0]) or row[0].isdigit() for row in data[:50])
        if stamped and stamp_rank(names[0]) is None:
            return ["", *names]  # R's write.table: the names of the rows have no name
    place = next(
        place for place, row in enumerate(rows) if place >= first and len(row) > len(names) and any(row[len(names) :])
    )
    raise BarsError(too_long(path, place + 1, len(rows[place]), len(names), ",".join(rows[place])))


def too_long(path: object, line: int, cells: int, names: int, text: str) -> str:
    """Message for a line that has more cells than the header."""
    return (
        f"{path}, line {line:,} has {cells} values where the header has {names}: {text[:80]!r}. A number that holds "
        "the separator, like 1,234, needs quotes; write the file again with another separator or without thousands."
    )


def _unique(names: list[str]) -> list[str]:
    """Names that are all different: a number is added to one that comes again."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found
