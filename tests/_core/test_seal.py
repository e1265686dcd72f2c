"""Sealed JSON: what was written comes back, and every change to it is detected."""

from __future__ import annotations

import json

import pytest

from maestro._core.seal import read_sealed, sealed, unsealed

VALUES = {"format": 2, "name": "ä\n", "items": [1, 2.5, None], "nested": {"seal": "inner"}}
TEXT = json.dumps(VALUES, indent=1)


def test_a_sealed_file_is_json_and_comes_back() -> None:
    assert unsealed(sealed(TEXT)) == (VALUES, True)
    assert list(json.loads(sealed(TEXT))) == [*VALUES, "seal"]
    assert unsealed(TEXT.encode()) == (VALUES, False)


def test_every_changed_bit_is_detected() -> None:
    whole = sealed(TEXT)
    for position in range(len(whole)):
        for bit in range(8):
            changed = whole[:position] + bytes([whole[position] ^ 1 << bit]) + whole[position + 1 :]
            with pytest.raises(ValueError, match=r"."):
                read_sealed(changed, since=2)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": 2}', b'{"format": "1"}', b'{"format": null}'])
def test_what_is_not_sealed_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_sealed(content, since=2)


def test_an_older_format_needs_no_seal() -> None:
    assert read_sealed(b'{"format": 1, "a": 3}', since=2) == {"format": 1, "a": 3}
    assert read_sealed(b'{"a": 3}', since=2) == {"a": 3}
