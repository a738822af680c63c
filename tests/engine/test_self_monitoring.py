"""What would make all other alerts late, lost or blind is an alert of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from store.stores import NOW, beat
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.engine.engine import Engine
from watchdeck.engine.self_monitoring import CHECK_INTERVAL, LOST_FOR
from watchdeck.store.alerts.episodes import read_ended_episodes, read_open_episodes
from watchdeck.store.alerts.outbox import enqueue, mark_given_up, mark_sent, read_due
from watchdeck.store.files.connection import Connection, open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.latest import save_heartbeat
from watchdeck.store.migrations import prepare
from watchdeck.store.state.rules import read_rules

MINUTE = 60_000


class Ward:
    """A store, its engine, and what the collector says of itself."""

    def __init__(self, metrics: Connection, state: Connection, engine: Engine) -> None:
        self.metrics, self.state, self.engine = metrics, state, engine

    def look(
        self, now: int, said: CollectorStatus | None = None, blind: str = ""
    ) -> dict[str, str]:
        """What fires of ourselves at a moment, with its words."""
        with transaction(self.metrics):
            save_heartbeat(self.metrics, said or beat(now))
        self.engine.evaluate(now, blind)
        return {alert.rule: episode.why for episode, alert in read_open_episodes(self.state)}


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    with (
        closing(open_writable(directory.metrics)) as metrics,
        closing(open_writable(directory.state)) as state,
        closing(open_readonly(directory.metrics)) as reading,
    ):
        yield Ward(metrics, state, Engine(reading, state))


def test_a_collector_that_is_well_is_no_alert(ward: Ward) -> None:
    assert [ward.look(NOW + CHECK_INTERVAL * step) for step in range(3)] == [{}, {}, {}]


def test_scrapes_that_begin_late_for_a_minute_are_told(ward: Ward) -> None:
    for step in range(7):
        now = NOW + CHECK_INTERVAL * step
        told = ward.look(now, replace(beat(now), lag=8.0))
    assert told == {"collector-late": "scrapes begin 8s late"}


def test_a_store_that_takes_nothing_is_told_as_it_says_why(ward: Ward) -> None:
    full = replace(beat(NOW), storing="the disk is full")
    assert ward.look(NOW, full) == {"store-unwritten": "the disk is full"}
    later = NOW + 4 * CHECK_INTERVAL
    assert ward.look(later, beat(NOW)) == {"store-unwritten": "nothing was stored for 40s"}


def test_a_collector_that_starts_is_not_held_to_what_its_predecessor_said(ward: Ward) -> None:
    old = replace(beat(NOW - 3_600_000), storing="the disk is full", lag=9.0)
    assert ward.look(NOW, old) == {}
    assert ward.look(NOW + CHECK_INTERVAL) == {}


def test_a_clock_that_is_set_makes_nothing_old(ward: Ward) -> None:
    ward.look(NOW)
    ward.engine.apply_clock_jump(3_600_000, NOW + 3_600_000)
    assert ward.look(NOW + 3_600_000 + CHECK_INTERVAL, beat(NOW)) == {}


def test_a_blind_collector_is_one_alert(ward: Ward) -> None:
    for step in range(7):
        told = ward.look(NOW + CHECK_INTERVAL * step, blind="none of 9 endpoints can be reached")
    assert told == {"collector-blind": "none of 9 endpoints can be reached"}


def test_messages_that_wait_and_that_were_given_up_are_told_and_are_over(ward: Ward) -> None:
    with transaction(ward.state):
        enqueue(ward.state, [OutboxEntry("phone", "page", "one", NOW)], NOW)
    assert ward.look(NOW) == {}
    told = ward.look(NOW + 6 * MINUTE)
    assert told == {"messages-wait": "1 messages wait, the oldest for 6m"}
    with transaction(ward.state):
        [row] = read_due(ward.state, NOW + 6 * MINUTE, channel="phone")
        mark_given_up(ward.state, [row.id], NOW + 7 * MINUTE, "404 Not Found")
    told = ward.look(NOW + 8 * MINUTE)
    assert told["messages-lost"] == "messages to phone were given up: 404 Not Found"
    with transaction(ward.state):
        waiting = read_due(ward.state, NOW + 9 * MINUTE)
        mark_sent(ward.state, [row.id for row in waiting], NOW + 9 * MINUTE)
    for step in range(5):
        told = ward.look(NOW + 8 * MINUTE + LOST_FOR + CHECK_INTERVAL * step)
    assert told == {}
    rules = {alert.rule for _, alert in read_ended_episodes(ward.state, NOW)}
    assert rules == {"messages-wait", "messages-lost"}


def test_readers_find_the_rules_about_ourselves_among_all_others(ward: Ward) -> None:
    ward.engine.publish(NOW)
    assert {"collector-late", "messages-lost"} < read_rules(ward.state).keys()


def test_a_loop_that_fails_again_and_again_is_told(ward: Ward) -> None:
    said = "the poll of eu failed with KeyError at alertmanager.py:7 (3 so far)"
    assert ward.look(NOW, replace(beat(NOW), faults=said)) == {"collector-faults": said}
