"""Figures in a page: the same text for the same figures, nothing that ends a script, and no foreign address."""

from __future__ import annotations

import json

from maestro.reports.figures.theme import DARK, LIGHT, make_figure
from maestro.reports.html.embedding import embed, in_script, page_parts, palette


def test_the_same_figures_give_the_same_text() -> None:
    def made() -> tuple[str, str]:
        fig = make_figure(height=100, label="</script><b>")
        fig.line([0, 1], [1, 2])
        documents, items = embed({"one": fig})
        return str(documents), str(items)

    first, second = made(), made()
    assert first == second
    assert "<" not in first[0]
    [item] = json.loads(first[1])
    [(root, place)] = item["roots"].items()
    assert place == "fig-one"
    assert item["root_ids"] == [root]
    assert f'"id":"{root}"' in first[0]


def test_a_page_without_figures_does_not_carry_bokeh() -> None:
    parts = page_parts()
    assert (parts["documents"], parts["items"], parts["bokeh"]) == ("{}", "[]", "")
    assert json.loads(parts["swaps"])[LIGHT["ink"]] == DARK["ink"]


def test_text_cannot_end_its_script() -> None:
    assert "</script" not in in_script('"</script><!--"')
    assert json.loads(in_script('"</b>"')) == "</b>"


def test_the_palette_has_both_schemes_and_prints_light() -> None:
    text = str(palette())
    assert text.count(f"--ink:{LIGHT['ink']};") == 2
    assert text.count(f"--ink:{DARK['ink']};") == 2
    assert text.index("@media print") > text.index("[data-theme=dark]")
