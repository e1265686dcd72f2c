"""A query that Back restores, or a link that leads back, reaches the page as a mapping."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from maestro.apps.shared.address import Address


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ("", {}),
        ("?data=sample:IBM&start=", {"data": "sample:IBM", "start": ""}),
        ("?data=%2Fa%20b%2F%C3%BC%26.csv", {"data": "/a b/ü&.csv"}),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_a_query_is_decoded_and_keeps_empty_values(query: str, settings: dict[str, str], forward: bool) -> None:
    restored: list[Mapping[str, str]] = []
    followed: list[Mapping[str, str]] = []
    Address(restored.append, followed.append)._handle_msg({"search": query, "forward": forward})
    assert (restored, followed) == (([], [settings]) if forward else ([settings], []))
