"""The client of a Maestro service: the calls of the library, run elsewhere (``docs/team.md``)."""

from maestro.client.client import Client
from maestro.client.job import RemoteJob

__all__ = ["Client", "RemoteJob"]
