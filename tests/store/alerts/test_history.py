"""All that is known of one episode."""

from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from store.alerts.made import MINUTE, ack, end, fire
from store.stores import NOW, state, whole
from watchdeck.domain.alerts.alert import AlertEvent, Feedback
from watchdeck.domain.alerts.maintenance import Maintenance, Recurrence
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.domain.rules.rule import FailedScrapes, Limit, Rule, Severity, Threshold
from watchdeck.domain.values.matcher import read_matcher
from watchdeck.store.alerts.acknowledgements import add_note, save_acknowledgement, save_feedback
from watchdeck.store.alerts.outbox import enqueue
from watchdeck.store.files.connection import open_writable, transaction
from watchdeck.store.reader import Reader
from watchdeck.store.state.rules import read_maintenance, read_rules, save_maintenance, save_rules

RISK = (read_matcher("owner=risk"), read_matcher("model!~night-.*"))
SLOW = Rule(
    "slow", "latency_p95 > 200ms for 5m", Threshold("latency_p95", above=True, limit=Limit(0.2))
)


def test_a_story_tells_what_was_known_at_its_moment(tmp_path: Path) -> None:
    directory = whole(tmp_path)
    with closing(open_writable(directory.state)) as db:
        earlier = end(db, fire(db), NOW + MINUTE)
        episode = fire(db, at=NOW + 20 * MINUTE)
        with transaction(db):
            add_note(db, earlier.id, "anna", "the cache was cold", NOW + MINUTE)
            save_feedback(db, earlier.id, Feedback.USEFUL, "anna", NOW + MINUTE)
            save_rules(db, [SLOW], NOW)
            save_acknowledgement(db, ack(episode, at=NOW + 21 * MINUTE))
            add_note(db, episode.id, "anna", "rolled back", NOW + 22 * MINUTE)
            told = OutboxEntry("phone", "page", "episode/2", NOW, episode=episode.id)
            enqueue(db, [told], NOW + 20 * MINUTE)
        end(db, episode, NOW + 25 * MINUTE)
    with closing(Reader(directory)) as reader:
        then = reader.alert_history(episode.id, NOW + 21 * MINUTE)
        later = reader.alert_history(episode.id, NOW + 30 * MINUTE)
        assert reader.alert_history(99, NOW) is None
    assert then is not None
    assert later is not None
    assert [step.verb for step in then.transitions] == [AlertEvent.FIRED]
    assert [step.verb for step in later.transitions] == [AlertEvent.FIRED, AlertEvent.RESOLVED]
    assert ([one.by for one in then.acknowledgements], then.notes) == (["anna"], ())
    assert [note.text for note in later.notes] == ["rolled back"]
    assert [note.text for note in then.past_notes] == ["the cache was cold"]
    assert [one.id for one in then.past] == [earlier.id]
    assert then.feedback == {earlier.id: Feedback.USEFUL}
    assert [row.channel for row in then.outbox_rows] == ["phone"]
    assert then.rule["when"] == SLOW.when
    assert then.rule["tells_of_trouble"] is False


def test_rules_that_are_no_longer_in_force_are_retired_and_may_come_back(tmp_path: Path) -> None:
    full = replace(SLOW, name="full", when="saturation > 90%", match=(read_matcher("tier!=3"),))
    with state(tmp_path) as db, transaction(db):
        save_rules(db, [SLOW, full], NOW)
        assert read_rules(db)["full"]["match"] == ["tier!=3"]
        save_rules(db, [SLOW], NOW + 1)
        assert list(read_rules(db)) == ["slow"]
        save_rules(db, [replace(full, severity=Severity.LOW, test=FailedScrapes())], NOW + 2)
        found = read_rules(db)
    assert list(found) == ["full"]
    assert (found["full"]["severity"], found["full"]["tells_of_trouble"]) == (4, True)


def test_planned_work_is_read_as_it_was_written(tmp_path: Path) -> None:
    works = (
        Maintenance("deploys", RISK, "a deploy", 1, 2, zone="Europe/Berlin"),
        Maintenance("nightly", RISK, recurrence=Recurrence(60, 7_200_000, (0, 6), (1, -1))),
    )
    with state(tmp_path) as db, transaction(db):
        save_maintenance(db, works, NOW)
        assert read_maintenance(db) == works
        save_maintenance(db, works[1:], NOW)
        assert read_maintenance(db) == works[1:]
