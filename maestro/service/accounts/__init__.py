"""Accounts of the service: users with roles, API keys, tokens, and limits on failed logins."""

from maestro.service.accounts.hub import Hub
from maestro.service.accounts.keyfile import read_or_make_keys
from maestro.service.accounts.tokens import Claims, Tokens
from maestro.service.accounts.users import ROLES, Caller, Users

__all__ = ["ROLES", "Caller", "Claims", "Hub", "Tokens", "Users", "read_or_make_keys"]
