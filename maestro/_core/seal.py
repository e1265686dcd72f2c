"""JSON files that carry the SHA-256 of their own text in their last line, so that any change to them is detected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_SEAL = b',\n "seal": "'
_END = b'"\n}\n'


def sealed(text: str) -> bytes:
    """Return the text of a JSON object, indented by one space, with its SHA-256 as the last field.

    The text must end with a field, as `json.dumps(values, indent=1)` of a dictionary that is not empty does.
    """
    body = text.rstrip().removesuffix("}").rstrip().encode()
    return body + _SEAL + hashlib.sha256(body).hexdigest().encode() + _END


def unsealed(content: bytes) -> tuple[dict[str, Any], bool]:
    """Return the fields of a sealed file without the seal, and whether there is a seal.

    Raises
    ------
    ValueError
        The content is not a JSON object, or not the content that was sealed.
    """
    found = json.loads(content)
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    if "seal" not in found:
        return found, False
    body, _, rest = content.rpartition(_SEAL)
    if rest != hashlib.sha256(body).hexdigest().encode() + _END:
        raise ValueError("it was changed after it was written")
    del found["seal"]
    return found, True


def read_sealed(content: bytes, *, since: int) -> dict[str, Any]:
    """Return the fields of a file whose ``format`` is `since` or higher, or that is older and has no seal.

    Raises
    ------
    ValueError
        As `unsealed`, or the file lacks the seal that its format has.
    """
    found, has_seal = unsealed(content)
    if not has_seal and not _before(found, since):
        raise ValueError("its checksum is missing")
    return found


def _before(found: Mapping[str, Any], since: int) -> bool:
    return isinstance(found.get("format", 1), int) and found.get("format", 1) < since
