"""Letters: what is told to somebody outside, made from one or many rows of the outbox.

What a row keeps is written by `contents` and read by `letter_of`, and nowhere else.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.notifications.message import Message
from watchdeck.domain.notifications.outbox import OutboxRow
from watchdeck.domain.rules.rule import Rule
from watchdeck.domain.values.severity import Severity
from watchdeck.domain.values.text import clean

MOST = 100
"""Alerts that one letter tells of; of the rest it tells the number."""


class NotificationClass(StrEnum):
    """What a letter asks of who gets it; only messages of one class fold into one letter."""

    CALL = "call"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"


def class_of(kind: str) -> NotificationClass:
    """The class of a kind of message: all that is not about its end or its owner is a call."""
    return NotificationClass(kind) if kind in tuple(NotificationClass) else NotificationClass.CALL


class Notification(Struct, frozen=True):
    """One message to one channel; `id` is the same however often it is sent.

    `rows` are the numbers of its rows, `alerts` what they tell, the worst and oldest first.
    """

    id: str
    channel: str
    kind: NotificationClass
    rows: tuple[int, ...]
    episodes: tuple[int, ...]
    alerts: tuple[Mapping[str, Any], ...]
    at: int

    @property
    def severity(self) -> Severity:
        """The worst of its alerts."""
        return Severity(min(alert.get("severity", Severity.LOW) for alert in self.alerts))

    @property
    def title(self) -> str:
        """One line for all of it."""
        first = self.alerts[0]
        one = f"[{self.severity.name}] {first['text']}"
        more = len(self.alerts) - 1
        return f"{one} (and {more} more: {_shared(self.alerts)})" if more else one

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each alert, and one for those that are too many."""
        lines = [alert["text"] for alert in self.alerts[:MOST]]
        more = len(self.alerts) - MOST
        return (*lines, f"and {more} more") if more > 0 else tuple(lines)


def to_payload(
    message: Message, raised: ActiveAlert, rule: Rule | None, now: int, on_call: Sequence[str]
) -> dict[str, Any]:
    """What a row of the outbox keeps of an alert: plain values, cleaned, without any secret."""
    alert, episode, ack = raised.alert, raised.episode, raised.acknowledgement
    kept = {
        "kind": str(message.kind),
        "text": clean(message.text, 400),
        "at": now,
        "episode": episode.id,
        "source": clean(alert.source, 200),
        "rule": clean(alert.rule, 200),
        "model": clean(alert.model, 200),
        "labels": {clean(name, 100): clean(text, 200) for name, text in alert.labels.items()},
        "severity": int(message.severity),
        "condition": episode.condition.value,
        "data": episode.data.value,
        "value": _finite(episode.value),
        "limit": _finite(episode.limit),
        "why": clean(episode.why, 400),
        "started_at": episode.started_at,
        "acknowledged_by": clean(ack.by, 100) if ack else None,
        "acknowledged_until": ack.expires_at if ack else None,
        "known_issues": [clean(pin.text, 200) for pin in raised.pins[:5]],
        "playbook": rule.playbook if rule else "",
        "runbook": rule.runbook if rule else "",
        "on_call": list(on_call),
    }
    return {name: value for name, value in kept.items() if value not in (None, "", [], {})}


def build_notification(number: str, rows: Sequence[OutboxRow]) -> Notification:
    """The letter that rows make together, under a number of its own."""
    alerts = sorted(
        (row.payload | {"text": row.payload.get("text", row.kind)} for row in rows),
        key=lambda told: (told.get("severity", Severity.LOW), told.get("at", 0)),
    )
    first = rows[0]
    return Notification(
        number,
        first.channel,
        class_of(first.kind),
        tuple(row.id for row in rows),
        tuple(dict.fromkeys(row.episode for row in rows if row.episode is not None)),
        tuple(alerts),
        min(row.created_at for row in rows),
    )


def _finite(value: float | None) -> float | None:
    """The value, unless JSON has no word for it."""
    return value if value is not None and math.isfinite(value) else None


def _shared(alerts: Sequence[Mapping[str, Any]]) -> str:
    """What alerts are about: `12 models, 4 rules`."""
    counts = (
        (word, len(Counter(alert[word] for alert in alerts if word in alert)))
        for word in ("model", "rule")
    )
    return ", ".join(f"{count} {word}{'s' if count != 1 else ''}" for word, count in counts)
