"""Channels and routes: whom watchdeck notifies of which alerts, and how."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct, field

from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.units import Milliseconds

CONSOLE = "console"
"""The channel that always exists: its notifications appear on every console."""


class ChannelType(StrEnum):
    """The protocol of a channel."""

    WEBHOOK = "webhook"
    PAGERDUTY = "pagerduty"
    COMMAND = "command"
    APPRISE = "apprise"


class Channel(Struct, frozen=True):
    """A destination of notifications; which settings apply depends on `type`."""

    name: str
    """Name that routes and escalations use; `console` is always there."""
    type: str
    """Protocol of the channel."""
    url: str | Secret | None = None
    """Address: of a webhook, of an apprise service, or of PagerDuty's events when not its own."""
    headers: dict[str, str | Secret] = field(default_factory=dict)
    """Headers of every request, each a text or a secret."""
    ca: str | None = None
    """Path of a file with the certificates to trust, in PEM; when not set, those of the system."""
    routing_key: Secret | None = None
    """Integration key of a PagerDuty service."""
    token: Secret | None = None
    """Token of PagerDuty's REST interface at `api`, which reports acknowledgements."""
    api: str | None = None
    """Address of PagerDuty's REST interface, when not https://api.pagerduty.com."""
    command: tuple[str, ...] = ()
    """Arguments of a program, started without a shell."""
    environment: tuple[str, ...] = ()
    """Names of the collector's environment variables that the program gets."""
    services: tuple[str, ...] = ()
    """Apprise services that `url` may name, such as `slack`."""
    timeout: Milliseconds = Milliseconds(10_000)
    """Deadline of one attempt; failed attempts are repeated."""
    rate: int = 60
    """The most notifications a minute."""
    person: str | None = None
    """Owner of the channel, as on-call schedules name them."""
    kinds: tuple[str, ...] = ()
    """Kinds of message that are sent; all when empty."""

    def belongs_to(self, people: Iterable[str]) -> bool:
        """Whether one of these people owns the channel; case is ignored."""
        owner = (self.person or "").casefold()
        return bool(owner) and any(owner == person.casefold() for person in people)


class Route(Struct, frozen=True):
    """Which alerts go to which channels: the first matching route wins, unless it continues.

    A route matches when every condition given holds.
    """

    match: tuple[str, ...] = ()
    """Matchers of labels, also of `rule`, `model`, `severity` and `source`."""
    severity: tuple[int, ...] = ()
    """Severities, 1 to 4; all when empty."""
    hours: str = ""
    """Hours of the day in `zone`, such as `18:00-08:00`; empty for all."""
    days: str = ""
    """Days of the week in `zone`, such as `mon-fri`; empty for all."""
    zone: str = "UTC"
    """Time zone of `hours` and `days`."""
    to: tuple[str, ...] = ()
    """Names of channels and on-call schedules."""
    escalation: str | None = None
    """Name of the escalation policy."""
    continue_: bool = False
    """Whether later routes are tried too."""


class EscalationStep(Struct, frozen=True):
    """Channels and schedules to notify when nobody has acknowledged `after` the page."""

    to: tuple[str, ...]
    """Names of channels and on-call schedules."""
    after: Milliseconds = Milliseconds(0)
    """Time since the page; 0 for the first step, and longer for each further one."""


class Escalation(Struct, frozen=True):
    """An escalation policy: its steps in order, then the last step again at an interval."""

    name: str
    """Name that routes use."""
    step: tuple[EscalationStep, ...]
    """Steps, in order."""
    again: Milliseconds | None = None
    """Interval at which the last step is repeated; not repeated when not set."""


class Override(Struct, frozen=True):
    """A stand-in on an on-call schedule; times as `2026-12-24T09:00` in the schedule's zone."""

    person: str
    """Who is on call instead, as `person` of a channel."""
    from_: str
    """When the stand-in takes over."""
    until: str
    """When the turns go on, without the stand-in."""


class OnCallSchedule(Struct, frozen=True):
    """Who is on call: `people` in turn, or the events of an iCalendar file."""

    name: str
    """Name that routes and escalations use."""
    people: tuple[str, ...] = ()
    """People in turn, as `person` of a channel; a schedule has these or a `calendar`."""
    turn: str = "weekly"
    """Length of a turn."""
    starts: str = "2026-01-05T09:00"
    """Start of the first person's turn; every turn starts at this local time of `zone`."""
    zone: str = "UTC"
    """Time zone of all times of the schedule."""
    override: tuple[Override, ...] = ()
    """Stand-ins; the last one that includes a time wins."""
    calendar: str | None = None
    """Path of an iCalendar file, whose events name who is on call; read again when it changes."""
    to: tuple[str, ...] = ()
    """Channels for people without a channel of their own, and for when nobody is on call."""


class Heartbeat(Struct, frozen=True):
    """A periodic request to an outside monitor, which alarms when the requests stop."""

    url: str | Secret
    """Address of the monitor."""
    every: Milliseconds = Milliseconds(60_000)
    """Interval of the requests."""
    method: str = "GET"
    """HTTP method."""
    ca: str | None = None
    """Path of a file with the certificates to trust, in PEM; when not set, those of the system."""
