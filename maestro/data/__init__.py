"""Market data in: columns and stamps of any usual frame, samples, synthetic series."""
