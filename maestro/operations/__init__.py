"""Operation of Maestro for a team: backups."""
