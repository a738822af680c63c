"""Routes: which messages go to whom, and with which others they become one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.alerts.muting import labels_of
from watchdeck.domain.notifications.calendar import ShiftsNear
from watchdeck.domain.notifications.escalation import DueStep, due_step
from watchdeck.domain.notifications.grouping import (
    GroupSlot,
    Windows,
    assign_group,
    group_of,
    group_windows,
)
from watchdeck.domain.notifications.message import Message
from watchdeck.domain.notifications.notification import class_of, to_payload
from watchdeck.domain.notifications.on_call import on_call
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.settings.receivers import CONSOLE, Channel, Escalation, OnCallSchedule, Route
from watchdeck.domain.values.local_time import contains
from watchdeck.domain.values.matcher import matches, read_matcher
from watchdeck.domain.values.severity import Severity

_GROUP_BY = ("owner",)


class AlertContext(Struct, frozen=True):
    """What a message is about: an alert, and the rule of ours that raised it, if one did."""

    raised: ActiveAlert
    rule: Rule | None = None

    @property
    def group_by(self) -> tuple[str, ...]:
        """The labels whose alerts are told together."""
        return self.rule.group_by if self.rule else _GROUP_BY


class Routing(Struct, frozen=True):
    """Who is told of what: all of the configuration that routes need.

    `calendars` are the shifts of each rota's file. Without any route, pages go to every channel.
    """

    channels: tuple[Channel, ...] = ()
    routes: tuple[Route, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    rotas: tuple[OnCallSchedule, ...] = ()
    calendars: Mapping[str, ShiftsNear] = field(default_factory=dict)

    def ways(self, labels: Mapping[str, str], severity: Severity, now: int) -> Iterator[Route]:
        """The routes that an alert takes."""
        if not self.routes and severity.pages:
            yield Route(to=tuple(channel.name for channel in self.channels))
        for one in self.routes:
            if route_matches(one, labels, severity, now):
                yield one
                if not one.continue_:
                    return

    def escalation(self, name: str | None) -> Escalation | None:
        """The escalation of a name."""
        return next((one for one in self.escalations if one.name == name), None)

    def reached(self, names: Iterable[str], now: int) -> dict[str, tuple[str, ...]]:
        """The channels behind names of channels and rotas, and for each who is meant by it."""
        found: dict[str, tuple[str, ...]] = {}
        for name in names:
            rota = next((one for one in self.rotas if one.name == name), None)
            shifts = self.calendars[name](now) if name in self.calendars else ()
            person = on_call(rota, shifts, now) if rota else None
            for channel in self._channels(name, rota, person):
                meant = (person,) if person else ()
                found[channel] = tuple(dict.fromkeys((*found.get(channel, ()), *meant)))
        return found

    def _channels(
        self, name: str, rota: OnCallSchedule | None, person: str | None
    ) -> Sequence[str]:
        if rota is None:
            return (name,)
        own = [channel.name for channel in self.channels if person and channel.is_of((person,))]
        return own or rota.to


def route_matches(way: Route, labels: Mapping[str, str], severity: Severity, now: int) -> bool:
    """Whether an alert with these labels goes this way at `now` (ms UTC)."""
    if way.severity and severity not in way.severity:
        return False
    if not matches(map(read_matcher, way.match), labels):
        return False
    return contains(now, way.hours, way.days, way.zone)


def route(
    message: Message,
    about: AlertContext,
    routing: Routing,
    now: int,
    windows: Windows,
    *,
    to: Iterable[str] | None = None,
    not_before: int = 0,
) -> tuple[OutboxEntry, ...]:
    """The rows for the outbox that tell somebody of an alert, and one for the console in any case.

    `windows` are those of the newest folds and take in the rows that are returned; `to` overrules
    the routes; nothing is sent before `not_before` (ms UTC), so that it can be taken back.
    """
    names = _targets(message, about.raised, routing, now) if to is None else tuple(to)
    known = {channel.name: channel for channel in routing.channels}
    rows = [_posting(CONSOLE, message, about, GroupSlot("", now), now)]
    for name, meant in routing.reached(names, now).items():
        channel = known.get(name)
        if channel is not None and (not channel.kinds or message.kind in channel.kinds):
            at = _place(name, message, about, windows, max(now, not_before))
            windows |= group_windows([at.fold])
            rows.append(_posting(name, message, about, at, now, meant))
    return tuple(rows)


def due_escalation(raised: ActiveAlert, routing: Routing, now: int) -> DueStep | None:
    """The step of its escalation that an alert has come to at `now` (ms UTC), if a new one.

    The way is the one that was open when the first page went out: it must not change with the hour.
    """
    escalation = escalation_of(raised, routing)
    return None if escalation is None else due_step(escalation, raised, now)


def escalation_of(raised: ActiveAlert, routing: Routing) -> Escalation | None:
    """The escalation on the way that an alert's first page went; None when there is none."""
    episode = raised.episode
    if episode.paged_at is None:
        return None
    labels = labels_of(raised.alert, episode.severity)
    ways = routing.ways(labels, episode.severity, episode.paged_at)
    found = (routing.escalation(way.escalation) for way in ways)
    return next((one for one in found if one is not None), None)


def _targets(message: Message, raised: ActiveAlert, routing: Routing, now: int) -> tuple[str, ...]:
    """Who is told first: those of the route, and of an escalation all that were told so far."""
    names: list[str] = []
    for way in routing.ways(labels_of(raised.alert, message.severity), message.severity, now):
        names += way.to
        escalation = routing.escalation(way.escalation)
        if escalation is not None:
            for rung in escalation.step[: raised.episode.escalated + 1]:
                names += rung.to
    names += (channel.name for channel in routing.channels if channel.is_of(message.people))
    return tuple(dict.fromkeys(names))


def _place(
    channel: str, message: Message, about: AlertContext, windows: Windows, now: int
) -> GroupSlot:
    labels = labels_of(about.raised.alert, message.severity)
    shared = (f"{name}={labels.get(name, '')}" for name in about.group_by)
    group = group_of(channel, class_of(message.kind), *shared)
    return assign_group(group, message.severity, windows, now)


def _posting(
    channel: str,
    message: Message,
    about: AlertContext,
    at: GroupSlot,
    now: int,
    meant: tuple[str, ...] = (),
) -> OutboxEntry:
    episode = about.raised.episode.id
    return OutboxEntry(
        channel=channel,
        kind=str(message.kind),
        dedup_key=message.dedup_key,
        not_before=at.not_before,
        episode=episode,
        payload=to_payload(message, about.raised, about.rule, now, meant),
        fold=at.fold,
        lane=f"{channel}/{episode}",
        done=channel == CONSOLE,
    )
