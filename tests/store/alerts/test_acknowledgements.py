"""Who has which alert, what is silent, what was written and thought."""

from pathlib import Path

from msgspec.structs import replace

from store.alerts.made import MINUTE, ack, end, fire
from store.stores import NOW, state
from watchdeck.domain.alerts.alert import AckEnd, Feedback, KnownIssue
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.values.matcher import read_matcher
from watchdeck.store.alerts.acknowledgements import (
    add_note,
    count_notes,
    delete_feedback,
    delete_note,
    end_acknowledgement,
    end_known_issue,
    end_silence,
    read_acknowledgements,
    read_episode_acknowledgements,
    read_feedback,
    read_known_issues,
    read_notes,
    read_silence,
    read_silences,
    save_acknowledgement,
    save_feedback,
    save_known_issue,
    save_silence,
)
from watchdeck.store.files.connection import transaction


def test_of_two_people_one_gets_the_episode(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        with transaction(db):
            taken = save_acknowledgement(db, ack(episode))
            assert save_acknowledgement(db, ack(episode, "boris")) is None
        assert taken is not None
        assert read_acknowledgements(db) == {episode.id: taken}


def test_what_is_over_cannot_be_acknowledged(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        over = end(db, fire(db), NOW + MINUTE)
        with transaction(db):
            assert save_acknowledgement(db, ack(over)) is None


def test_an_acknowledgement_ends_once_and_is_remembered(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        with transaction(db):
            taken = save_acknowledgement(db, ack(episode))
            assert taken is not None
            assert end_acknowledgement(db, taken, NOW + MINUTE, AckEnd.UNACKED)
            assert not end_acknowledgement(db, taken, NOW + MINUTE, AckEnd.EXPIRED)
            again = save_acknowledgement(db, ack(episode, "boris", NOW + MINUTE))
        assert again is not None
        assert [one.by for one in read_episode_acknowledgements(db, episode.id)] == [
            "anna",
            "boris",
        ]
        assert read_acknowledgements(db, NOW)[episode.id].by == "anna"
        assert read_acknowledgements(db, NOW + MINUTE)[episode.id].by == "boris"
        assert read_acknowledgements(db, NOW - 1) == {}


def test_notes_are_counted_where_they_are_shown(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        with transaction(db):
            first = add_note(db, episode.id, "anna", "rolled back", NOW)
            add_note(db, episode.id, "boris", "better", NOW + MINUTE)
        assert [note.text for note in read_notes(db, episode.id)] == ["rolled back", "better"]
        assert count_notes(db, NOW, NOW) == {episode.id: 1}
        with transaction(db):
            assert delete_note(db, first)
            assert not delete_note(db, first)


def test_a_silence_is_in_force_until_it_ends_or_is_ended(tmp_path: Path) -> None:
    silence = Silence(
        *(0, (read_matcher("owner=risk"), read_matcher("model!~fraud-.*")), "anna", "a deploy"),
        starts_at=NOW,
        ends_at=NOW + 60 * MINUTE,
    )
    with state(tmp_path) as db:
        with transaction(db):
            kept = save_silence(db, silence)
        assert read_silences(db, NOW) == (kept,)
        assert kept == replace(silence, id=1)
        assert read_silences(db, NOW + 60 * MINUTE) == ()
        with transaction(db):
            assert end_silence(db, kept, NOW + MINUTE)
            assert not end_silence(db, kept, NOW + MINUTE)
        assert read_silences(db, NOW + MINUTE) == ()
        assert len(read_silences(db, NOW)) == 1
        ended = read_silence(db, 1)
        assert ended is not None
        assert ended.ended_at == NOW + MINUTE
        assert read_silence(db, 2) is None


def test_a_known_issue_is_shown_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    pin = KnownIssue(0, "fraud", "", "the vendor is told", "anna", NOW, NOW + 60 * MINUTE)
    with state(tmp_path) as db:
        with transaction(db):
            kept = save_known_issue(db, pin)
        assert read_known_issues(db, NOW) == (kept,)
        assert read_known_issues(db, NOW - 1) == read_known_issues(db, NOW + 60 * MINUTE) == ()
        with transaction(db):
            assert end_known_issue(db, kept.id, NOW + MINUTE)
        assert read_known_issues(db, NOW + MINUTE) == ()


def test_the_newest_opinion_counts(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        over = end(db, fire(db), NOW + MINUTE)
        with transaction(db):
            save_feedback(db, over.id, Feedback.NOISE, "anna", NOW)
            save_feedback(db, over.id, Feedback.USEFUL, "boris", NOW)
        assert read_feedback(db, NOW) == {over.id: Feedback.USEFUL}
        assert read_feedback(db, NOW + 1) == {}
        with transaction(db):
            assert delete_feedback(db, over.id)
            assert not delete_feedback(db, over.id)
