"""HTML of all reports: one Jinja environment, tables and fragments, and figures embedded in a page."""
