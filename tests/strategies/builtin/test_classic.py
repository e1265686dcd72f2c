"""Classic rules: crossings, bands, channels, the Ichimoku cloud."""

from __future__ import annotations

from tests.strategies.contract import RuleContract, family


class TestClassic(RuleContract):
    names = family("classic")
