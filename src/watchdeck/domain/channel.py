"""Channels: whom watchdeck tells, and how each of them is spoken to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from watchdeck.domain.endpoint import Secret
from watchdeck.domain.units import Milliseconds

CONSOLE = "console"
"""The channel that is always there: what it is told stands on every board."""


class ChannelType(StrEnum):
    """How a channel is spoken to."""

    WEBHOOK = "webhook"
    PAGERDUTY = "pagerduty"
    COMMAND = "command"
    APPRISE = "apprise"


@dataclass(frozen=True, slots=True)
class Channel:
    """Somebody to tell; which settings count depends on `type`. Secrets are references.

    `person` is whose channel it is, for rotas. `kinds` are the kinds of message that it gets, all
    when empty; `rate` is messages a minute. PagerDuty has a `routing_key` and, to hear who
    acknowledged on the phone, a `token` for its REST interface at `api`. A command is a list of
    arguments that no shell reads, with the named variables of our own environment.
    """

    name: str
    type: str
    url: str | Secret | None = None
    headers: dict[str, str | Secret] = field(default_factory=dict)
    ca: str | None = None
    routing_key: Secret | None = None
    token: Secret | None = None
    api: str | None = None
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    timeout: Milliseconds = Milliseconds(10_000)
    rate: int = 60
    person: str | None = None
    kinds: tuple[str, ...] = ()

    def is_of(self, people: Iterable[str]) -> bool:
        """Whether it is the channel of one of these people; capitals make no difference."""
        own = (self.person or "").casefold()
        return bool(own) and any(own == person.casefold() for person in people)


@dataclass(frozen=True, slots=True)
class Lifesign:
    """A sign of life to an address outside while all is well; its absence is their alarm."""

    url: str | Secret
    every: Milliseconds = Milliseconds(60_000)
    method: str = "GET"
    ca: str | None = None
