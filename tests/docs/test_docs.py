"""The documentation: what it must name it names, its code runs, its links lead somewhere."""

from __future__ import annotations

import importlib
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

import maestro as ms
from maestro.cli import COMMANDS, app
from maestro.strategies import STRATEGIES
from tests.test_imports import LAYERS
from tests.test_public_names import PUBLIC

ROOT = Path(__file__).parents[2]
OUTSIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "benchmarks/README.md")
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in OUTSIDE)]
READABLE = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".html", ".css", ".js", ".cfg", ".json", ""}


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_metric_has_its_name_and_unit() -> None:
    rows = re.findall(r"^\| ([a-z_, ]+) \|", page("docs/nomenclature.md"), re.M)
    named = {name.strip() for row in rows for name in row.split(",")}
    assert not set(ms.metrics.NAMES) - named


def test_every_public_name_is_in_the_reference() -> None:
    reference = page("docs/reference.md")
    assert not [name for name in PUBLIC if not re.search(rf"(maestro|ms)\.{name}\b", reference)]


def test_the_reference_names_nothing_that_is_gone() -> None:
    for name in re.findall(r"auto(?:function|class):: maestro\.([\w.]+)", page("docs/reference.md")):
        thing: Any = ms
        for part in name.split("."):
            thing = getattr(thing, part, None) or importlib.import_module(f"{thing.__name__}.{part}")


def options() -> list[tuple[str, str]]:
    whole: Any = typer.main.get_command(app)
    found = []
    for name in COMMANDS:
        command = whole.get_command(None, name)
        for path, one in [
            (name, command),
            *((f"{name} {sub}", c) for sub, c in getattr(command, "commands", {}).items()),
        ]:
            found += [(path, max(option.opts, key=len)) for option in one.params if option.opts[0].startswith("-")]
    return found


def test_every_command_is_documented() -> None:
    text = page("docs/command-line.md") + page("docs/data.md") + page("docs/migration.md")
    assert not [name for name in COMMANDS if f"maestro {name}" not in text]
    whole: Any = typer.main.get_command(app)
    subcommands = [(name, sub) for name in COMMANDS for sub in getattr(whole.get_command(None, name), "commands", {})]
    assert subcommands
    assert not [f"{name} {sub}" for name, sub in subcommands if f"{name} {sub}" not in text]


def test_every_option_is_documented() -> None:
    text = page("docs/command-line.md") + page("docs/data.md") + page("docs/migration.md")
    known = options()
    assert len(known) > 40
    assert not sorted(
        {
            f"{path} {flag}"
            for path, flag in known
            if flag != "--help" and f"`{flag}" not in text and f" {flag}" not in text
        }
    )


def test_architecture_lists_the_layers_that_the_imports_are_held_to() -> None:
    table = re.findall(r"^\| \d+ \| (.+?) \|", page("docs/architecture.md"), re.M)
    assert [set(re.findall(r"`(\w+)`", row)) for row in table] == [set(row) for row in LAYERS]


def test_every_setting_is_documented() -> None:
    from maestro.config.settings import schema, variable

    rows = dict(re.findall(r"^\| `([\w.]+)` \| `(MAESTRO_\w+)` \|", page("docs/configuration.md"), re.M))
    assert rows == {name: variable(name) for name in schema()}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A folder and a namespace in which the pages' code finds what it speaks of."""
    import polars as pl

    from maestro.data.stores import SeriesKey, configured_store

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))
    walk = ms.synthetic_bars(35_200, seed=1).to_frame()
    configured_store().append(SeriesKey("BINANCE", "BTCUSDT", "1h"), walk)
    both = pl.concat([walk.head(900).with_columns(symbol=pl.lit(name)) for name in ("BTCUSD", "ETHUSD")])
    both.write_parquet("prices.parquet")
    walk.head(900).write_csv("prices.csv")
    return {"__name__": "__main__", "df": walk.head(900)}


@pytest.mark.parametrize("name", ["README.md", "docs/getting-started.md"])
def test_the_code_of_a_page_runs(
    name: str, desk: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", page(name), re.M | re.S)
    assert blocks
    for block in blocks:
        if not block.startswith(">>>"):  # shows a message, which test_bars.py pins
            exec(compile(block.replace("progress=True", "progress=False"), name, "exec"), desk)
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert "import maestro as ms" in blocks[0]


def test_every_answer_of_how_to_runs(desk: dict[str, Any]) -> None:
    exec("import maestro as ms\nbars = ms.Bars.from_frame(df)", desk)
    blocks = re.findall(r"^```python\n(.*?)^```", page("docs/how-to.md"), re.M | re.S)
    assert len(blocks) > 8
    for block in blocks:
        exec(compile(block, "docs/how-to.md", "exec"), desk)


def test_every_metric_has_its_definition() -> None:
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", page("docs/metrics.md"), re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} >= set(ms.metrics.NAMES)


@pytest.mark.parametrize("name", ["FernandoStrategy", "FundingRateArbitrage"])
def test_a_strategys_page_tells_its_declaration_and_shows_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import generate_pages

    text = generate_pages.strategy_page(STRATEGIES[name])
    for key, parameter in STRATEGIES[name].declared.items():
        assert f"| `{key}` | {parameter.doc} | {parameter.default} |" in text
    assert "Bokeh.embed.embed_item" in text
    assert "closed trades" in text
    assert not re.findall(r'src="https?:', text)


def test_ten_lines_are_ten_lines() -> None:
    first = re.findall(r"^```python\n(.*?)^```", page("README.md"), re.M | re.S)[0]
    assert len([line for line in first.splitlines() if line.strip()]) <= 10


def test_make_help_lists_every_target() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "check", "bench", "docs", "clean", "help"):
        assert re.search(rf"^make {target} ", listed, re.M)


def test_nothing_names_a_private_place() -> None:
    found = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert found
    private = re.compile(r"(?<![\w.-])/" + "(?:root|home|Users)/|index-" + "url=")
    wrong = []
    for name in found:
        path = ROOT / name
        if (
            path.suffix in READABLE
            and path.is_file()
            and private.search(path.read_text(encoding="utf-8", errors="replace"))
        ):
            wrong.append(name)
    assert not wrong
