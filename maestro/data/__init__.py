"""Market data: exchanges, files and stores, as plain frames."""
