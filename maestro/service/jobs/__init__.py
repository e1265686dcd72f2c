"""The job queue in SQLite: workers claim jobs by leases, so a job survives the death of its worker."""

from maestro.service.jobs.database import Database
from maestro.service.jobs.job import CLOSED, OPEN, Event, Job
from maestro.service.jobs.leases import Leases
from maestro.service.jobs.queue import Queue

__all__ = ["CLOSED", "OPEN", "Database", "Event", "Job", "Leases", "Queue"]
