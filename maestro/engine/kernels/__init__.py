"""Compiled simulation: signals and limit orders into fills and equity."""
