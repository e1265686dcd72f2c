"""Many walk-forwards as a table in a notebook and as a page."""
