"""Tables of reports and notebooks, and the values in them."""
