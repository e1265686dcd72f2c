"""Warnings that are ignored in one thread, and the filters of the process."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import pytest

import maestro
from maestro._core import quiet
from maestro._core.quiet import ignored


class OurWarning(UserWarning):
    pass


def test_a_warning_of_the_category_is_ignored_inside_the_block_only() -> None:
    with ignored(OurWarning):
        warnings.warn("of the block", OurWarning, stacklevel=1)
        with pytest.raises(FutureWarning, match="of another category"):
            warnings.warn("of another category", FutureWarning, stacklevel=1)
    with pytest.raises(OurWarning, match="after it"):
        warnings.warn("after it", OurWarning, stacklevel=1)


def test_all_warnings_are_ignored_without_a_category_and_after_an_error_no_longer() -> None:
    def fail() -> None:
        with ignored():
            warnings.warn("deprecated", DeprecationWarning, stacklevel=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(DeprecationWarning):
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)


def test_filters_set_later_do_not_come_before_the_block_and_do_not_pile_up() -> None:
    with warnings.catch_warnings():
        for _ in range(3):
            warnings.simplefilter("error")
            with ignored(OurWarning), ignored(FutureWarning), ignored(OurWarning):
                warnings.warn("of the outer block", FutureWarning, stacklevel=1)
                warnings.warn("of both blocks", OurWarning, stacklevel=1)
        ours = [item for item in warnings.filters if item[2] in (OurWarning, FutureWarning) and item[0] == "ignore"]
        assert len(ours) == 2


def test_overlapping_blocks_of_two_threads_leave_all_warnings_as_they_were() -> None:
    """The order in which `warnings.catch_warnings` leaves everything ignored: first in, first out."""
    inside, left = threading.Event(), threading.Event()
    heard: list[str] = []

    def second() -> None:
        try:
            warnings.warn("the other thread ignores this, this one does not", OurWarning, stacklevel=1)
        except OurWarning as warning:
            heard.append(str(warning))
        with ignored():
            inside.set()
            assert left.wait(60)

    thread = threading.Thread(target=second)
    with ignored():
        thread.start()
        assert inside.wait(60)
    left.set()
    thread.join(60)
    assert heard == ["the other thread ignores this, this one does not"]
    with pytest.raises(OurWarning):
        warnings.warn("both have left", OurWarning, stacklevel=1)


def test_no_file_changes_the_filters_of_the_process() -> None:
    root = Path(maestro.__file__).parent
    files = [path for path in root.rglob("*.py") if "warnings.catch_warnings(" in path.read_text(encoding="utf-8")]
    assert files == []


def test_a_warning_at_the_end_of_the_process_finds_its_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    with ignored(OurWarning):
        pass
    monkeypatch.setattr(quiet, "_ignored", None)  # what the interpreter leaves of a module then
    with pytest.raises(OurWarning):
        warnings.warn("late", OurWarning, stacklevel=1)
