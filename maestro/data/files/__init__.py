"""Files and frames of market data: recognise dialects, columns and timestamps, and check rows."""
