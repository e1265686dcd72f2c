"""Exchanges and archives that market data comes from."""
