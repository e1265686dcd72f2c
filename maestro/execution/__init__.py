"""Executors (this thread, threads, processes, a cluster) and the events that a run reports."""
