"""Shared by all packages: compiled kernels, atomic writes, number formats."""
