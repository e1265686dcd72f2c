"""Runs exported for other programs: Excel, CSV, Parquet."""
