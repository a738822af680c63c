"""All that is known of one episode."""

from contextlib import closing
from pathlib import Path

from store.places import NOW, whole
from store.raising import MINUTE, ack, end, fire
from watchdeck.domain.alert import Opinion, Verb
from watchdeck.domain.posting import Posting
from watchdeck.store import rules
from watchdeck.store.connect import transaction, writing
from watchdeck.store.handling import add_note, save_acknowledgement, save_opinion
from watchdeck.store.outbox import post
from watchdeck.store.reader import Reader


def test_a_story_tells_what_was_known_at_its_moment(tmp_path: Path) -> None:
    directory = whole(tmp_path)
    with closing(writing(directory.state)) as db:
        earlier = end(db, fire(db), NOW + MINUTE)
        episode = fire(db, at=NOW + 20 * MINUTE)
        with transaction(db):
            add_note(db, earlier.id, "anna", "the cache was cold", NOW + MINUTE)
            save_opinion(db, earlier.id, Opinion.USEFUL, "anna", NOW + MINUTE)
            rules.register(db, "rule", [("slow", {"when": "latency_p95 > 200ms"})], NOW)
            save_acknowledgement(db, ack(episode, at=NOW + 21 * MINUTE))
            add_note(db, episode.id, "anna", "rolled back", NOW + 22 * MINUTE)
            told = Posting("phone", "page", "episode/2", NOW, episode=episode.id)
            post(db, [told], NOW + 20 * MINUTE)
        end(db, episode, NOW + 25 * MINUTE)
    with closing(Reader(directory)) as reader:
        then = reader.story(episode.id, NOW + 21 * MINUTE)
        later = reader.story(episode.id, NOW + 30 * MINUTE)
        assert reader.story(99, NOW) is None
    assert then is not None
    assert later is not None
    assert [step.verb for step in then.steps] == [Verb.FIRED]
    assert [step.verb for step in later.steps] == [Verb.FIRED, Verb.RESOLVED]
    assert ([one.by for one in then.acknowledgements], then.notes) == (["anna"], ())
    assert [note.text for note in later.notes] == ["rolled back"]
    assert [note.text for note in then.past_notes] == ["the cache was cold"]
    assert [one.id for one in then.past] == [earlier.id]
    assert then.opinions == {earlier.id: Opinion.USEFUL}
    assert [row.channel for row in then.told] == ["phone"]
    assert then.rule == {"when": "latency_p95 > 200ms"}


def test_rules_that_are_no_longer_in_force_are_retired_and_may_come_back(tmp_path: Path) -> None:
    directory = whole(tmp_path)
    slow, full = ("slow", {"severity": 2}), ("full", {"severity": 3})
    with closing(writing(directory.state)) as db, transaction(db):
        rules.register(db, "rule", [slow, full], NOW)
        rules.register(db, "rule", [slow], NOW + 1)
        assert rules.read(db, "rule") == (slow,)
        rules.register(db, "rule", [("full", {"severity": 1})], NOW + 2)
        assert rules.read(db, "rule") == (("full", {"severity": 1}),)
        assert rules.read(db, "maintenance") == ()
