"""Channels and routes: whom watchdeck tells, how, and of what, as a configuration writes it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct, field

from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.units import Milliseconds

CONSOLE = "console"
"""The channel that is always there: what it is told stands on every board."""


class ChannelType(StrEnum):
    """How a channel is spoken to."""

    WEBHOOK = "webhook"
    PAGERDUTY = "pagerduty"
    COMMAND = "command"
    APPRISE = "apprise"


class Channel(Struct, frozen=True):
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


class Route(Struct, frozen=True):
    """Which alerts go where: the first route that matches takes them, unless it says `continue`.

    All that is written must hold: matchers on labels (also `rule`, `model`, `severity`, `source`),
    severities, kinds of message, hours and days of a zone. `to` names channels and rotas;
    `escalation` names who is told, and who next.
    """

    match: tuple[str, ...] = ()
    severity: tuple[int, ...] = ()
    hours: str = ""
    days: str = ""
    zone: str = "UTC"
    to: tuple[str, ...] = ()
    escalation: str | None = None
    continue_: bool = False


class EscalationStep(Struct, frozen=True):
    """One step: whom to tell when nobody took it for so long since the page."""

    to: tuple[str, ...]
    after: Milliseconds = Milliseconds(0)


class Escalation(Struct, frozen=True):
    """The steps in their order, the first of them at once; then the last one again and again."""

    name: str
    step: tuple[EscalationStep, ...]
    again: Milliseconds | None = None


class Override(Struct, frozen=True):
    """Somebody else is on call for a while, both times as `2026-12-24T09:00` of the rota's zone."""

    person: str
    from_: str
    until: str


class OnCallSchedule(Struct, frozen=True):
    """Who is on call: `people` by turns, or who stands in an iCalendar file.

    The first of `people` took over at `starts` (as `2026-01-05T09:00`); every hand-over is at that
    time of the zone's clock, summer and winter. `to` are the channels for somebody who has none of
    their own, and for when nobody is on call.
    """

    name: str
    people: tuple[str, ...] = ()
    turn: str = "weekly"
    starts: str = "2026-01-05T09:00"
    zone: str = "UTC"
    override: tuple[Override, ...] = ()
    calendar: str | None = None
    to: tuple[str, ...] = ()


class Heartbeat(Struct, frozen=True):
    """A sign of life to an address outside while all is well; its absence is their alarm."""

    url: str | Secret
    every: Milliseconds = Milliseconds(60_000)
    method: str = "GET"
    ca: str | None = None
