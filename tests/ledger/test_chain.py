"""Every change of a ledger is found and named."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.ledger import Chain, Ledger, verify
from tests.ledger.test_book import errors


def written(bars: ms.Bars) -> Ledger:
    book = Ledger(bars)
    for k in range(4):
        book.record("slider", sharpes=[0.1 * k])
    assert not verify()
    return book


def test_any_flipped_bit_is_found(bars: ms.Bars) -> None:
    book = written(bars)
    for path in (book.path, book.path.with_name(f"{book.path.name}.head"), book.folder / "index.ledger"):
        content = path.read_bytes()
        for at in range(len(content)):
            path.write_bytes(content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :])
            assert errors(verify()), f"bit {at % 8} of byte {at} of {path.name}"
        path.write_bytes(content)
    assert not verify()


def test_every_change_is_named(bars: ms.Bars) -> None:
    book = written(bars)
    content = book.path.read_bytes()
    lines = content.splitlines(keepends=True)
    cases = {
        "changed": content.replace(b'"trials":1', b'"trials":0', 1),
        "cut off": b"".join(lines[:-2]),
        "moved": b"".join([*lines[:2], lines[3], lines[2], *lines[4:]]),
        "removed": b"".join([*lines[:2], *lines[3:]]),
        "added": b"".join([*lines[:3], lines[2], *lines[3:]]),
        "emptied": b"",
        "newline": content[:-1],
    }
    for name, other in cases.items():
        book.path.write_bytes(other)
        assert errors(book.verify()), name
        assert errors(verify()), name
    book.path.write_bytes(b"".join(lines[:-2]))
    [found] = errors(book.verify())
    assert found == "2 lines were cut off the end, 2 trials with them: the anchor says 5"
    book.path.unlink()
    assert f"the ledger of {book.series} was removed" in errors(verify())


def test_a_ledger_in_the_place_of_another_is_found(bars: ms.Bars) -> None:
    book, other = written(bars), Ledger("A:B:1h")
    other.record("slider", trials=500)
    other.path.write_bytes(book.path.read_bytes())
    (other.folder / f"{other.path.name}.head").write_bytes((book.folder / f"{book.path.name}.head").read_bytes())
    assert any("in the place of" in text for text in errors(verify()))


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_trials_that_were_cut_off_go_on_counting(bars: ms.Bars, lines: int) -> None:
    book = written(bars)
    content = book.path.read_bytes().splitlines(keepends=True)
    book.path.write_bytes(b"".join(content[:lines]))
    book.record("slider", trials=1)
    trials = book.trials
    assert trials.evaluated == trials.distinct == 5
    assert trials.missing == 4 - max(lines - 1, 0)
    assert any("met when writing" in text for text in errors(verify()))
    book.record("slider", trials=1)
    assert book.n_trials == 6
    assert [f.text for f in verify() if "trials missing" in f.text]


def test_a_missing_anchor_is_no_accident(bars: ms.Bars) -> None:
    book = written(bars)
    anchor = book.folder / f"{book.path.name}.head"
    anchor.unlink()
    assert any("is missing" in text for text in errors(verify()))
    book.record("slider", trials=1)
    assert book.n_trials == 5
    assert any("the anchor is missing" in text for text in errors(verify()))
    anchor.write_text("nonsense\n")
    book.record("slider", trials=1)
    assert book.n_trials == 6
    assert any("the anchor is damaged" in text for text in errors(verify()))


def test_a_line_that_is_no_entry_at_the_end_stays_as_evidence(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "x.ledger")
    chain.append([{"trials": 3}])
    with chain.path.open("ab") as file:
        file.write(b"something\n")
    chain.append([{"trials": 2}])
    assert b"something\n" in chain.path.read_bytes()
    assert [entry.get("trials") for entry in chain.entries()] == [3, 0, 2]
    assert len(errors(chain.verify())) == 2
