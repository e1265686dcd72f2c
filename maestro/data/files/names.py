"""The meaning of a column's name: the quantity it holds, and the rest of the name."""

from __future__ import annotations

import ast
import re
import unicodedata
from dataclasses import dataclass

from maestro.data.files.vocabulary import (
    CLOSING,
    DERIVED,
    EXACT_VOLUME,
    FIELD_OF,
    NOISE,
    PLAIN_VOLUME,
    QUOTED,
    SERIES,
    STAMPS,
    TICK_VOLUME,
    TIMES,
    VOLUME,
)

PRICES = ("open", "high", "low", "close")
REQUIRED = ("timestamp", *PRICES, "volume")
OPTIONAL = ("funding_rate", "funding_count", "open_interest", "basis")
JOINT = "\x1f"
"""Stands between the parts of a name that several header lines or index levels make up."""


@dataclass(frozen=True, slots=True)
class Price:
    """A column whose name is that of a price: which one, how usual its word is, and the rest of the name."""

    field: str
    rank: int
    group: str


def parts_of(name: str) -> list[str]:
    """Parts of a name: one, or those of several header lines or index levels.

    >>> parts_of("('Close', 'MSFT')")
    ['Close', 'MSFT']
    """
    if JOINT in name:
        return [part for part in name.split(JOINT) if part]
    if re.fullmatch(r"\(.*,.*\)", name):
        try:
            parts = ast.literal_eval(name)
        except (SyntaxError, ValueError):
            return [name]
        if isinstance(parts, tuple):
            return [str(part) for part in parts if str(part)]
    return [name]


def plain(name: str) -> str:
    """Small letters and digits of a name, without accents and the numbering of a list.

    >>> plain("4. close"), plain("<TICKVOL>"), plain("Schluß"), plain("Close/Last")
    ('close', 'tickvol', 'schluss', 'closelast')
    """
    text = re.sub(r"^\s*\d+[a-z]?[.)]\s+", "", name.lstrip("\ufeff"))
    # Only Latin letters lose their accents: й and ガ are letters of their own.
    signs = (sign if ord(sign) > 0x24F else unicodedata.normalize("NFKD", sign)[0] for sign in text.lower())
    return re.sub(r"[\W_]", "", "".join(signs).replace("ł", "l").replace("ß", "ss"))


def words_of(name: str) -> list[str]:
    """Words of a name, in small letters: ``BidOpen`` is bid and open.

    >>> words_of("Adj Close"), words_of("volCcyQuote"), words_of("PX_LAST")
    (['adj', 'close'], ['vol', 'ccy', 'quote'], ['px', 'last'])
    """
    text = re.sub(r"^\s*\d+[a-z]?[.)]\s+", "", name.lstrip("\ufeff"))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return [word for word in (plain(part) for part in re.split(r"[\W_]+", text)) if word]


def price_of(name: str) -> Price | None:
    """The price that a column is named after, if any."""
    parts = parts_of(name)
    if len(parts) > 1:
        fields = [(FIELD_OF.get(plain(part)), part) for part in parts]
        hits = [found for found, _ in fields if found]
        if len(hits) != 1:
            return None
        return Price(*hits[0], " ".join(part for found, part in fields if not found))
    whole = plain(name)
    if whole in FIELD_OF:
        return Price(*FIELD_OF[whole], "")
    words = words_of(name)
    found = [
        (FIELD_OF[word], word) for word in words if word in FIELD_OF and (len(word) > 1 or re.search(r"[._]", name))
    ]
    if not found or len({field for (field, _), _ in found}) > 1:
        return None
    rest = [word for word in words if word not in FIELD_OF and word not in NOISE]
    if len(found) > 1:  # Close/Last
        rest = [word for word in words if word not in {word for _, word in found}]
    return Price(*found[0][0], _rest(name, rest))


def _rest(name: str, words: list[str]) -> str:
    """The rest of a name in its own spelling: ``Close_BRK-B`` leaves ``BRK-B``."""
    if not words:
        return ""
    pieces = re.split(r"[\s_./|]+", name.strip())
    kept = [piece for piece in pieces if set(words_of(piece)) & set(words) and plain(piece) not in FIELD_OF]
    return " ".join(kept) if len(kept) and len(kept) < len(pieces) else " ".join(words)


def volume_rank(name: str, group: str = "") -> int | None:
    """Rank of a name as that of the volume (0 is best); None if it is not one."""
    parts = [part for part in parts_of(name) if part != group]
    name = parts[0] if parts else name
    whole = plain(name)
    if whole in EXACT_VOLUME:
        return 0
    if whole in TICK_VOLUME:
        return 4
    words = words_of(name)
    if group:
        own = set(words_of(group))
        words = [word for word in words if word not in own]
        if "".join(words) in EXACT_VOLUME:
            return 0
    if not VOLUME & set(words) and not whole.startswith("volumefrom"):
        return None
    rest = set(words) - VOLUME - NOISE
    if rest & DERIVED:
        return 6 if rest <= QUOTED else None
    if rest <= PLAIN_VOLUME:
        return 1
    return 5 if rest & {"tick", "ticks"} else 2


def optional_of(name: str) -> str | None:
    """Name of the optional series (funding rate, open interest, …) that a column is called after, if it is."""
    whole = plain(name)
    return next((series for series, aliases in SERIES.items() if whole in aliases), None)


def stamp_rank(name: str) -> int | None:
    """Rank of a name as that of the timestamps (0 is best); None if it is not one."""
    whole = plain(parts_of(name)[0])
    if whole in STAMPS:
        return STAMPS[whole]
    words = set(words_of(name))
    if is_closing(name) or words & {"high", "low", "volume"}:
        return None
    return len(STAMPS) if words & {"date", "time", "datetime", "timestamp", "datum", "fecha"} else None


def is_closing(name: str) -> bool:
    """Whether a column holds stamps of the bar's end."""
    return plain(name) in CLOSING


def is_time(name: str) -> bool:
    """Whether a column may hold the time of day beside a date."""
    return plain(name) in TIMES or bool({"time", "hour"} & set(words_of(name)))


def shown(name: str) -> str:
    """A name for a message."""
    return " ".join(parts_of(name)) if name else "(no name)"
