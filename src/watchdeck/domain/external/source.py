"""Sources of external alerts: their protocol, their liveness, their last report of each alert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import Alert, Episode
from watchdeck.domain.external.event import ExternalEvent, Status, event_key
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.intake import NO_DATA_ALERTS

MIN_PROMISE = 4 * 60_000
"""Shortest validity (ms) that Prometheus gives an alert: four of its resend intervals."""


def shift_past_time(at: int, jump: int, now: int) -> int:
    """Correct a past time after our clock jumped by `jump` (ms) to `now` (ms UTC).

    A time that was read after the jump is returned unchanged.
    """
    before = at <= now - jump if jump > 0 else at > now
    return at + jump if before else at


class SourceProtocol(StrEnum):
    """How alerts arrive: sent on change (webhook, events), repeated (post) or polled (list)."""

    WEBHOOK = "webhook"
    POST = "post"
    LIST = "list"
    EVENTS = "events"


class ExternalSource(Struct, frozen=True):
    """A system that sends alerts; times in ms UTC, durations in ms."""

    name: str
    way: SourceProtocol
    silent_after: int = 0
    """Time without a sign of life after which the source is silent; 0 for never."""
    expected: bool = False
    """Whether it must send at all times, not only while it has open alerts."""
    hold: int = 0
    """Time after a restart of the source during which its resolves are not trusted."""
    deadman: str = ""
    """The name of an alert that always fires while the source works (dead man's switch)."""
    since: int = 0
    """When watchdeck began to receive from it."""
    heard_at: int = 0
    """When it last sent or answered anything."""
    started_at: int | None = None
    """When the source started, by its own account."""
    held_until: int = 0
    """Until when its resolves are not trusted, after a restart."""
    lost_at: int | None = None
    """When the `deadman` alert stopped firing."""
    problem: str = ""
    """Why the source could not be read completely; empty when it could."""
    retired: bool = False
    """Whether it is no longer configured."""
    no_data_alerts: tuple[str, ...] = NO_DATA_ALERTS
    """Whole names of alerts that say that their target sends no data."""
    cluster: str = ""
    """The configured name of its cluster; empty for none."""
    peers: tuple[str, ...] = ()
    """The names of the members of its cluster, itself included, by its own account."""

    def is_same_cluster(self, other: ExternalSource) -> bool:
        """Whether both sources are members of one cluster, which tell of the same alerts."""
        named = self.cluster != "" and self.cluster == other.cluster
        return named or not set(self.peers).isdisjoint(other.peers)

    def silent_for(self, now: int, raised: Sequence[RemoteAlertState]) -> int:
        """How long (ms) the source has been silent at `now` (ms UTC), if that is too long; else 0.

        `raised` are its open alerts. The limit is `silent_after`; for a source that repeats
        its alerts it is at least two of its resend intervals.
        """
        if self.retired:
            return 0
        if self.lost_at is not None:
            return max(1, now - self.lost_at)
        repeated = raised if self.way is SourceProtocol.POST else ()
        timeout = max([self.silent_after, *(last.promise_duration // 2 for last in repeated)])
        must_send = self.silent_after and (self.expected or raised)
        silent_for = now - max(self.heard_at, self.since)
        return silent_for if must_send and silent_for > timeout else 0

    def shift_times(self, jump: int, now: int) -> ExternalSource:
        """Shift all times after our clock jumped to `now` (ms UTC) by `jump` (ms)."""
        return replace(
            self,
            since=shift_past_time(self.since, jump, now),
            heard_at=shift_past_time(self.heard_at, jump, now),
            held_until=self.held_until + jump,
            lost_at=None if self.lost_at is None else shift_past_time(self.lost_at, jump, now),
        )

    def record_response(
        self, at: int, started_at: int | None, peers: tuple[str, ...] = ()
    ) -> ExternalSource:
        """Record a response at `at` with the start time (ms UTC) and the peers of the source.

        A new start time is a restart: the source has forgotten its alerts, so its resolves are not
        trusted for the next `hold` ms.
        """
        is_restart = None not in (self.started_at, started_at) and self.started_at != started_at
        return replace(
            self,
            heard_at=max(at, self.heard_at),
            started_at=self.started_at if started_at is None else started_at,
            held_until=at + self.hold if is_restart else self.held_until,
            problem="",
            peers=peers,
        )


class RemoteAlertState(Struct, frozen=True):
    """The last report of a source about an alert that fires."""

    rule: str
    told: int
    """The start, by the clock of the source (ms UTC)."""
    promise: int | None = None
    """When the alert ends unless repeated, by the clock of the source (ms UTC)."""
    sender: str = ""
    listed: bool = False
    """Whether the newest list of the source has the alert."""
    suppressed_by: tuple[str, ...] = ()
    """What mutes the alert at the source."""
    at: int = 0
    """When the source last reported the alert, by our clock (ms UTC)."""
    renewed_at: int = 0
    """When `promise` was last extended, by our clock (ms UTC)."""
    lasts: int = 0
    """The validity (ms): how long the alert lasts after a report unless repeated."""

    @property
    def promise_duration(self) -> int:
        """How long (ms) a report of the alert stays valid: four resend intervals of its sender."""
        return max(MIN_PROMISE, self.lasts)

    def shift_times(self, jump: int, now: int) -> RemoteAlertState:
        """Shift the times that our clock gave, after it jumped by `jump` (ms) to `now` (ms UTC)."""
        return replace(
            self,
            at=shift_past_time(self.at, jump, now),
            renewed_at=shift_past_time(self.renewed_at, jump, now),
        )

    def has_lapsed(self, now: int) -> bool:
        """Whether 3/4 of the validity passed without the extension that a live sender sends."""
        return self.promise is not None and 4 * (now - self.renewed_at) >= 3 * self.lasts


def state_after(
    event: ExternalEvent, before: RemoteAlertState | None, *, listed: bool
) -> RemoteAlertState:
    """The new state of a remote alert after a firing event; `before` is None for a new alert."""
    if before is not None and (before.told, before.promise) == (event.told, event.ends_at):
        lasts, renewed_at = before.lasts, before.renewed_at
    else:
        lasts = _promise_duration(event, before, listed=listed)
        renewed_at = event.received_at if before else _first_renewal(event, lasts)
    return RemoteAlertState(
        rule=event.rule,
        told=event.told,
        promise=event.ends_at,
        sender=event.sender,
        listed=listed,
        suppressed_by=event.suppressed_by,
        at=event.received_at,
        renewed_at=renewed_at,
        lasts=lasts,
    )


def _first_renewal(event: ExternalEvent, lasts: int) -> int:
    """When the validity of a first report began: its `updated_at`, but at most `lasts` ms ago."""
    at = event.received_at
    return at if event.updated_at is None else min(at, max(event.updated_at, at - lasts))


def state_after_push(event: ExternalEvent, before: RemoteAlertState | None) -> RemoteAlertState:
    """The new state of a remote alert after a pushed firing event; `listed` stays as it was."""
    listed = before is not None and before.listed
    if before is not None and listed and before.told == event.told:
        return replace(before, at=event.received_at)
    return state_after(event, before, listed=listed)


def _promise_duration(
    event: ExternalEvent, before: RemoteAlertState | None, *, listed: bool
) -> int:
    """The validity (ms) of an event, from two times of the sender where possible, else of ours."""
    if event.ends_at is None:
        return 0
    if listed and event.updated_at is not None:
        return max(0, event.ends_at - event.updated_at)
    if before is not None and before.promise is not None and before.promise < event.ends_at:
        return 4 * (event.ends_at - before.promise)
    return max(0, event.ends_at - event.received_at)


def repeat_event(alert: Alert, episode: Episode, last: RemoteAlertState) -> ExternalEvent:
    """Make a firing event for an open alert that its source reports again, unchanged."""
    return ExternalEvent(
        key="",
        source=alert.source,
        fingerprint=alert.fingerprint,
        rule=alert.rule,
        model=alert.model,
        severity=episode.severity,
        status=Status.FIRING,
        received_at=last.at,
        starts_at=episode.fired_at or episode.started_at,
        annotations={"summary": episode.why},
    )


def mark_reappeared(event: ExternalEvent, before: RemoteAlertState | None) -> ExternalEvent:
    """Give the event a new key when its alert is known, but was not in the source's last list.

    With its old key the event would count as a repetition.
    """
    if before is None or before.listed:
        return event
    return replace(event, key=event_key(event.key, "again", event.received_at))


def missing_resolves(
    source: str, before: Mapping[str, RemoteAlertState], listed: Iterable[ExternalEvent], now: int
) -> tuple[ExternalEvent, ...]:
    """Make a resolve for each alert that is missing from the newest list of its source.

    `before` has the last states by fingerprint. An alert that goes missing soon after its last
    report was resolved; one that `has_lapsed` is marked so: its sender may only have stopped.
    """
    there = {event.fingerprint for event in listed}
    return tuple(
        _missing_resolve(source, fingerprint, last, now)
        for fingerprint, last in before.items()
        if last.listed and fingerprint not in there
    )


def _missing_resolve(
    source: str, fingerprint: str, last: RemoteAlertState, now: int
) -> ExternalEvent:
    lapsed = last.has_lapsed(now)
    return ExternalEvent(
        key=event_key(source, fingerprint, last.told, "gone", now),
        source=source,
        fingerprint=fingerprint,
        rule=last.rule,
        model="",
        severity=Severity.HIGH,
        status=Status.RESOLVED,
        received_at=now,
        starts_at=min(last.told or now, now),
        told=last.told,
        ends_at=last.promise if lapsed else now,
        sender=last.sender,
        lapsed=lapsed,
    )
