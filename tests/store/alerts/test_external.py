"""What other systems said, as the store keeps it."""

from pathlib import Path

from msgspec.structs import replace

from domain.external.payloads import alert, posted, webhook
from store.stores import NOW, state
from watchdeck.domain.external.alertmanager import read_post, read_webhook
from watchdeck.domain.external.event import ExternalEvent
from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.store.alerts.external import (
    EVENT_RETENTION,
    PendingResolve,
    append_events,
    defer_resolve,
    delete_old_events,
    drop_deferred,
    ensure_store_name,
    has_pending_events,
    mark_lost,
    mark_processed,
    mark_reachable,
    mark_unreachable,
    pending_events,
    read_deferred,
    read_remote_state,
    read_sources,
    register_sources,
    replace_list,
    sender_alive_at,
    shift_external_times,
)
from watchdeck.store.files.connection import transaction

EU = ExternalSource("eu", SourceProtocol.LIST, 30_000, expected=True, hold=60_000)
HOUR = 3_600_000


def events(*names: str, now: int = NOW) -> tuple[ExternalEvent, ...]:
    return read_webhook(webhook(*map(alert, names)), "eu", now).events


def test_what_is_said_twice_is_kept_once_and_heard_twice(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert append_events(db, "eu", events("a", "b"), NOW) == 2
        assert append_events(db, "eu", events("a", "b", now=NOW + 5), NOW + 5) == 0
        [first, _] = pending_events(db)
        last = read_remote_state(db, "eu", first.fingerprint)
        assert last is not None
        assert (last.rule, last.at) == ("a", NOW + 5)
        assert read_remote_state(db, "us", first.fingerprint) is None


def test_events_are_judged_once_and_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert not has_pending_events(db)
        append_events(db, "eu", events("z", "a", now=NOW + 5), NOW + 5)
        append_events(db, "eu", events("m"), NOW)
        assert [event.rule for event in pending_events(db)] == ["m", "z", "a"]
        assert has_pending_events(db)
        with transaction(db):
            mark_processed(db, pending_events(db)[:2], NOW)
        assert [event.rule for event in pending_events(db)] == ["a"]


def test_what_was_judged_long_ago_is_forgotten_once_an_hour(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        append_events(db, "eu", events("a", "b"), NOW)
        with transaction(db):
            mark_processed(db, pending_events(db)[:1], NOW)
            assert delete_old_events(db, NOW + EVENT_RETENTION) == 0
            assert delete_old_events(db, NOW + EVENT_RETENTION + HOUR - 1) == 0
            assert delete_old_events(db, NOW + EVENT_RETENTION + HOUR) == 1
        assert [event.rule for event in pending_events(db)] == ["b"]


def test_when_a_sender_was_surely_there_is_known(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert sender_alive_at(db, "prometheus", "http://prometheus:9090") is None
        said = read_post(posted(alert(), alert("b")), "prometheus", NOW)
        append_events(db, "prometheus", said.events, NOW)
        assert sender_alive_at(db, "prometheus", "http://prometheus:9090") == NOW
        append_events(db, "eu", events("a"), NOW)
        assert sender_alive_at(db, "eu", "http://prometheus:9090") == NOW - 5 * 60_000


def test_a_list_of_a_source_that_started_anew_says_nothing_of_an_end(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        register_sources(db, (EU,), NOW)
        mark_reachable(db, "eu", NOW, 1)
        assert replace_list(db, "eu", events("a"), NOW) == 1
        mark_reachable(db, "eu", NOW + 1, 2)
        assert replace_list(db, "eu", (), NOW + 1) == 0
        assert replace_list(db, "eu", (), NOW + 60_001) == 1
        assert replace_list(db, "eu", (), NOW + 60_002) == 0


def test_sources_are_what_the_configuration_says_and_what_was_heard(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        register_sources(db, (EU, ExternalSource("old", SourceProtocol.WEBHOOK)), NOW)
        mark_reachable(db, "eu", NOW + 5, 1)
        mark_unreachable(db, "eu", "no answer in time")
        mark_unreachable(db, "eu", "no answer in time")
        mark_unreachable(db, "nobody", "x")
        eu, old = read_sources(db)
        assert (eu.heard_at, eu.started_at, eu.since) == (NOW + 5, 1, NOW)
        assert (eu.problem, old.problem) == ("no answer in time", "")
        register_sources(db, (replace(EU, silent_after=9),), NOW + 50)
        eu, old = read_sources(db)
        assert (eu.heard_at, eu.since, eu.silent_after) == (NOW + 5, NOW + 50, 9)
        assert (eu.retired, old.retired) == (False, True)


def test_a_lost_switch_is_remembered_while_it_is_wanted(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        guarded = replace(EU, deadman="Watchdog")
        register_sources(db, (guarded,), NOW)
        with transaction(db):
            mark_lost(db, read_sources(db)[0], NOW)
            mark_lost(db, read_sources(db)[0], NOW + 5)
        assert read_sources(db)[0].lost_at == NOW
        register_sources(db, (guarded,), NOW)
        assert read_sources(db)[0].lost_at == NOW
        register_sources(db, (EU,), NOW)
        assert read_sources(db)[0].lost_at is None


def test_resolves_wait_until_they_need_not(tmp_path: Path) -> None:
    with state(tmp_path) as db, transaction(db):
        [event] = events("a")
        defer_resolve(db, PendingResolve.HELD, event)
        assert (
            read_deferred(db, PendingResolve.HELD),
            read_deferred(db, PendingResolve.EARLY),
        ) == (
            (event,),
            (),
        )
        drop_deferred(db, PendingResolve.HELD, event)
        assert read_deferred(db, PendingResolve.HELD) == ()


def test_a_store_has_one_name_for_good(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert [ensure_store_name(db, "c0ffee"), ensure_store_name(db, "0badcafe")] == [
            "c0ffee",
            "c0ffee",
        ]


def test_a_jump_of_the_clock_makes_nobody_silent(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        register_sources(db, (EU,), NOW)
        append_events(db, "eu", events("a"), NOW)
        with transaction(db):
            shift_external_times(db, HOUR, NOW + HOUR)
        [eu] = read_sources(db)
        assert eu.silent_for(NOW + HOUR + 1, []) == 0
        last = read_remote_state(db, "eu", pending_events(db)[0].fingerprint)
        assert last is not None
        assert last.at == NOW + HOUR
        with transaction(db):
            shift_external_times(db, -HOUR, NOW)
        assert read_sources(db) == (replace(eu, heard_at=NOW, since=NOW, held_until=0),)
