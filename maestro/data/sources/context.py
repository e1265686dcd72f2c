"""The context of a source: its name, the settings, and HTTP clients that share rate limits and bans per host."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from maestro.config import Settings
from maestro.config.settings import PluginServer
from maestro.data.sources.http import Client
from maestro.data.sources.limits import Budget, Clock, Host, Usage, no_usage

_HOSTS: dict[tuple[str, str], Host] = {}


@dataclass(frozen=True)
class Context:
    """The surroundings of a source.

    Attributes
    ----------
    provider : str
        The name that was asked for; one function may open several.
    settings : Settings
    clock : Clock or None
        A clock for tests; with one, hosts are not shared in the process.
    rng : random.Random or None
        For the jitter of pauses.
    """

    provider: str
    settings: Settings
    clock: Clock | None = None
    rng: random.Random | None = None

    @property
    def server(self) -> PluginServer:
        """Settings of a plug-in of this name: ``servers.NAME.url``, ``user`` and ``password``."""
        return self.settings.servers.plugins.get(self.provider.lower(), PluginServer())

    def client(
        self, url: str, budgets: Mapping[str, Budget], usage: Usage = no_usage, *, patience: float = 1.0
    ) -> Client:
        """Return a client of a host; use it with ``async with``.

        Parameters
        ----------
        url : str
            Base URL.
        budgets : mapping of Budget by name
            The host's rate limits. All clients of one host and provider in this process share them.
        usage : callable
            Reads from an answer's headers how much the host has counted of which budget.
        patience : float
            Factor of the longest wait for an answer, for hosts that send large files.
        """
        name = urlsplit(url).netloc
        state = self.settings.state_dir
        if self.clock is not None:
            host = Host(name, budgets, clock=self.clock, usage=usage, state_dir=state)
        else:
            key = (name, self.provider)
            if key not in _HOSTS:
                _HOSTS[key] = Host(name, budgets, clock=Clock(), usage=usage, state_dir=state)
            host = _HOSTS[key]
        fetch = self.settings.fetch
        return Client(url, host, fetch, timeout=patience * fetch.timeout, rng=self.rng)
