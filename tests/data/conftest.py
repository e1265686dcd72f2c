"""The fake exchange."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maestro.testing import FakeExchange
from tests.support.exchange.markets import ExchangeMarket


@pytest.fixture(scope="module")
def exchange() -> Iterator[FakeExchange]:
    with FakeExchange(ExchangeMarket()) as running:
        yield running
