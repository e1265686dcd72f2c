"""Files and frames of market data: dialects, columns and stamps understood, rows checked."""
