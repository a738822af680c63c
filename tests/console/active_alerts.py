"""Alerts made by hand, for the console's tests."""

from __future__ import annotations

from msgspec.structs import replace

from console.boards import NOW
from watchdeck.domain.alerts.alert import (
    Acknowledgement,
    ActiveAlert,
    Alert,
    AlertEvent,
    AlertState,
    DataState,
    EndReason,
    Episode,
    Feedback,
    KnownIssue,
    Mute,
    MuteKind,
    Note,
    Transition,
)
from watchdeck.domain.board.board import AlertHistory, Board, Change
from watchdeck.domain.rules.rule import Severity

MINUTE = 60_000


def raised(
    number: int,
    rule: str = "latency-slow",
    model: str = "fraud-detector",
    severity: Severity = Severity.HIGH,
    **changes: object,
) -> ActiveAlert:
    """An alert that has been firing for as many minutes as its number says."""
    at = NOW - number * MINUTE
    alert = Alert(number, "watchdeck", f"{rule}/{model}", rule, model, {"model": model})
    episode = Episode(
        *(number, number, at, AlertState.FIRING, severity, severity),
        why="latency_p95 412 ms > 200 ms for 5m",
        value=0.412,
        fired_at=at,
    )
    return ActiveAlert(alert, replace(episode, **changes), hours=(0.0,) * 22 + (0.5, 1.0))


def owned(one: ActiveAlert, owner: str) -> ActiveAlert:
    return replace(one, alert=replace(one.alert, labels=one.alert.labels | {"owner": owner}))


def taken(one: ActiveAlert, by: str = "anna", minutes: int = 25) -> ActiveAlert:
    number, severity = one.episode.id, one.episode.severity
    ack = Acknowledgement(1, number, by, NOW - MINUTE, NOW + minutes * MINUTE, severity)
    return replace(one, acknowledgement=ack)


def alerts() -> tuple[ActiveAlert, ...]:
    """One alert of every word, and three of one owner."""
    return (
        raised(12),
        taken(raised(30, "error-ratio", "support-chat", Severity.CRITICAL)),
        raised(4, "probes-fail", "search-ranker", Severity.CRITICAL, data=DataState.NONE),
        raised(7, "queue-deep", "image-tagger", Severity.MEDIUM, flapping=True),
        replace(
            raised(9, "gpu-memory", "gpu-node", Severity.MEDIUM),
            mutes=(Mute(MuteKind.SILENCE, "3", NOW + 60 * MINUTE),),
        ),
        raised(3, "tls-expires", "churn-score", Severity.LOW, condition=AlertState.PENDING),
        raised(
            50,
            "saturated",
            "churn-score",
            Severity.MEDIUM,
            condition=AlertState.OK,
            ended_at=NOW - 2 * MINUTE,
            end_reason=EndReason.CLEARED,
        ),
        *(
            owned(raised(20 + place, "model-down", name, Severity.HIGH), "risk")
            for place, name in enumerate(("risk-a", "risk-b", "risk-c"))
        ),
    )


def alerted(board: Board) -> Board:
    """The same board with all of them."""
    return replace(board, alerts=alerts())


def story() -> AlertHistory:
    """The story of the first alert."""
    one = taken(raised(12))
    fired, episode = NOW - 12 * MINUTE, one.episode
    earlier = replace(
        episode,
        id=2,
        started_at=NOW - 600 * MINUTE,
        ended_at=NOW - 580 * MINUTE,
        condition=AlertState.OK,
    )
    return AlertHistory(
        episode,
        one.alert,
        transitions=(
            Transition(AlertEvent.PENDING, fired - 5 * MINUTE, episode, episode.why),
            Transition(AlertEvent.FIRED, fired, episode, episode.why),
        ),
        acknowledgements=(one.acknowledgement,) if one.acknowledgement else (),
        notes=(Note(1, 12, NOW - MINUTE // 2, "anna", "rolled back to 2.0"),),
        past=(earlier,),
        past_notes=(Note(2, 2, NOW - 580 * MINUTE, "boris", "the cache was cold"),),
        feedback={2: Feedback.USEFUL},
        rule={"when": "latency_p95 > slo for 5m", "runbook": "https://wiki.internal/latency"},
    )


def deploy() -> Change:
    """What was done to the first alert's model before it fired."""
    at = NOW - 20 * MINUTE
    return Change(1, "fraud-detector", at, "deploy", "version 2.0 → 2.1", "collector")


def pinned(one: ActiveAlert) -> ActiveAlert:
    pin = KnownIssue(1, one.alert.model, "", "the vendor is told", "anna", NOW, NOW + 60 * MINUTE)
    return replace(one, known_issues=(pin,))
