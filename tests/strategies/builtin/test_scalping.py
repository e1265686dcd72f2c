"""Scalping rules."""

from __future__ import annotations

from tests.strategies.contract import RuleContract, family


class TestScalping(RuleContract):
    names = family("scalping")
