"""Where work runs (this thread, threads, processes, a cluster) and what it reports while it runs."""
