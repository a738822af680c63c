"""Foreign sources: how they are heard, when they are silent, what they last said of an alert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import Alert, Episode
from watchdeck.domain.external.event import ExternalEvent, Status, event_key
from watchdeck.domain.values.severity import Severity

REPEATS = 4 * 60_000
"""For how long (ms) Prometheus promises an alert at the least: for four of its intervals."""


def shift_past_time(at: int, jump: int, now: int) -> int:
    """A moment of the past by a clock that since went to `now` (ms UTC) by a jump (ms).

    What is not from before the jump stays.
    """
    before = at <= now - jump if jump > 0 else at > now
    return at + jump if before else at


class SourceProtocol(StrEnum):
    """How a source is heard: it sends what changes, repeats all that fires, or is asked."""

    WEBHOOK = "webhook"
    POST = "post"
    LIST = "list"
    EVENTS = "events"


class ExternalSource(Struct, frozen=True):
    """One system that tells of alerts; times in ms UTC, durations in ms.

    It is silent when not heard for `silent_after`, 0 for never: always where it is `expected` to
    speak, otherwise only while alerts of it are open. `since` is when we began to listen, and
    `hold` for how long its word of an end counts for nothing after it started anew. `deadman` is
    an alert that always fires while all is well, and `lost_at` when it ceased to. `problem` is why
    it could not be heard whole.
    """

    name: str
    way: SourceProtocol
    silent_after: int = 0
    expected: bool = False
    hold: int = 0
    deadman: str = ""
    since: int = 0
    heard_at: int = 0
    started_at: int | None = None
    held_until: int = 0
    lost_at: int | None = None
    problem: str = ""
    retired: bool = False

    def silence(self, now: int, raised: Sequence[RemoteAlertState]) -> int:
        """For how long it has been too silent (ms), 0 when it is not; `raised` are open alerts.

        Who repeats what fires has half the time that it promised, which is twice its interval.
        """
        if self.retired:
            return 0
        if self.lost_at is not None:
            return max(1, now - self.lost_at)
        promises = [last.promised // 2 for last in raised if self.way is SourceProtocol.POST]
        patience = max([self.silent_after, *promises])
        waits = self.silent_after and (self.expected or raised)
        quiet = now - max(self.heard_at, self.since)
        return quiet if waits and quiet > patience else 0

    def shifted(self, jump: int, now: int) -> ExternalSource:
        """The source after our clock went to `now` by a jump: nothing is nearer or further off."""
        return replace(
            self,
            since=shift_past_time(self.since, jump, now),
            heard_at=shift_past_time(self.heard_at, jump, now),
            held_until=self.held_until + jump,
            lost_at=None if self.lost_at is None else shift_past_time(self.lost_at, jump, now),
        )

    def answered(self, at: int, started_at: int | None) -> ExternalSource:
        """The source after it answered, and said when it started.

        When that moved it started anew, and what it says of ends is held for a while: it has
        forgotten what it does not hear of again.
        """
        anew = None not in (self.started_at, started_at) and self.started_at != started_at
        return replace(
            self,
            heard_at=max(at, self.heard_at),
            started_at=self.started_at if started_at is None else started_at,
            held_until=at + self.hold if anew else self.held_until,
            problem="",
        )


class RemoteAlertState(Struct, frozen=True):
    """What a source last said of an alert that fires: since when, and until when it will repeat it.

    `told` is the start that it names and `promise` the end, None for none, both by its own clock
    (ms UTC), which may be wrong: `lasts` is for how long (ms) it promises, and by our clock `at` is
    when it last spoke of the alert, `renewed_at` when it last promised anew. `listed` tells that it
    was in the source's newest list, and `suppressed_by` who keeps it quiet there.
    """

    rule: str
    told: int
    promise: int | None = None
    sender: str = ""
    listed: bool = False
    suppressed_by: tuple[str, ...] = ()
    at: int = 0
    renewed_at: int = 0
    lasts: int = 0

    @property
    def promised(self) -> int:
        """For how long (ms) a sender may say nothing more of it; four times its interval."""
        return max(REPEATS, self.lasts)

    def shifted(self, jump: int, now: int) -> RemoteAlertState:
        """The same after our clock went to `now` by a jump (ms)."""
        return replace(
            self,
            at=shift_past_time(self.at, jump, now),
            renewed_at=shift_past_time(self.renewed_at, jump, now),
        )

    def ran_out(self, now: int) -> bool:
        """Whether it was left to run out: a sender that lives renews when a quarter is over."""
        return self.promise is not None and 4 * (now - self.renewed_at) >= 3 * self.lasts


def state_after(
    event: ExternalEvent, before: RemoteAlertState | None, *, listed: bool
) -> RemoteAlertState:
    """What a firing event leaves behind, after what was said `before`."""
    if before is not None and (before.told, before.promise) == (event.told, event.ends_at):
        lasts, renewed_at = before.lasts, before.renewed_at
    else:
        lasts = _lasts(event, before, listed=listed)
        renewed_at = event.received_at if before else _first_renewed(event, lasts)
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


def _first_renewed(event: ExternalEvent, lasts: int) -> int:
    """When a promise was made that was made before we listened: its own clock is all there is."""
    at = event.received_at
    return at if event.updated_at is None else min(at, max(event.updated_at, at - lasts))


def state_after_push(event: ExternalEvent, before: RemoteAlertState | None) -> RemoteAlertState:
    """What a firing event leaves behind that is no part of a list: what lists said stays."""
    listed = before is not None and before.listed
    if before is not None and listed and before.told == event.told:
        return replace(before, at=event.received_at)
    return state_after(event, before, listed=listed)


def _lasts(event: ExternalEvent, before: RemoteAlertState | None, *, listed: bool) -> int:
    """For how long an event promises, by two readings of one clock where there are two."""
    if event.ends_at is None:
        return 0
    if listed and event.updated_at is not None:
        return max(0, event.ends_at - event.updated_at)
    if before is not None and before.promise is not None and before.promise < event.ends_at:
        return 4 * (event.ends_at - before.promise)
    return max(0, event.ends_at - event.received_at)


def repeat_event(alert: Alert, episode: Episode, last: RemoteAlertState) -> ExternalEvent:
    """The event that a source speaks by repeating itself when we held its alert for silent."""
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
    """A listed alert; one that had left the list says something new, whatever its start."""
    if before is None or before.listed:
        return event
    return replace(event, key=event_key(event.key, "again", event.received_at))


def missing_from_list(
    source: str, before: Mapping[str, RemoteAlertState], listed: Iterable[ExternalEvent], now: int
) -> tuple[ExternalEvent, ...]:
    """The resolves that a list speaks by what it no longer holds.

    An alert that went while its promise was young was resolved; one that went after, lapsed.
    """
    there = {event.fingerprint for event in listed}
    return tuple(
        _gone(source, fingerprint, last, now)
        for fingerprint, last in before.items()
        if last.listed and fingerprint not in there
    )


def _gone(source: str, fingerprint: str, last: RemoteAlertState, now: int) -> ExternalEvent:
    lapsed = last.ran_out(now)
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
