"""Notebooks as reports: run with other parameters, in batches, as static pages."""
