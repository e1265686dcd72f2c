"""Parts shared by all apps: the page, state, series, controls."""
