"""What is to be told, and what came of it."""

from pathlib import Path

from msgspec.structs import replace

from store.alerts.made import MINUTE, end, fire
from store.alerts.waiting import read_next_due
from store.stores import NOW, state
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.store.alerts.outbox import (
    Backlog,
    cancel,
    enqueue,
    freeze_group,
    mark_failed,
    mark_given_up,
    mark_sent,
    prune,
    read_backlog,
    read_due,
    read_due_channels,
    read_episode_outbox,
    read_given_up,
    read_recent_groups,
)
from watchdeck.store.files.connection import Connection, transaction

PAGE = OutboxEntry("phone", "page", "episode/1", NOW, payload={"text": "slow"}, group="risk")


def write(db: Connection, *postings: OutboxEntry) -> int:
    with transaction(db):
        return enqueue(db, postings, NOW)


def test_the_same_key_twice_on_one_channel_is_told_once(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert write(db, PAGE, PAGE, replace(PAGE, channel="chat")) == 2
        assert write(db, PAGE) == 0
        assert [one.channel for one in read_due(db, NOW)] == ["phone", "chat"]


def test_a_row_is_due_when_its_time_has_come(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        write(db, replace(PAGE, not_before=NOW + 10_000))
        assert read_due(db, NOW) == ()
        assert read_backlog(db, NOW) == Backlog(0, None)
        assert read_next_due(db) == NOW + 10_000
        (row,) = read_due(db, NOW + 10_000)
        assert (row.payload, row.dedup_key, row.attempts) == ({"text": "slow"}, "episode/1", 0)
        assert read_backlog(db, NOW + 10_000) == Backlog(1, NOW)


def test_what_arrived_is_not_sent_again(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        write(db, PAGE)
        with transaction(db):
            mark_sent(db, [1], NOW + 5)
        assert read_due(db, NOW + MINUTE) == ()
        assert read_next_due(db) is None


def test_what_failed_is_tried_again_later_and_given_up_for_good(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        write(db, PAGE)
        with transaction(db):
            mark_failed(db, [1], NOW + MINUTE, "answered 503")
        assert read_due(db, NOW) == ()
        (row,) = read_due(db, NOW + MINUTE)
        assert (row.attempts, row.last_error) == (1, "answered 503")
        with transaction(db):
            mark_given_up(db, [1], NOW + 2 * MINUTE, "answered 503 for an hour")
        assert read_due(db, NOW + 60 * MINUTE) == ()
        (lost,) = read_given_up(db, NOW)
        assert (lost.attempts, lost.last_error) == (2, "answered 503 for an hour")


def test_what_was_not_sent_yet_can_be_taken_back(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        write(db, PAGE)
        with transaction(db):
            assert cancel(db, "episode/1", NOW) == 1
            assert cancel(db, "episode/1", NOW) == 0
        assert read_due(db, NOW) == ()


def test_what_is_told_by_being_written_never_waits(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        write(db, replace(PAGE, channel="console", episode=episode.id, is_delivered=True))
        assert read_due(db, NOW) == ()
        (row,) = read_episode_outbox(db, episode.id)
        assert row.sent_at == NOW


def test_recent_folds_are_those_written_of_late(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        write(db, PAGE, replace(PAGE, dedup_key="episode/2"), replace(PAGE, channel="c", group=""))
        assert read_recent_groups(db, NOW) == ("risk",)
        assert read_recent_groups(db, NOW + 1) == ()


def test_nothing_waits_to_be_folded_into_what_was_taken_back(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        write(db, PAGE)
        with transaction(db):
            assert cancel(db, "episode/1", NOW) == 1
        assert read_recent_groups(db, NOW) == ()


def test_a_sealed_message_takes_nothing_in_and_leaves_out_what_was_taken_back(
    tmp_path: Path,
) -> None:
    with state(tmp_path) as db:
        write(db, PAGE, replace(PAGE, dedup_key="episode/2"))
        with transaction(db):
            assert cancel(db, "episode/1", NOW) == 1
            assert freeze_group(db, [1, 2], "risk#1") == (2,)
        write(db, replace(PAGE, dedup_key="episode/3"))
        assert [(row.id, row.group) for row in read_due(db, NOW)] == [(2, "risk#1"), (3, "risk")]


def test_what_is_behind_something_not_due_in_its_lane_waits_with_it(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        number = fire(db).id
        page = replace(PAGE, episode=number, ordering_key="phone/1")
        write(db, page, replace(page, kind="resolved", dedup_key="episode/1/resolved"))
        with transaction(db):
            mark_failed(db, [1], NOW + MINUTE, "503")
        assert read_due(db, NOW) == ()
        assert {row.id for row in read_due(db, NOW + MINUTE)} == {1, 2}
        with transaction(db):
            mark_given_up(db, [1], NOW, "503")
        assert [row.id for row in read_due(db, NOW)] == [2]


def test_each_channel_tells_what_is_due_on_it(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        later = replace(PAGE, channel="mail", not_before=NOW + 1)
        write(db, PAGE, replace(PAGE, channel="chat"), later)
        assert read_due_channels(db, NOW) == ("chat", "phone")
        assert [row.channel for row in read_due(db, NOW, channel="chat")] == ["chat"]


def test_what_was_told_of_an_open_episode_is_kept_until_it_is_over(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        write(db, replace(PAGE, episode=episode.id))
        with transaction(db):
            mark_sent(db, [1], NOW)
            assert prune(db, NOW + 1) == 0
        end(db, episode, NOW)
        with transaction(db):
            assert prune(db, NOW + 1) == 1


def test_settled_rows_are_forgotten_and_waiting_ones_are_not(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        write(db, PAGE, replace(PAGE, dedup_key="episode/2"))
        with transaction(db):
            mark_sent(db, [1], NOW)
            assert prune(db, NOW) == 0
            assert prune(db, NOW + 1) == 1
        assert [row.dedup_key for row in read_due(db, NOW)] == ["episode/2"]
