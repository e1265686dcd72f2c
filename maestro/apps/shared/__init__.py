"""What all apps share: the page, state, series, controls."""
