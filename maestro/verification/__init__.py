"""Whether a recorded run comes out again, to the bit, and what differs where it does not."""

from maestro.verification.repeat import Verification, verify

__all__ = ["Verification", "verify"]
