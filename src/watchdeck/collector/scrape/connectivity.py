"""Whether the collector itself is cut off: then its models are unknown, and not down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.host_address import loopback

CUT_OFF = frozenset((Outcome.DNS, Outcome.TIMED_OUT, Outcome.UNREACHABLE))
"""Outcomes that a broken network here looks like; all others prove that something answers."""

HOSTS = 2
"""Hosts that must be out of reach: one alone may be down by itself."""


class ConnectivityCheck:
    """Which hosts there are to see. One on this machine proves nothing about the network."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._names = [endpoint.name for endpoint in endpoints]
        hosts = {_host(endpoint.url) for endpoint in endpoints}
        self._hosts = len(hosts)
        self._far = len(hosts) >= HOSTS and not any(map(loopback, hosts))

    def blind(self, outcomes: Mapping[str, Outcome]) -> str:
        """Why nothing at all can be reached; empty when something can, or might.

        `outcomes` are the latest by endpoint; before every endpoint has one, nothing is said.
        """
        seen = [outcomes.get(name) for name in self._names]
        if not self._far or not all(outcome in CUT_OFF for outcome in seen):
            return ""
        counts = Counter(str(outcome) for outcome in seen)
        words = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
        return f"none of {len(seen)} endpoints on {self._hosts} hosts can be reached ({words})"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
