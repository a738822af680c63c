"""What other systems said, as the store keeps it."""

from dataclasses import replace
from pathlib import Path

from domain.external.payloads import alert, posted, webhook
from store.stores import NOW, state
from watchdeck.domain.external.alertmanager import read_posted, read_webhook
from watchdeck.domain.external.event import ForeignEvent
from watchdeck.domain.external.source import ForeignSource, Way
from watchdeck.store.alerts.external_events import (
    KEPT,
    Waits,
    forget,
    is_news,
    judged,
    let_wait,
    own_name,
    read_standing,
    sender_alive_at,
    shift_heard,
    take,
    take_list,
    unjudged,
    wait_no_more,
    waiting,
)
from watchdeck.store.alerts.external_sources import (
    heard,
    lose,
    not_heard,
    register_sources,
    sources,
)
from watchdeck.store.files.connection import transaction

EU = ForeignSource("eu", Way.LIST, 30_000, expected=True, hold=60_000)
HOUR = 3_600_000


def events(*names: str, now: int = NOW) -> tuple[ForeignEvent, ...]:
    return read_webhook(webhook(*map(alert, names)), "eu", now).events


def test_what_is_said_twice_is_kept_once_and_heard_twice(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert take(db, "eu", events("a", "b"), NOW) == 2
        assert take(db, "eu", events("a", "b", now=NOW + 5), NOW + 5) == 0
        [first, _] = unjudged(db)
        last = read_standing(db, "eu", first.fingerprint)
        assert last is not None
        assert (last.rule, last.at) == ("a", NOW + 5)
        assert read_standing(db, "us", first.fingerprint) is None


def test_events_are_judged_once_and_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert not is_news(db)
        take(db, "eu", events("z", "a", now=NOW + 5), NOW + 5)
        take(db, "eu", events("m"), NOW)
        assert [event.rule for event in unjudged(db)] == ["m", "z", "a"]
        assert is_news(db)
        with transaction(db):
            judged(db, unjudged(db)[:2], NOW)
        assert [event.rule for event in unjudged(db)] == ["a"]


def test_what_was_judged_long_ago_is_forgotten_once_an_hour(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        take(db, "eu", events("a", "b"), NOW)
        with transaction(db):
            judged(db, unjudged(db)[:1], NOW)
            assert forget(db, NOW + KEPT) == 0
            assert forget(db, NOW + KEPT + HOUR - 1) == 0
            assert forget(db, NOW + KEPT + HOUR) == 1
        assert [event.rule for event in unjudged(db)] == ["b"]


def test_when_a_sender_was_surely_there_is_known(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert sender_alive_at(db, "prometheus", "http://prometheus:9090") is None
        said = read_posted(posted(alert(), alert("b")), "prometheus", NOW)
        take(db, "prometheus", said.events, NOW)
        assert sender_alive_at(db, "prometheus", "http://prometheus:9090") == NOW
        take(db, "eu", events("a"), NOW)
        assert sender_alive_at(db, "eu", "http://prometheus:9090") == NOW - 5 * 60_000


def test_a_list_of_a_source_that_started_anew_says_nothing_of_an_end(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        register_sources(db, (EU,), NOW)
        heard(db, "eu", NOW, 1)
        assert take_list(db, "eu", events("a"), NOW) == 1
        heard(db, "eu", NOW + 1, 2)
        assert take_list(db, "eu", (), NOW + 1) == 0
        assert take_list(db, "eu", (), NOW + 60_001) == 1
        assert take_list(db, "eu", (), NOW + 60_002) == 0


def test_sources_are_what_the_configuration_says_and_what_was_heard(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        register_sources(db, (EU, ForeignSource("old", Way.WEBHOOK)), NOW)
        heard(db, "eu", NOW + 5, 1)
        not_heard(db, "eu", "no answer in time")
        not_heard(db, "eu", "no answer in time")
        not_heard(db, "nobody", "x")
        eu, old = sources(db)
        assert (eu.heard_at, eu.started_at, eu.since) == (NOW + 5, 1, NOW)
        assert (eu.problem, old.problem) == ("no answer in time", "")
        register_sources(db, (replace(EU, silent_after=9),), NOW + 50)
        eu, old = sources(db)
        assert (eu.heard_at, eu.since, eu.silent_after) == (NOW + 5, NOW + 50, 9)
        assert (eu.retired, old.retired) == (False, True)


def test_a_lost_switch_is_remembered_while_it_is_wanted(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        guarded = replace(EU, deadman="Watchdog")
        register_sources(db, (guarded,), NOW)
        with transaction(db):
            lose(db, sources(db)[0], NOW)
            lose(db, sources(db)[0], NOW + 5)
        assert sources(db)[0].lost_at == NOW
        register_sources(db, (guarded,), NOW)
        assert sources(db)[0].lost_at == NOW
        register_sources(db, (EU,), NOW)
        assert sources(db)[0].lost_at is None


def test_resolves_wait_until_they_need_not(tmp_path: Path) -> None:
    with state(tmp_path) as db, transaction(db):
        [event] = events("a")
        let_wait(db, Waits.HELD, event)
        assert (waiting(db, Waits.HELD), waiting(db, Waits.EARLY)) == ((event,), ())
        wait_no_more(db, Waits.HELD, event)
        assert waiting(db, Waits.HELD) == ()


def test_a_store_has_one_name_for_good(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert [own_name(db, "c0ffee"), own_name(db, "0badcafe")] == ["c0ffee", "c0ffee"]


def test_a_jump_of_the_clock_makes_nobody_silent(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        register_sources(db, (EU,), NOW)
        take(db, "eu", events("a"), NOW)
        with transaction(db):
            shift_heard(db, HOUR, NOW + HOUR)
        [eu] = sources(db)
        assert eu.silence(NOW + HOUR + 1, []) == 0
        last = read_standing(db, "eu", unjudged(db)[0].fingerprint)
        assert last is not None
        assert last.at == NOW + HOUR
        with transaction(db):
            shift_heard(db, -HOUR, NOW)
        assert sources(db) == (replace(eu, heard_at=NOW, since=NOW, held_until=0),)
