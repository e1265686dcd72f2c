"""Dataclasses and plain values: there and back, and an error that names the field for everything that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from maestro._core.records import Reader, shown, to_plain
from maestro.errors import RunError


@dataclass(frozen=True)
class Fee:
    rate: float
    per_side: bool


@dataclass(frozen=True)
class Order:
    name: str
    size: int
    kind: Literal["market", "limit"]
    at: datetime
    fee: Fee | None
    edges: tuple[tuple[int, int], ...]
    notes: Mapping[str, str]


PLAIN: dict[str, Any] = {
    "name": "A", "size": 3, "kind": "limit", "at": "2024-01-02T03:04:05+00:00", "fee": {"rate": 1, "per_side": True},
    "edges": [[0, 5], [5, 9]], "notes": {"a": "b"},
}  # fmt: skip


def read(**changes: Any) -> Order:
    return Reader(RunError).read(Order, {**PLAIN, **changes}, "order")


def test_values_are_read_and_written_back() -> None:
    order = read()
    assert order == Order(
        "A", 3, "limit", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), Fee(1, True), ((0, 5), (5, 9)), {"a": "b"}
    )
    assert to_plain(order) == PLAIN
    assert isinstance(order.fee, Fee)
    assert isinstance(order.fee.rate, int), "a whole number stays one, so that it is written as it was read"
    assert read(fee=None).fee is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 1.5}, r"order\.size is 1\.5 \(float\); a whole number is needed"),
        ({"size": True}, r"order\.size is True \(bool\); a whole number is needed"),
        ({"name": 7}, r"order\.name is 7 \(int\); text is needed"),
        ({"kind": "stop"}, r"order\.kind is 'stop' \(str\); allowed: 'market', 'limit'"),
        ({"at": "yesterday"}, r"order\.at is 'yesterday' \(str\); an ISO 8601 time is needed"),
        ({"fee": {"rate": "high", "per_side": True}}, r"order\.fee\.rate is 'high' \(str\); a number is needed"),
        ({"fee": {"rate": 1.0, "per_side": 1}}, r"order\.fee\.per_side is 1 \(int\); true or false is needed"),
        ({"fee": {"rate": 1.0}}, r"order\.fee has no field 'per_side'; it needs rate, per_side"),
        ({"edges": [[0, 5, 9]]}, r"order\.edges\[0\] has 3 items; 2 are needed"),
        ({"edges": "0-5"}, r"order\.edges is '0-5' \(str\); a list is needed"),
        ({"notes": ["a"]}, r"order\.notes is \['a'\] \(list\); a mapping is needed"),
        ({"sise": 3}, r"order has an unknown field 'sise'; allowed: name, size, .*Did you mean 'size'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        read(**changes)


def test_a_special_class_is_read_in_its_own_way() -> None:
    def fee(name: str, given: Any) -> Fee:
        if given != "free":
            raise ValueError("give 'free'")
        return Fee(0.0, False)

    @dataclass(frozen=True)
    class Sale:
        fee: Fee

    reader = Reader(RunError, {Fee: fee})
    reader._hints[Sale] = {"fee": Fee}
    assert reader.read(Sale, {"fee": "free"}, "sale").fee == Fee(0.0, False)
    with pytest.raises(RunError, match=r"sale\.fee is 1 \(int\); give 'free'"):
        reader.read(Sale, {"fee": 1}, "sale")


def test_a_long_value_is_cut_in_messages() -> None:
    assert shown("x" * 100) == f"'{'x' * 58}… (str)"
    assert shown(3) == "3 (int)"
