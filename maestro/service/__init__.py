"""A service for teams: jobs that survive, workers that run them, and an HTTP interface (``docs/team.md``)."""
