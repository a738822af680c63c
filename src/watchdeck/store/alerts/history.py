"""The story of one episode, as a person asks for it: once, in one look at the file."""

from __future__ import annotations

from sqlite3 import Connection

from watchdeck.domain.board.alert_detail import AlertHistory
from watchdeck.store.alerts.acknowledgements import (
    read_acknowledgements_of,
    read_notes,
    read_opinions,
)
from watchdeck.store.alerts.episodes import read_episode, read_episodes, read_transitions
from watchdeck.store.alerts.outbox import read_posted
from watchdeck.store.state.rules import read_rules

_NOTED = 5
"""Earlier episodes whose notes are read."""


def read_alert_history(db: Connection, number: int, at: int) -> AlertHistory | None:
    """What was known of an episode at `at` (ms UTC); None when there is none of that number."""
    found = read_episode(db, number)
    if found is None:
        return None
    episode, alert = found
    past = tuple(
        one for one in read_episodes(db, alert.id, at) if one.started_at < episode.started_at
    )
    noted = (note for one in past[:_NOTED] for note in read_notes(db, one.id))
    first = past[-1].started_at if past else episode.started_at
    acks, notes, told = (
        read_acknowledgements_of(db, number),
        read_notes(db, number),
        read_posted(db, number),
    )
    return AlertHistory(
        episode,
        alert,
        steps=read_transitions(db, episode, at),
        acknowledgements=tuple(ack for ack in acks if ack.at <= at),
        notes=tuple(note for note in notes if note.at <= at),
        past=past,
        past_notes=tuple(note for note in noted if note.at <= at),
        opinions=read_opinions(db, first),
        told=tuple(row for row in told if row.created_at <= at),
        rule=read_rules(db).get(alert.rule, {}),
    )
