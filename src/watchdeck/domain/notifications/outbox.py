"""The outbox: entries to insert, the stored rows, and the notification made of rows.

`to_payload` writes the payload of an entry, and `build_notification` reads it; nothing else does.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NewType

from msgspec import Struct, field

from watchdeck.domain.alerts.alert import ActiveAlert, AlertState, DataState
from watchdeck.domain.notifications.message import Message, MessageKind
from watchdeck.domain.rules.rule import Rule, Severity
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import to_plain


class OutboxEntry(Struct, frozen=True):
    """A message for one channel, to insert into the outbox together with the change it reports."""

    channel: str
    kind: str
    dedup_key: str
    """An entry whose key the channel already has is not inserted."""
    not_before: int
    """The earliest time to send (ms UTC)."""
    episode: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    """Waiting rows of one group slot are sent as one notification."""
    ordering_key: str = ""
    """Rows of one key are sent in the order of their ids."""
    is_delivered: bool = False
    """Whether the row counts as sent from the start: the console reads it from the store."""


class OutboxRow(Struct, frozen=True):
    """An `OutboxEntry` as stored, with the result of sending it so far; times in ms UTC."""

    id: int
    channel: str
    kind: str
    episode: int | None
    payload: dict[str, Any]
    dedup_key: str
    group: str
    ordering_key: str
    created_at: int
    not_before: int
    attempts: int
    sent_at: int | None
    gave_up_at: int | None
    cancelled_at: int | None
    last_error: str


MAX_LINES = 100
"""The most alerts that a notification lists; the others are only counted."""


OVER = "/over"
"""What the id of the end of an outage adds to the id of its begin."""


class NotificationClass(StrEnum):
    """What a notification asks of its receiver; only messages of one class share a notification.

    `TEST` asks nothing: an operator tries the channel.
    """

    CALL = "call"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    TEST = "test"


def notification_class(kind: str) -> NotificationClass:
    """The class of a message kind: that of the same name, else `CALL`."""
    if kind == MessageKind.SILENCED:
        return NotificationClass.ACKNOWLEDGED
    return NotificationClass(kind) if kind in tuple(NotificationClass) else NotificationClass.CALL


class Notification(Struct, frozen=True):
    """What one channel is sent at once: all outbox rows with the same `group`."""

    id: str
    """The idempotency key: the same for every attempt."""
    channel: str
    kind: NotificationClass
    rows: tuple[int, ...]
    """The ids of its outbox rows."""
    episodes: tuple[int, ...]
    alerts: tuple[Mapping[str, Any], ...]
    """The payloads of the rows, the worst and oldest first."""
    at: int
    """When the oldest row was created (ms UTC)."""

    @property
    def severity(self) -> Severity:
        """The severity of its worst alert."""
        return Severity(min(alert.get("severity", Severity.LOW) for alert in self.alerts))

    @property
    def title(self) -> str:
        """One line: the first alert, and the count of the others with their models and rules."""
        first = self.alerts[0]
        one = f"[SEV {self.severity:d}] {first['text']}"
        more = len(self.alerts) - 1
        return f"{one} (and {more} more: {_counts_text(self.alerts)})" if more else one

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for each of the first `MAX_LINES` alerts, then one that counts the others."""
        lines = [alert["text"] for alert in self.alerts[:MAX_LINES]]
        more = len(self.alerts) - MAX_LINES
        return (*lines, f"and {more} more") if more > 0 else tuple(lines)


SentTime = NewType("SentTime", int)
"""A time in ms UTC, which receivers get as RFC 3339 text."""


class AlertPayload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert in a notification; empty fields are left out."""

    kind: MessageKind
    """Purpose of the message."""
    text: str = ""
    """One line for a person."""
    at: SentTime
    """When the message was made."""
    episode: int
    """Number of the episode, which `watchdeck ack` takes."""
    source: str = ""
    """`watchdeck`, or the name of the system that reported the alert."""
    rule: str = ""
    """Name of the rule; of an external alert, its `alertname`."""
    model: str = ""
    """Name of the endpoint; absent when an external alert names none."""
    labels: dict[str, str] = field(default_factory=dict)
    """Labels by name; absent without labels."""
    severity: int
    """1 to 4, 1 the worst."""
    condition: AlertState
    """State of the condition."""
    data: DataState
    """Whether samples arrive; while they do not (`none`, `stale`), the state is held."""
    value: float | None = None
    """Newest value, in the unit of the rule's signal; absent when unknown."""
    limit: float | None = None
    """Limit that was crossed, in the same unit; absent when the rule has none."""
    why: str = ""
    """The rule and the value that crossed its limit, in words; absent when there is no reason."""
    started_at: SentTime
    """When the condition was first true."""
    acknowledged_by: str | None = None
    """Owner; absent when nobody has acknowledged."""
    acknowledged_until: SentTime | None = None
    """When the acknowledgement expires; absent without one."""
    known_issues: list[str] = field(default_factory=list)
    """Texts of pinned known issues, 5 at most; absent when none is pinned."""
    playbook: str = ""
    """Playbook of the rule; absent without one."""
    runbook: str = ""
    """Address of the rule's runbook; absent without one."""
    on_call: list[str] = field(default_factory=list)
    """People on call whom this message is for; absent without an on-call schedule."""


