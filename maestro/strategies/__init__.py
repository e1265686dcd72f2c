"""The 22 strategies by name, and what a person's own strategy is made of."""
