"""Alerts and episodes made by hand."""

from __future__ import annotations

from msgspec.structs import replace

from store.stores import ANNA, NOW
from watchdeck.domain.alerts.alert import (
    OURS,
    Acknowledgement,
    Alert,
    AlertEvent,
    AlertState,
    EndReason,
    Episode,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import reopen
from watchdeck.domain.rules.rule import Severity
from watchdeck.store.alerts.episodes import add_transitions, alert_id, open_episode, save_episode
from watchdeck.store.files.connection import Connection, transaction

MINUTE = 60_000


def alert(rule: str = "slow", model: str = "fraud") -> Alert:
    return Alert(0, OURS, f"{rule}/{model}", rule, model, {"model": model, "owner": "risk"})


def fire(
    db: Connection,
    rule: str = "slow",
    model: str = "fraud",
    at: int = NOW,
    severity: Severity = Severity.HIGH,
) -> Episode:
    """An episode that fires at once, with its transition."""
    identity = alert(rule, model)
    with transaction(db):
        number = alert_id(db, identity)
        episode = open_episode(
            db,
            Episode(
                *(0, number, at, AlertState.FIRING, severity, severity),
                why="latency_p95 412 ms > 200 ms",
                value=0.412,
                fired_at=at,
            ),
        )
        add_transitions(db, [Transition(AlertEvent.FIRED, at, episode)], ANNA)
    return episode


def end(db: Connection, episode: Episode, at: int) -> Episode:
    """The same episode, resolved."""
    over = replace(
        episode, condition=AlertState.OK, ended_at=at, end_reason=EndReason.CLEARED, truth=False
    )
    with transaction(db):
        assert save_episode(db, over)
        add_transitions(db, [Transition(AlertEvent.RESOLVED, at, over)], ANNA)
    return replace(over, rev=over.rev + 1)


def fire_again(db: Connection, episode: Episode, at: int) -> Episode:
    """The same episode, reopened."""
    again = reopen(episode, at, 10_000)
    with transaction(db):
        assert save_episode(db, again)
        add_transitions(db, [Transition(AlertEvent.REOPENED, at, again)], ANNA)
    return replace(again, rev=again.rev + 1)


def ack(episode: Episode, by: str = "anna", at: int = NOW) -> Acknowledgement:
    return Acknowledgement(0, episode.id, by, at, at + 30 * MINUTE, episode.severity)
