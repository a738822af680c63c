"""The alerts of a board, now and then."""

from pathlib import Path

from msgspec.structs import replace

from store.alerts.made import MINUTE, ack, end, fire
from store.stores import ANNA, NOW, state
from watchdeck.domain.alerts.alert import AlertEvent, DisplayState, KnownIssue, Transition
from watchdeck.store.alerts.acknowledgements import add_note, save_acknowledgement, save_known_issue
from watchdeck.store.alerts.active import RESOLVED_RETENTION, read_active_alerts
from watchdeck.store.alerts.episodes import add_transitions, save_episode
from watchdeck.store.files.connection import transaction


def test_without_alerts_there_are_none(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        assert read_active_alerts(db, None, NOW) == read_active_alerts(db, NOW, NOW) == ()


def test_an_alert_is_shown_with_who_has_it_and_what_is_known_of_it(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        with transaction(db):
            save_acknowledgement(db, ack(episode))
            add_note(db, episode.id, "anna", "rolled back", NOW)
            save_known_issue(db, KnownIssue(0, "fraud", "", "known", "anna", NOW, NOW + MINUTE))
            save_known_issue(
                db, KnownIssue(0, "churn", "", "of another", "anna", NOW, NOW + MINUTE)
            )
        (raised,) = read_active_alerts(db, None, NOW)
        assert raised.display_state is DisplayState.ACKED
        assert raised.acknowledgement is not None
        assert raised.acknowledgement.by == "anna"
        assert raised.notes == 1
        assert [pin.text for pin in raised.known_issues] == ["known"]


def test_an_ended_alert_stays_a_while(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        end(db, fire(db), NOW + MINUTE)
        (raised,) = read_active_alerts(db, None, NOW + MINUTE)
        assert raised.display_state is DisplayState.RESOLVED
        assert len(read_active_alerts(db, None, NOW + MINUTE + RESOLVED_RETENTION - 1)) == 1
        assert read_active_alerts(db, None, NOW + MINUTE + RESOLVED_RETENTION) == ()


def test_the_past_is_as_it_was(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        with transaction(db):
            save_acknowledgement(db, ack(episode, at=NOW + MINUTE))
        end(db, episode, NOW + 2 * MINUTE)
        later = NOW + 100 * MINUTE
        shown = [
            [raised.display_state for raised in read_active_alerts(db, NOW + at * MINUTE, later)]
            for at in (-1, 0, 1, 2, 16, 17)
        ]
        assert shown == [
            [],
            [DisplayState.FIRING],
            [DisplayState.ACKED],
            [DisplayState.RESOLVED],
            [DisplayState.RESOLVED],
            [],
        ]


def test_in_the_past_an_alert_is_as_old_as_it_was_then(tmp_path: Path) -> None:
    with state(tmp_path) as db:
        episode = fire(db)
        with transaction(db):
            again = replace(episode, fired_at=NOW + 5 * MINUTE, reopened=1)
            assert save_episode(db, again)
            add_transitions(db, [Transition(AlertEvent.REOPENED, NOW + 5 * MINUTE, again)], ANNA)
        later = NOW + 9 * MINUTE
        began = [read_active_alerts(db, NOW + at * MINUTE, later)[0].episode.since for at in (1, 6)]
        assert began == [NOW, NOW + 5 * MINUTE]


def test_the_strip_tells_in_which_share_of_each_hour_an_alert_fired(tmp_path: Path) -> None:
    hour = 60 * MINUTE
    with state(tmp_path) as db:
        end(db, fire(db, at=NOW - 3 * hour), NOW - 3 * hour + 90 * MINUTE)
        fire(db, at=NOW - 15 * MINUTE)
        (raised,) = read_active_alerts(db, None, NOW)
        assert raised.hours == (*[0.0] * 21, 1.0, 0.5, 0.25)
