"""From a recorded run back to its bars and plan, its test windows again, and the proof that it repeats."""
