"""The processes of a stack: which run, whether they answer, and that another process with the number is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro.errors import ServiceError
from maestro.operations.stack.state import FILE, Part, answers, end, read, start_time, status, write
from tests.support.loopback import Quiet, serving

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are ended as on POSIX")


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, that waits."""
    code = "import sys, time; print(flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started
        started.kill()


def part(pid: int, began: str, url: str = "") -> Part:
    return Part("worker-1", pid, began, url, "worker.log")


def test_parts_are_read_back_in_their_order(tmp_path: Path) -> None:
    assert read(tmp_path) == []
    parts = [part(1, "x"), part(2, "y", "http://127.0.0.1:1/")]
    write(tmp_path, parts)
    assert read(tmp_path) == parts


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"name": "api"}]', "7", '[{"name": "api", "other": 1}]'])
def test_a_damaged_file_is_an_error_with_a_remedy(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(ServiceError, match=r"stack\.json is damaged .*by hand, then remove the file"):
        status(tmp_path)


def test_a_part_runs_until_its_process_ends(process: subprocess.Popen[bytes]) -> None:
    began = start_time(process.pid)
    assert began
    assert start_time(process.pid) == began
    assert part(process.pid, began).healthy
    process.kill()
    process.wait()
    assert start_time(process.pid) == ""
    assert not part(process.pid, began).runs
    assert not part(process.pid, "").runs, "nothing is known of its begin"


def test_another_process_with_the_number_is_left_alone(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    other = part(process.pid, "another begin")
    write(tmp_path, [other])
    assert status(tmp_path) == [(other, "ended")]
    assert end(other) is False
    assert process.poll() is None


def test_a_part_that_runs_without_an_answer_is_reported(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    silent = part(process.pid, start_time(process.pid), "http://127.0.0.1:9/readyz")
    write(tmp_path, [silent])
    assert status(tmp_path) == [(silent, "does not answer")]


def test_answers_below_400_count_and_redirects_are_not_followed() -> None:
    class Handler(Quiet):
        def do_GET(self) -> None:
            self.send_response(int(self.path[1:]))
            self.send_header("Location", "/500")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Handler) as address:
        assert [answers(f"{address}/{code}") for code in (200, 302, 404, 503)] == [True, True, False, False]
