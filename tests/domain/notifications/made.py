"""Alerts and messages made by hand, for those who tell others of them."""

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    OURS,
    Acknowledgement,
    ActiveAlert,
    Alert,
    AlertState,
    Episode,
)
from watchdeck.domain.notifications.message import Message, MessageKind
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.receivers import Channel

NOW = 1_795_410_000_000
"""2026-11-23 05:00:00 UTC, a Monday."""

MINUTE = 60_000
HIGH = Severity.HIGH


def raised(
    number: int = 1, model: str = "fraud", rule: str = "slow", severity: Severity = HIGH
) -> ActiveAlert:
    """An alert that has been firing since now, of which somebody was told."""
    labels = {"model": model, "owner": "risk"}
    episode = Episode(
        *(number, number, NOW, AlertState.FIRING, severity, severity),
        value=0.412,
        limit=0.2,
        why="latency_p95 412 ms > 200 ms for 5m",
        fired_at=NOW,
        paged_at=NOW,
    )
    return ActiveAlert(Alert(number, OURS, f"{rule}/{model}", rule, model, labels), episode)


def taken(alert: ActiveAlert, by: str = "anna") -> ActiveAlert:
    """The same alert, acknowledged by somebody."""
    ack = Acknowledgement(1, alert.episode.id, by, NOW, NOW + 30 * MINUTE, alert.episode.severity)
    return replace(alert, acknowledgement=ack)


def message(
    alert: ActiveAlert, kind: MessageKind = MessageKind.PAGE, people: tuple[str, ...] = ()
) -> Message:
    """What is told of an alert."""
    episode = alert.episode
    text = f"{alert.alert.model}: {episode.why}"
    return Message(
        kind, episode.id, episode.severity, f"watchdeck/{episode.id}/{kind}", text, people
    )


def hook(name: str, person: str | None = None, kinds: tuple[str, ...] = ()) -> Channel:
    """A webhook that nobody answers."""
    return Channel(name, "webhook", url="http://127.0.0.1:1", person=person, kinds=kinds)
