"""The built-in strategies, one module per family."""
