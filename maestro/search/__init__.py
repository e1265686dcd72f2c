"""Parameter search: the space, the samplers, and the trials of one fold."""
