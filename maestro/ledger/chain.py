"""A file that only grows: each line carries the hash of the one before, and an anchor file says where it ends.

A line is the SHA-256 of the link and the content, a space, the content as JSON. The link is the hash of the line
before, so a line that was changed, removed, added or moved breaks the chain there. Lines cut off the end leave a
chain that is whole; the anchor ``NAME.head`` gives them away: number, sum of trials and hash of the last line known
to be on disk. It is written after the line, so that a process killed in between leaves it behind, never ahead.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from maestro._core.atomic import write_atomic
from maestro._core.locks import locked
from maestro.errors import LedgerError

START = "0" * 64
_LINE = re.compile(rb"([0-9a-f]{64}) (\{.*\})")
_HEAD = re.compile(rb"(\d{12}) (\d{15}) ([0-9a-f]{64})\n")
_TAIL = 1 << 14
"""Bytes from the end in which the last lines are looked for; an entry has 500."""
_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
_WAIT = 10.0
"""Seconds to wait for another writer, who needs a thousandth of that."""

Entry: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of the verification: an ``error`` (the ledger was changed) or a ``note``."""

    severity: Literal["error", "note"]
    file: str
    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: lines, trials in all of them, hash of the last."""

    count: int = 0
    total: int = 0
    hash: str = START

    def line(self) -> bytes:
        """The anchor as written in its file."""
        return f"{self.count:012d} {self.total:015d} {self.hash}\n".encode()


class Chain:
    """One such file. A writer holds a lock; a reader needs none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.anchor = path.with_name(f"{path.name}.head")

    # -- writing ----------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry], *, first: Entry | None = None, sync: bool = True) -> Head:
        """Add entries at the end; returns where the chain then ends.

        A torn last line, which only a process killed while writing it leaves, is dropped first and the next entry
        says so. An end that contradicts the anchor stays as it is: an entry ``damage`` is put behind it, with the
        trials that are missing by the anchor, so that the count never falls and `verify` reports it for ever.

        Parameters
        ----------
        first : dict, optional
            What the file begins with where there is none.
        sync : bool
            Force it to disk (0.3 ms) and move the anchor; without, it survives the end of the process, not a power
            failure.

        Raises
        ------
        LedgerError
            Not writable, the disk is full, or another writer held it for 10 s; nothing is left half done.
        """
        try:
            with self._locked():
                return self._append(list(entries), first, sync)
        except OSError as error:
            raise LedgerError(
                f"cannot write the ledger {self.path}: {error.strerror or error}; free some space, or give another "
                "folder: ledger_dir in maestro.yaml, or MAESTRO_LEDGER_DIR."
            ) from error

    def sync(self) -> Head:
        """Force what was appended to disk and move the anchor; raises as `append`."""
        return self.append([])

    def _append(self, entries: list[Entry], first: Entry | None, sync: bool) -> Head:
        handle = os.open(self.path, _OPEN, 0o644)
        try:
            size = os.fstat(handle).st_size
            begin = max(size - _TAIL, 0)
            os.lseek(handle, begin, os.SEEK_SET)
            tail = os.read(handle, size - begin)
            torn = len(tail) - (tail.rfind(b"\n") + 1)
            lines = tail[: len(tail) - torn].split(b"\n")[:-1]
            if begin and lines:
                lines = lines[1:]  # the first of them may have begun before the tail
            head, wrong = _where(lines, self._anchor(), whole=not begin, known=self.anchor.exists())
            if wrong:
                head, damage = self._behind_damage(wrong)
                entries = [damage, *entries]
                torn = 0
            if not head.count:
                entries = entries if first is None else [first, *entries]
                if not wrong:
                    write_atomic(self.anchor, Head().line())  # from now on a missing anchor means that it was removed
            if torn and entries:
                entries[0] = {**entries[0], "dropped": torn}
            whole = size - torn if entries else size
            text, head = _lines(entries, head)
            if wrong and size and not tail.endswith(b"\n"):
                text = b"\n" + text  # what stands there stays, as evidence
            self._write(handle, whole, text)
            if sync:
                os.fsync(handle)
                # Atomic, as a torn anchor looks forged. After a power failure it may be an old one, which is behind.
                write_atomic(self.anchor, head.line(), sync=False)
        finally:
            os.close(handle)
        return head

    def _write(self, handle: int, at: int, text: bytes) -> None:
        try:
            if at < os.fstat(handle).st_size:
                os.ftruncate(handle, at)
            os.lseek(handle, at, os.SEEK_SET)
            done = 0
            while done < len(text):
                done += os.write(handle, text[done:])
        except OSError:
            os.ftruncate(handle, at)  # a half-written line on a full disk; there is always room for less
            raise

    def _anchor(self) -> Head | None:
        """Content of the anchor; None if there is none, or if it is not an anchor."""
        try:
            match = _HEAD.fullmatch(self.anchor.read_bytes())
        except FileNotFoundError:
            return None
        return Head(int(match[1]), int(match[2]), match[3].decode()) if match else None

    def _behind_damage(self, wrong: str) -> tuple[Head, Entry]:
        """Where to go on behind an end that cannot be trusted, and the entry that says so."""
        content = self.path.read_bytes()
        lines = content.split(b"\n")
        if not lines[-1]:
            lines.pop()
        totals = [int(entry.get("total", 0)) for entry in filter(None, map(_content, lines))]
        standing = max(totals, default=0)
        anchor = self._anchor() or Head()
        lost = max(anchor.total - standing, 0)
        head = Head(len(lines), standing, _link(lines[-1]) if lines else START)
        return head, {"kind": "damage", "text": wrong, "trials": lost}

    # -- reading ----------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """All entries that can be read, in order; `verify` says whether they are to be believed.

        Raises
        ------
        LedgerError
            The file cannot be read.
        """
        return [entry for entry in map(_content, self._lines()[0]) if entry is not None]

    def verify(self) -> list[Finding]:
        """Every way in which the file is not as it was written; nothing where it is.

        Raises
        ------
        LedgerError
            The file cannot be read.
        """
        with self._quiet():
            lines, torn = self._lines()
            anchor, known = self._anchor(), self.anchor.exists()
        return list(self._findings(lines, torn, anchor, known))

    def _findings(self, lines: list[bytes], torn: int, anchor: Head | None, known: bool) -> Iterator[Finding]:
        name, link, total = self.path.name, START, 0
        hashes = [START]
        for k, line in enumerate(lines, 1):
            entry = _content(line)
            if entry is None:
                yield Finding("error", name, k, "this line is not an entry; it was changed after it was written")
            elif not line.startswith(_hash(link, line[65:]).encode()):
                text = "this line or the one before was changed, removed, added or moved"
                yield Finding("error", name, k, text)
            elif entry.get("n") != k:
                yield Finding("error", name, k, f"this is entry {entry.get('n')}; lines were removed or added")
            if entry is not None:
                if entry.get("kind") == "damage":
                    lost = f" ({entry['trials']:,} trials missing, which are counted)" if entry.get("trials") else ""
                    yield Finding("error", name, k, f"met when writing: {entry.get('text')}{lost}")
                elif entry.get("dropped"):
                    text = f"before it, {entry['dropped']} bytes of a torn line were dropped: a process was killed"
                    yield Finding("note", name, k, text)
                total = int(entry.get("total", total))
            link = _link(line)
            hashes.append(link)
        if torn:
            yield Finding("note", name, len(lines) + 1, f"a torn line of {torn} bytes; the next entry drops it")
        if anchor is None:
            text = "is damaged" if known else "is missing"
            yield Finding("error", self.anchor.name, None, f"the anchor {text}; lines may have been cut off the end")
        elif anchor.count > len(lines):
            lost = f", {anchor.total - total:,} trials with them" if anchor.total > total else ""
            text = f"{anchor.count - len(lines)} lines were cut off the end{lost}: the anchor says {anchor.count}"
            yield Finding("error", name, len(lines), text)
        elif hashes[anchor.count] != anchor.hash:
            yield Finding("error", name, anchor.count, "this line is not the one that the anchor vouches for")
        elif anchor.count < len(lines):
            text = f"{len(lines) - anchor.count} entries behind the anchor: a process was killed, or is writing"
            yield Finding("note", name, None, text)
        elif anchor.total != total:
            yield Finding("error", self.anchor.name, None, f"the anchor says {anchor.total:,} trials, not {total:,}")

    def head(self) -> Head:
        """Where the chain ends."""
        lines, _ = self._lines()
        totals = [entry.get("total", 0) for entry in filter(None, map(_content, lines[-1:]))]
        return Head(len(lines), int(totals[0]) if totals else 0, _link(lines[-1]) if lines else START)

    def link(self, number: int) -> str | None:
        """Hash of line `number`, from 1; None if there is no such line."""
        lines, _ = self._lines()
        return _link(lines[number - 1]) if 0 < number <= len(lines) else None

    def _lines(self) -> tuple[list[bytes], int]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise LedgerError(f"cannot read the ledger {self.path}: {error.strerror or error}.") from error
        *lines, rest = content.split(b"\n")
        return lines, len(rest)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Keep writers out where that is possible; what lies on a disk that cannot be written has none."""
        if not os.access(self.path.parent, os.W_OK):
            yield
            return
        with self._locked():
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold all ledgers of the folder; the lock of a killed process is free."""
        folder = self.path.parent
        folder.mkdir(parents=True, exist_ok=True)

        def refuse(holder: str) -> LedgerError:
            return LedgerError(
                f"another process has been writing in {folder} for {_WAIT:g} s ({holder}); wait for it or end it: the "
                "lock is released with its process."
            )

        with locked(folder / ".lock", refuse, wait=_WAIT):
            yield


def _where(lines: list[bytes], anchor: Head | None, *, whole: bool, known: bool) -> tuple[Head, str]:
    """End of a chain by its last lines, and what contradicts the anchor (nothing where all is well)."""
    if not lines:
        if anchor is not None and anchor.count:
            return Head(), f"the file was emptied or removed; the anchor says {anchor.count} entries"
        return Head(), "the anchor is damaged" if known and anchor is None else ""
    if anchor is None:
        return Head(), f"the anchor is {'damaged' if known else 'missing'}"
    last = _content(lines[-1])
    if last is None or not isinstance(last.get("n"), int) or not isinstance(last.get("total"), int):
        return Head(), "the last line is not an entry"
    head = Head(last["n"], last["total"], _link(lines[-1]))
    behind = head.count - anchor.count
    if behind < 0:
        return Head(), f"{-behind} lines were cut off the end: the anchor says {anchor.count} entries"
    if behind >= len(lines):  # the anchored line is not among these
        first = whole and behind == len(lines)
        link, seen = (START, lines) if first else (_link(lines[0]), lines[1:])
        if first and anchor.hash != START:
            return Head(), "the anchor vouches for another line"
    else:
        link, seen = _link(lines[-1 - behind]), lines[len(lines) - behind :]
        if link != anchor.hash:
            return Head(), f"line {anchor.count} is not the one that the anchor vouches for"
    for line in seen:
        if not line.startswith(_hash(link, line[65:]).encode()):
            return Head(), "the lines behind the anchor do not hang together"
        link = _link(line)
    return head, ""


def _lines(entries: Iterable[Entry], head: Head) -> tuple[bytes, Head]:
    """Lines of entries behind `head`, numbered and summed up, and where the chain ends with them."""
    count, total, link = head.count, head.total, head.hash
    text = b""
    for entry in entries:
        count += 1
        total += int(entry.get("trials", 0))
        content = json.dumps({"n": count, **entry, "total": total}, separators=(",", ":"), allow_nan=False).encode()
        link = _hash(link, content)
        text += link.encode() + b" " + content + b"\n"
    return text, Head(count, total, link)


def _hash(link: str, content: bytes) -> str:
    return hashlib.sha256(link.encode() + b" " + content).hexdigest()


def _link(line: bytes) -> str:
    """What the next line refers to: the hash that this one carries, or that of a line that is not an entry."""
    match = _LINE.fullmatch(line)
    return match[1].decode() if match else hashlib.sha256(line).hexdigest()


def _content(line: bytes) -> Entry | None:
    match = _LINE.fullmatch(line)
    if not match:
        return None
    try:
        entry = json.loads(match[2])
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
