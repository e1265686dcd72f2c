"""A batch of reports: failures named, done ones kept, whole files at every moment, and nothing from outside as HTML."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from maestro.errors import ParameterError, SettingsError
from maestro.reports.notebooks import batch as module
from maestro.reports.notebooks.batch import Job, Record, read_batch, run_batch
from maestro.reports.notebooks.batch_index import index_page
from maestro.reports.notebooks.running import find_notebook
from maestro.walkforward import Selection
from tests.reports.notebooks.small import small_notebook

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>", "'-alert(1)-'",
    "</title><script>alert(1)</script>", "</style><script>alert(1)</script>", "{{7*7}}", "{% raw %}",
    "javascript:alert(1)",
    "&lt;script&gt;", "../../etc/passwd", "a\x00b", "‮evil", "<a href=javascript:alert(1)>x</a>", "${alert(1)}",
]  # fmt: skip


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return small_notebook(tmp_path / "small.ipynb")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_rows_common_and_combinations(notebook: Path, tmp_path: Path) -> None:
    text = "common: {x: 3}\neach: {word: [a, b]}\nreports:\n- {start: 2020-01-01}\n- {start: null, name: later}\n"
    jobs = read_batch(write(tmp_path / "b.yaml", text), notebook, {"values": {"n": 1}})
    assert [(job.name, job.parameters["word"], job.parameters["start"]) for job in jobs] == [
        ("a · 2020-01-01", "a", "2020-01-01"), ("b · 2020-01-01", "b", "2020-01-01"),
        ("later", "a", None), ("later", "b", None),
    ]  # fmt: skip
    assert all(job.parameters["x"] == 3 and job.parameters["values"] == {"n": 1} for job in jobs)
    assert len({job.stem for job in jobs}) == 4


@pytest.mark.parametrize(
    "text", ["pareto:sharpe_ratio,-volatility", "rank_average:sharpe_ratio,vwr", "weighted:sharpe_ratio=0.7,vwr=0.3"]
)
def test_yaml_takes_every_kind_of_selection_as_the_shell_does(text: str, tmp_path: Path) -> None:
    file = write(tmp_path / "b.yaml", f'reports:\n- {{strategy: RSIStrategy, select: "{text}"}}\n')
    (job,) = read_batch(file, find_notebook("walk_forward_report"))
    assert Selection.of(job.parameters["select"]).kind == text.partition(":")[0]


def test_the_parameters_of_one_report_do(notebook: Path, tmp_path: Path) -> None:
    jobs = read_batch(write(tmp_path / "b.yaml", "x: 2\nword: a\n"), notebook)  # as an app freezes them
    assert [job.parameters for job in jobs] == [{"x": 2, "word": "a"}]


def test_csv_rows_are_typed_and_empty_cells_are_left_to_the_notebook(notebook: Path, tmp_path: Path) -> None:
    jobs = read_batch(write(tmp_path / "b.csv", 'x,word,values\n1.5,2,\n,w,"{a: 1}"\n'), notebook)
    assert [job.parameters for job in jobs] == [{"x": 1.5, "word": "2"}, {"word": "w", "values": {"a": 1}}]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("b.yaml", "[]", "asks for no report"),
        ("b.yaml", "3", "of another form"),
        ("b.yaml", "reports: {x: 1}", "of another form"),
        ("b.yaml", "{rows: [{x: 1}], common: {x: 1}}", "of another form"),
        ("b.yaml", "each: {x: 1}", "needs a list of values"),
        ("b.yaml", "[{x: 1}, {x: 1}]", "report 2: the same parameters"),
        ("b.txt", "x\n1\n", "neither YAML nor CSV"),
        ("b.csv", "x,word\n1\n", "line 2 has another number of cells"),
        ("none.csv", None, "there is no file"),
    ],
)
def test_a_file_of_another_form_is_refused(
    notebook: Path, tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    path = tmp_path / name
    if text is not None:
        write(path, text)
    with pytest.raises(SettingsError, match=message):
        read_batch(path, notebook)


def test_names_of_reports_are_words(tmp_path: Path) -> None:
    path = write(tmp_path / "b.yaml", "[{}, {strategies: [RSIStrategy]}, {source: a.csv, strategies: []}]")
    names = [one.name for one in read_batch(path, find_notebook("walk-forward-many"))]
    assert names == [
        "default source · EmaCrossStrategy, RSIStrategy", "default source · RSIStrategy", "a.csv · no strategies",
    ]  # fmt: skip


def test_a_wrong_parameter_names_its_row(notebook: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"b\.yaml, report 2: the notebook has no parameter 'y'"):
        read_batch(write(tmp_path / "b.yaml", "[{x: 1}, {y: 1}]"), notebook)


def test_a_batch_goes_on_after_a_failure_and_is_not_run_again(notebook: Path, tmp_path: Path) -> None:
    jobs = read_batch(write(tmp_path / "b.yaml", "[{x: 2}, {x: -1}]"), notebook)
    out, seen = tmp_path / "out", []
    records = run_batch(
        notebook, jobs, out, listener=lambda record, through, of: seen.append((record.status, through, of))
    )
    assert [record.status for record in records] == ["done", "failed"]
    assert records[1].error == "AssertionError: x is -1, below zero"
    assert records[0].headline == [["sharpe_ratio", 4], ["word", "one"]]
    assert seen == [("waiting", 0, 2), ("done", 1, 2), ("waiting", 1, 2), ("failed", 2, 2)]
    index = (out / "index.html").read_text()
    for job in jobs:  # a failed report has a page, too, with the error where it happened
        assert f'href="{job.stem}.html"' in index
        assert "Small &amp; &lt;plain&gt;" in (out / f"{job.stem}.html").read_text()
    assert "x is -1, below zero" in index
    assert not list(out.glob(".*"))

    page = out / f"{jobs[0].stem}.html"
    before = page.stat().st_mtime_ns
    again = run_batch(notebook, jobs, out)
    assert [record.fresh for record in again] == [False, True]
    assert page.stat().st_mtime_ns == before

    other = small_notebook(notebook, "print(x)")  # an edited notebook is another one
    assert {job.key for job in read_batch(tmp_path / "b.yaml", other)}.isdisjoint(job.key for job in jobs)


def fake(monkeypatch: pytest.MonkeyPatch, error: type[BaseException] | None = None, on: int = 10**9) -> list[Any]:
    """Have notebooks run in no time; at the `on`-th, raise."""
    calls: list[Any] = []
    real = module.run_notebook

    def run(path: Path, parameters: Any, **options: Any) -> Any:
        from maestro.reports.notebooks.running import Execution, read_notebook

        calls.append(parameters)
        if error is not None and len(calls) == on:
            raise error
        return Execution(read_notebook(path), dict(parameters), 0.1)

    assert real is not run
    monkeypatch.setattr(module, "run_notebook", run)
    return calls


def test_an_interrupted_batch_goes_on_where_it_was(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = read_batch(write(tmp_path / "b.yaml", "[{x: 1}, {x: 2}, {x: 3}]"), notebook)
    fake(monkeypatch, KeyboardInterrupt, on=2)
    with pytest.raises(KeyboardInterrupt):
        run_batch(notebook, jobs, tmp_path / "out")
    assert "1 done, 2 waiting" in (tmp_path / "out" / "index.html").read_text()
    calls = fake(monkeypatch)
    assert [record.status for record in run_batch(notebook, jobs, tmp_path / "out")] == ["done"] * 3
    assert calls == [{"x": 2}, {"x": 3}]
    assert len(fake(monkeypatch)) == 0
    run_batch(notebook, jobs, tmp_path / "out", force=True)


@pytest.mark.parametrize("damage", ["{", "{}", '{"name": 1}', None])
def test_a_damaged_record_or_a_lost_page_is_made_again(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str | None
) -> None:
    jobs = read_batch(write(tmp_path / "b.yaml", "[{x: 1}]"), notebook)
    fake(monkeypatch)
    run_batch(notebook, jobs, tmp_path / "out")
    if damage is None:
        (tmp_path / "out" / f"{jobs[0].stem}.html").unlink()
    else:
        write(tmp_path / "out" / f"{jobs[0].stem}.json", damage)
    assert len(fake(monkeypatch)) == 0
    calls = fake(monkeypatch)
    assert run_batch(notebook, jobs, tmp_path / "out")[0].status == "done"
    assert len(calls) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_files_are_harmless(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", Job(text, {}, "0123456789abcdef").stem)


def test_records_are_plain_json(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = read_batch(write(tmp_path / "b.yaml", "[{word: é}]"), notebook)
    fake(monkeypatch)
    run_batch(notebook, jobs, tmp_path / "out")
    kept = json.loads((tmp_path / "out" / f"{jobs[0].stem}.json").read_text("utf-8"))
    assert kept["parameters"] == {"word": "é"}
    assert kept["status"] == "done"


def test_a_report_is_made_again_when_the_file_of_its_strategy_changes(tmp_path: Path) -> None:
    source, rule = write(tmp_path / "b.yaml", f"strategy: {tmp_path}/rule.py:Rule\n"), tmp_path / "rule.py"
    notebook = find_notebook("08_backtest_report")
    assert notebook is not None
    with pytest.raises(ParameterError, match=r"report 1: strategy=.*rule.py cannot be read \(No such file"):
        read_batch(source, notebook)
    keys = []
    for text in ("x = 1", "x = 2", "x = 1"):
        rule.write_text(text)
        keys.append(read_batch(source, notebook)[0].key)
    assert keys[0] == keys[2] != keys[1]
