"""Annotations of a run: tags, a note and a pin, in a file that the run's seal does not cover."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro._core.locks import locked
from maestro.errors import RunBusyError, RunError, SettingsError
from maestro.runs.store import find
from maestro.runs.writing import named_errors, write_file

FILE = "annotations.json"
LOCK = ".annotations.lock"
TAG, NOTE, TAGS = 40, 2_000, 20
"""Characters of a tag and of a note, and tags of a run, at most."""
_WAIT = 10.0
"""Seconds to wait for another process that annotates the same run."""


@dataclass(frozen=True)
class Annotations:
    """Tags, note and pin of a run.

    Attributes
    ----------
    tags : tuple of str
        In alphabetical order.
    note : str
    pinned : bool
        Whether lists show the run first.
    """

    tags: tuple[str, ...] = ()
    note: str = ""
    pinned: bool = False


def annotations_of(run: str | Path, runs_dir: str | Path = "runs") -> Annotations:
    """Return what was written about a run; empty if nothing was.

    Raises
    ------
    RunError
        There is no such run, or its annotations are damaged.
    """
    return read_annotations(find(run, runs_dir).folder)


def annotate(
    run: str | Path,
    runs_dir: str | Path = "runs",
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    note: str | None = None,
    pinned: bool | None = None,
) -> Annotations:
    """Add and remove tags of a run, replace its note, pin it; what is not given stays.

    Parameters
    ----------
    run : str or Path
        Id, the beginning of one, or the folder.
    runs_dir : path
    add, remove : iterable of str
        Tags; a tag has no comma.
    note : str, optional
        An empty text removes the note.
    pinned : bool, optional

    Returns
    -------
    Annotations
        As they are now.

    Raises
    ------
    SettingsError
        A tag or a note that is too long, or too many tags.
    RunError
        There is no such run, its annotations are damaged, or they cannot be written.
    """
    folder = find(run, runs_dir).folder
    path, lock = folder / FILE, folder / LOCK

    def busy(holder: str) -> RunBusyError:
        return RunBusyError(f"another process writes {path} ({holder}); try again.")

    with named_errors(path, "write"), locked(lock, busy, wait=_WAIT):
        before = read_annotations(folder)
        tags = ({*before.tags} | {_tag(one) for one in add}) - {one.strip() for one in remove}
        made = Annotations(
            tuple(sorted(tags)), before.note if note is None else _note(note),
            before.pinned if pinned is None else bool(pinned),
        )  # fmt: skip
        if len(made.tags) > TAGS:
            raise SettingsError(f"a run has at most {TAGS} tags; this one would have {len(made.tags)}.")
        if made != before:
            content = {"tags": list(made.tags), "note": made.note, "pinned": made.pinned}
            write_file(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())
    return made


def read_annotations(folder: Path) -> Annotations:
    """Return the annotations in a run's folder.

    Raises
    ------
    RunError
        They are damaged.
    """
    path = folder / FILE
    try:
        found: Any = json.loads(path.read_bytes())
        if not isinstance(found, dict) or set(found) != {"tags", "note", "pinned"}:
            raise ValueError("it does not have tags, note and pinned")
        if not isinstance(found["tags"], list) or not isinstance(found["pinned"], bool):
            raise ValueError("tags is not a list, or pinned is not true or false")
        if not all(isinstance(text, str) for text in (*found["tags"], found["note"])):
            raise ValueError("a tag or the note is not text")
    except FileNotFoundError:
        return Annotations()
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is damaged ({error}); repair it, or remove it to begin without annotations.") from error
    return Annotations(tuple(found["tags"]), found["note"], found["pinned"])


def _tag(text: str) -> str:
    tag = " ".join(str(text).split())
    if not tag or len(tag) > TAG or "," in tag:
        raise SettingsError(f"{text!r} is not a tag; give 1 to {TAG} characters without a comma.")
    return tag


def _note(text: str) -> str:
    if len(text) > NOTE:
        raise SettingsError(f"the note has {len(text):,} characters; give at most {NOTE:,}.")
    return text.strip()
