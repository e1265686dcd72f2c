"""The queue of jobs in SQLite: claimed by leases, so that a job outlives any process that works on it."""

from maestro.service.jobs.database import Database
from maestro.service.jobs.job import CLOSED, OPEN, Event, Job
from maestro.service.jobs.leases import Leases
from maestro.service.jobs.queue import Queue

__all__ = ["CLOSED", "OPEN", "Database", "Event", "Job", "Leases", "Queue"]
