"""Operations for a team: backups, schedules, and the stack of processes."""
