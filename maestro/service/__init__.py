"""The service for teams: a persistent job queue, workers, and an HTTP API (``docs/team.md``)."""