def to_payload(
    message: Message, active: ActiveAlert, rule: Rule | None, now: int, on_call: Sequence[str]
) -> dict[str, Any]:
    """The payload of an outbox entry: plain values, cleaned, without secrets or empty fields."""
    alert, episode, ack = active.alert, active.episode, active.acknowledgement
    payload = AlertPayload(
        kind=message.kind,
        text=clean(message.text, 400),
        at=SentTime(now),
        episode=episode.id,
        source=clean(alert.source, 200),
        rule=clean(alert.rule, 200),
        model=clean(alert.model, 200),
        labels={clean(name, 100): clean(text, 200) for name, text in alert.labels.items()},
        severity=int(message.severity),
        condition=episode.condition,
        data=episode.data,
        value=_finite_or_none(episode.value),
        limit=_finite_or_none(episode.limit),
        why=clean(episode.why, 400),
        started_at=SentTime(episode.started_at),
        acknowledged_by=clean(ack.by, 100) if ack else None,
        acknowledged_until=SentTime(ack.expires_at) if ack else None,
        known_issues=[clean(pin.text, 200) for pin in active.known_issues[:5]],
        playbook=rule.playbook if rule else "",
        runbook=rule.runbook if rule else "",
        on_call=list(on_call),
    )
    return to_plain(payload)


def build_notification(number: str, rows: Sequence[OutboxRow]) -> Notification:
    """Make one notification of outbox rows that are sent together; `number` becomes its id."""
    alerts = sorted(
        (row.payload | {"text": row.payload.get("text", row.kind)} for row in rows),
        key=lambda alert: (alert.get("severity", Severity.LOW), alert.get("at", 0)),
    )
    first = rows[0]
    return Notification(
        number,
        first.channel,
        notification_class(first.kind),
        tuple(row.id for row in rows),
        tuple(dict.fromkeys(row.episode for row in rows if row.episode is not None)),
        tuple(alerts),
        min(row.created_at for row in rows),
    )


def notification_of_test(channel: str, who: str, now: int) -> Notification:
    """A notification that says that it is a test, and by whom; it belongs to no episode."""
    text = f"[TEST] nothing is wrong: {clean(who, 80)} tries the channel {channel} of watchdeck"
    payload = AlertPayload(
        kind=MessageKind.NOTICE,
        text=clean(text, 400),
        at=SentTime(now),
        episode=0,
        source="watchdeck",
        severity=int(Severity.LOW),
        condition=AlertState.OK,
        data=DataState.NONE,
        started_at=SentTime(now),
    )
    number = f"test/{channel}/{now}"
    return Notification(number, channel, NotificationClass.TEST, (), (), (to_plain(payload),), now)


def notification_of_outage(
    number: str, channel: str, problem: str, failing: Mapping[str, str], now: int
) -> Notification:
    """A notification, made without a store, that the store cannot be written; or that it can again.

    `problem` says why it cannot, and is empty at the end. `failing` are the models that do not
    answer meanwhile, each with the reason. `number` becomes its id.
    """
    lines = [f"{model} does not answer: {why}" for model, why in sorted(failing.items())]
    first = (
        f"watchdeck cannot write its store, so no other alert can be told: {problem}"
        if problem
        else "watchdeck writes its store again"
    )
    alerts = [
        to_plain(
            AlertPayload(
                kind=MessageKind.PAGE if problem else MessageKind.RESOLVED,
                text=clean(text, 400),
                at=SentTime(now),
                episode=0,
                source="watchdeck",
                rule="store-unwritten",
                severity=int(Severity.CRITICAL),
                condition=AlertState.FIRING if problem else AlertState.OK,
                data=DataState.FRESH,
                started_at=SentTime(now),
            )
        )
        for text in (first, *lines)
    ]
    kind = NotificationClass.CALL if problem else NotificationClass.RESOLVED
    return Notification(number, channel, kind, (), (), tuple(alerts), now)


def _finite_or_none(value: float | None) -> float | None:
    """The value; None for NaN and infinity, which JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None


def _counts_text(alerts: Sequence[Mapping[str, Any]]) -> str:
    """The count of models and rules: `12 models, 4 rules`."""
    counts = (
        (word, len(Counter(alert[word] for alert in alerts if word in alert)))
        for word in ("model", "rule")
    )
    return ", ".join(f"{count} {word}{'s' if count != 1 else ''}" for word, count in counts)
