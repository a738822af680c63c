"""Alerts, their episodes, and every step between."""

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from store.alerts.made import MINUTE, alert, end, fire
from store.stores import NOW, state
from watchdeck.domain.alerts.alert import AlertEvent, AlertState, DataState, EndReason
from watchdeck.store.alerts.episodes import (
    alert_id,
    open_episode,
    read_ended_episodes,
    read_episode,
    read_episodes,
    read_open_episodes,
    read_transitions,
    save_episode,
)
from watchdeck.store.files.connection import transaction
from watchdeck.store.state.audit import verify


def test_an_alert_keeps_its_number_however_often_it_is_seen(tmp_path: Path) -> None:
    with state(tmp_path) as db, transaction(db):
        first = alert_id(db, alert())
        assert alert_id(db, replace(alert(), labels={"owner": "growth"})) == first
        assert alert_id(db, alert(model="churn")) != first


def test_an_episode_is_read_as_it_was_written(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        found = read_episode(db, episode.id)
        assert found is not None
        assert found[0] == episode
        assert found[1].model == "fraud"
        assert read_open_episodes(db) == (found,)
        assert read_episode(db, 99) is None


def test_an_alert_has_at_most_one_open_episode(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        with pytest.raises(sqlite3.IntegrityError), transaction(db):
            open_episode(db, episode)


def test_an_episode_that_somebody_else_changed_is_not_saved(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        with transaction(db):
            assert save_episode(db, replace(episode, data=DataState.NONE))
            assert not save_episode(db, replace(episode, condition=AlertState.OK))
        ((kept, _),) = read_open_episodes(db)
        assert (kept.data, kept.condition, kept.rev) == (DataState.NONE, AlertState.FIRING, 2)


def test_an_ended_episode_is_no_longer_open_and_makes_room_for_the_next(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        over = end(db, fire(db), NOW + MINUTE)
        assert read_open_episodes(db) == ()
        assert [one.id for one, _ in read_ended_episodes(db, NOW + MINUTE)] == [over.id]
        assert read_ended_episodes(db, NOW + MINUTE + 1) == ()
        again = fire(db, at=NOW + 20 * MINUTE)
        assert [one.id for one in read_episodes(db, again.alert, NOW + 30 * MINUTE)] == [
            again.id,
            over.id,
        ]
        assert [one.id for one in read_episodes(db, again.alert, NOW)] == [over.id]


def test_every_transition_is_in_the_history_and_in_the_audit(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        over = end(db, fire(db), NOW + MINUTE)
        steps = read_transitions(db, over, NOW + MINUTE)
        assert [step.verb for step in steps] == [AlertEvent.FIRED, AlertEvent.RESOLVED]
        assert [step.episode.condition for step in steps] == [AlertState.FIRING, AlertState.OK]
        assert steps[0].episode.ended_at is None
        assert steps[1].episode.end_reason is EndReason.CLEARED
        assert len(read_transitions(db, over, NOW)) == 1
        subjects = db.execute("select action, subject from audit order by number").fetchall()
        assert subjects == [
            ("alert.fired", "episode 1: slow of fraud"),
            ("alert.resolved", "episode 1: slow of fraud"),
        ]
        assert verify(db).first_bad is None
