"""The whole stack as plain processes: started in order with health checks, watched, and stopped."""

from maestro.operations.stack.configuration import ReverseProxy
from maestro.operations.stack.lifecycle import down, up
from maestro.operations.stack.state import Part, status

__all__ = ["Part", "ReverseProxy", "down", "status", "up"]
