"""Operation of Maestro for a team: backups, and the stack of processes."""
