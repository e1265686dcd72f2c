"""The client of a Maestro service: the library's calls, computed on a server (``docs/team.md``)."""

from maestro.client.client import Client
from maestro.client.job import RemoteJob

__all__ = ["Client", "RemoteJob"]
