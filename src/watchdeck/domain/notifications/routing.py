"""Routing: to which channels a message goes, and the escalation of unacknowledged alerts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.alerts.muting import labels_of
from watchdeck.domain.notifications.grouping import (
    GroupSlot,
    GroupWindows,
    assign_group,
    group_name,
    group_windows,
    moment_slot,
)
from watchdeck.domain.notifications.message import LastMessages, Message, MessageKind
from watchdeck.domain.notifications.on_call import ShiftsNear, person_on_call
from watchdeck.domain.notifications.outbox import (
    NotificationClass,
    OutboxEntry,
    notification_class,
    to_payload,
)
from watchdeck.domain.rules.rule import Rule, Severity
from watchdeck.domain.settings.receivers import CONSOLE, Channel, Escalation, OnCallSchedule, Route
from watchdeck.domain.values.datetimes import is_within
from watchdeck.domain.values.matcher import matches, read_matcher

MAX_REPEATS = 10
"""How many times the last escalation step is repeated at most."""

_GROUP_BY = ("owner",)

_HANDLING = (NotificationClass.ACKNOWLEDGED, NotificationClass.UNACKNOWLEDGED)

_FOLLOW_UPS = (
    MessageKind.RESOLVED,
    MessageKind.ACKNOWLEDGED,
    MessageKind.UNACKNOWLEDGED,
    MessageKind.SILENCED,
)
"""Messages for those only who had one about the episode, and do not believe that it is over."""

_COUNTS_AS = {
    MessageKind.RETURNED: MessageKind.PAGE,
    MessageKind.REPEATED: MessageKind.PAGE,
    MessageKind.SILENCE_ENDED: MessageKind.PAGE,
    MessageKind.SILENCED: MessageKind.ACKNOWLEDGED,
}
"""The kind that a channel must accept to get messages of another kind."""


class AlertContext(Struct, frozen=True):
    """The subject of a message: an alert, its rule unless it is external, and who knows of it.

    `last` are the messages that channels had of the episode.
    """

    active: ActiveAlert
    rule: Rule | None = None
    last: LastMessages = field(default_factory=dict)

    @property
    def group_by(self) -> tuple[str, ...]:
        """Labels by which alerts are grouped: those with equal values are sent together."""
        return self.rule.group_by if self.rule else _GROUP_BY


class Routing(Struct, frozen=True):
    """The configured routes, channels and on-call rotas; without routes, pages go to all channels.

    `calendars` has, by name, the shifts of each rota that has a calendar file.
    """

    channels: tuple[Channel, ...] = ()
    routes: tuple[Route, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    rotas: tuple[OnCallSchedule, ...] = ()
    calendars: Mapping[str, ShiftsNear] = field(default_factory=dict)

    def matching_routes(
        self, labels: Mapping[str, str], severity: Severity, now: int
    ) -> Iterator[Route]:
        """The routes that match an alert at `now` (ms UTC), to the first without `continue`."""
        if not self.routes and severity.is_paging:
            yield Route(to=tuple(channel.name for channel in self.channels))
        for one in self.routes:
            if route_matches(one, labels, severity, now):
                yield one
                if not one.continue_:
                    return

    def find_escalation(self, name: str | None) -> Escalation | None:
        """The escalation policy with this name; None when there is none."""
        return next((one for one in self.escalations if one.name == name), None)

    def find_channels(self, names: Iterable[str], now: int) -> dict[str, tuple[str, ...]]:
        """Resolve names of channels and rotas to channels, each with its people on call."""
        found: dict[str, tuple[str, ...]] = {}
        for name in names:
            rota = next((one for one in self.rotas if one.name == name), None)
            shifts = self.calendars[name](now) if name in self.calendars else ()
            person = person_on_call(rota, shifts, now) if rota else None
            for channel in self._rota_channels(name, rota, person):
                people = (person,) if person else ()
                found[channel] = tuple(dict.fromkeys((*found.get(channel, ()), *people)))
        return found

    def _rota_channels(
        self, name: str, rota: OnCallSchedule | None, person: str | None
    ) -> Sequence[str]:
        if rota is None:
            return (name,)
        own = [
            channel.name for channel in self.channels if person and channel.belongs_to((person,))
        ]
        return own or rota.to


def route_matches(
    candidate: Route, labels: Mapping[str, str], severity: Severity, now: int
) -> bool:
    """Whether a route matches an alert with these labels at `now` (ms UTC)."""
    if candidate.severity and severity not in candidate.severity:
        return False
    if not matches(map(read_matcher, candidate.match), labels):
        return False
    return is_within(now, candidate.hours, candidate.days, candidate.zone)


def route(
    message: Message,
    context: AlertContext,
    routing: Routing,
    now: int,
    windows: GroupWindows,
    *,
    to: Iterable[str] | None = None,
    not_before: int = 0,
) -> tuple[OutboxEntry, ...]:
    """The outbox entries of a message: one for each channel, and always one for the console.

    `windows` holds the open time window of each group, in which messages are sent together; this
    call adds the windows of its entries. Channels that had a message of the episode get those that
    follow, whatever the routes say by now. `to` names channels and rotas instead. No entry is sent
    before `not_before` (ms UTC): until then the operator may undo.
    """
    if to is None:
        found = _receivers(message, context, routing, now)
    else:
        found = routing.find_channels(to, now)
    known = {channel.name: channel for channel in routing.channels}
    rows = [_entry(CONSOLE, message, context, GroupSlot("", now), now)]
    for name, people in found.items():
        channel = known.get(name)
        if channel is not None and _accepts(channel, message.kind):
            slot = _assign_slot(name, message, context, windows, max(now, not_before))
            windows |= group_windows([slot.name])
            rows.append(_entry(name, message, context, slot, now, people))
    return tuple(rows)


def due_escalation(active: ActiveAlert, routing: Routing, now: int) -> DueStep | None:
    """The newest escalation step that is due at `now` (ms UTC), None when there is none.

    Of several steps missed without a collector only the newest counts. Acknowledged and muted
    alerts do not escalate.
    """
    episode, escalation = active.episode, escalation_of(active, routing)
    is_quiet = not episode.is_open or active.acknowledgement or active.mutes
    if escalation is None or episode.paged_at is None or is_quiet:
        return None
    waited = now - episode.paged_at
    steps = _all_steps(escalation)[episode.escalated + 1 :]
    return next((step for step in reversed(steps) if waited >= step.after), None)


def escalation_of(active: ActiveAlert, routing: Routing) -> Escalation | None:
    """The first escalation of the routes that the alert's page took; None when there is none.

    Routes are matched as of the time of the page, so that their hours do not change it later.
    """
    episode = active.episode
    if episode.paged_at is None:
        return None
    labels = labels_of(active.alert, episode.severity)
    routes = routing.matching_routes(labels, episode.severity, episode.paged_at)
    found = (routing.find_escalation(one.escalation) for one in routes)
    return next((one for one in found if one is not None), None)


def _accepts(channel: Channel, kind: MessageKind) -> bool:
    return not channel.kinds or _COUNTS_AS.get(kind, kind) in channel.kinds


def _receivers(
    message: Message, context: AlertContext, routing: Routing, now: int
) -> dict[str, tuple[str, ...]]:
    """The channels of a message, each with its people on call."""
    before = {
        name: one.people
        for name, one in context.last.items()
        if not (one.is_over and message.kind in _FOLLOW_UPS)
    }
    if message.kind in _FOLLOW_UPS:
        return before
    found = routing.find_channels(_target_names(message, context.active, routing, now), now)
    for name, people in before.items():
        found[name] = tuple(dict.fromkeys((*found.get(name, ()), *people)))
    return found


def _target_names(
    message: Message, active: ActiveAlert, routing: Routing, now: int
) -> tuple[str, ...]:
    """Receivers in matching routes and escalation steps taken, and channels of `message.people`."""
    names: list[str] = []
    labels = labels_of(active.alert, message.severity)
    for one in routing.matching_routes(labels, message.severity, now):
        names += one.to
        escalation = routing.find_escalation(one.escalation)
        if escalation is not None:
            for step in escalation.step[: active.episode.escalated + 1]:
                names += step.to
    names += (channel.name for channel in routing.channels if channel.belongs_to(message.people))
    return tuple(dict.fromkeys(names))


def _assign_slot(
    channel: str, message: Message, context: AlertContext, windows: GroupWindows, now: int
) -> GroupSlot:
    labels = labels_of(context.active.alert, message.severity)
    shared = (f"{name}={labels.get(name, '')}" for name in context.group_by)
    purpose = notification_class(message.kind)
    group = group_name(channel, purpose, *shared)
    if purpose in _HANDLING:
        return moment_slot(group, now)
    return assign_group(group, message.severity, windows, now)


def _entry(
    channel: str,
    message: Message,
    context: AlertContext,
    slot: GroupSlot,
    now: int,
    people: tuple[str, ...] = (),
) -> OutboxEntry:
    episode = context.active.episode.id
    return OutboxEntry(
        channel=channel,
        kind=str(message.kind),
        dedup_key=message.dedup_key,
        not_before=slot.not_before,
        episode=episode,
        payload=to_payload(message, context.active, context.rule, now, people),
        group=slot.name,
        ordering_key=f"{channel}/{episode}",
        is_delivered=channel == CONSOLE,
    )


class DueStep(Struct, frozen=True):
    """An escalation step: its number, its receivers, and the delay `after` the page (ms)."""

    escalated: int
    to: tuple[str, ...]
    after: int


def next_step(escalation: Escalation, escalated: int) -> DueStep | None:
    """The step after that with the number `escalated`, due or not; None after the last."""
    return next(iter(_all_steps(escalation)[escalated + 1 :]), None)


def _all_steps(escalation: Escalation) -> list[DueStep]:
    """All steps of an escalation, with the repetitions of the last one."""
    steps = [(step.to, int(step.after)) for step in escalation.step]
    if escalation.again:
        to, after = steps[-1]
        repeats = range(1, MAX_REPEATS + 1)
        steps += [(to, after + number * int(escalation.again)) for number in repeats]
    return [DueStep(number, to, after) for number, (to, after) in enumerate(steps)]
