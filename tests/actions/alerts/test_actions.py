"""What people do about alerts, and what takes it back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from store.alerts.made import MINUTE, end, fire
from store.stores import ANNA, NOW, state_only
from watchdeck.actions.actor import Actor
from watchdeck.actions.alerts.acknowledge import acknowledge, take_over, unacknowledge
from watchdeck.actions.alerts.escalate import escalate
from watchdeck.actions.alerts.resolve import give_feedback, note, resolve
from watchdeck.actions.alerts.silence import pin, silence, unpin, unsilence
from watchdeck.actions.alerts.undo import undo
from watchdeck.actions.requests import (
    AcknowledgeRequest,
    EscalateRequest,
    FeedbackRequest,
    NoteRequest,
    PinRequest,
    ResolveRequest,
    SilenceRequest,
    TakeOverRequest,
    UnacknowledgeRequest,
    UndoRequest,
    UnpinRequest,
    UnsilenceRequest,
)
from watchdeck.actions.table import ACTIONS, perform
from watchdeck.actions.transaction import ActionResult, AlertError
from watchdeck.domain.alerts.alert import AlertState, Episode, Feedback
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.receivers import Channel, Escalation, EscalationStep, Route
from watchdeck.domain.values.matcher import Matcher, read_matcher
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.units import Milliseconds
from watchdeck.store.alerts.acknowledgements import (
    read_acknowledgements,
    read_feedback,
    read_known_issues,
    read_notes,
    read_silences,
)
from watchdeck.store.alerts.episodes import read_episode, save_episode
from watchdeck.store.alerts.outbox import enqueue, read_episode_outbox
from watchdeck.store.files.connection import open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.state.audit import read_entries, verify

BORIS = Operator("boris")
PHONE = Routing(channels=(Channel("phone", "webhook", url="http://127.0.0.1:1"),))
SECOND = 1_000


@pytest.fixture
def store(tmp_path: Path) -> StoreDirectory:
    return state_only(tmp_path / "store")


def fired(store: StoreDirectory, model: str = "fraud", severity: Severity = Severity.HIGH) -> int:
    with closing(open_writable(store.state)) as db:
        return fire(db, model=model, severity=severity).id


def paged(store: StoreDirectory) -> int:
    """An episode that somebody was paged for."""
    number = fired(store)
    with closing(open_writable(store.state)) as db, transaction(db):
        found = read_episode(db, number)
        assert found is not None
        assert save_episode(db, replace(found[0], paged_at=NOW))
        page = OutboxEntry("phone", "page", f"watchdeck/{number}/page", NOW, episode=number)
        enqueue(db, [page], NOW)
    return number


def owners(store: StoreDirectory) -> dict[int, str]:
    with closing(open_readonly(store.state)) as db:
        return {number: ack.by for number, ack in read_acknowledgements(db).items()}


def episode(store: StoreDirectory, number: int) -> Episode:
    with closing(open_readonly(store.state)) as db:
        found = read_episode(db, number)
    assert found is not None
    return found[0]


def audited(store: StoreDirectory) -> list[tuple[str, str]]:
    """Who did what, but the steps that fixtures made."""
    with closing(open_readonly(store.state)) as db:
        assert verify(db).first_bad is None
        entries = read_entries(db, 1, 99)
    return [(one.who, one.action) for one in entries if one.action != "alert.fired"]


def told(store: StoreDirectory, number: int) -> list[tuple[str, int, bool]]:
    """What others are told of an episode: kind, not before, taken back."""
    with closing(open_readonly(store.state)) as db:
        rows = [row for row in read_episode_outbox(db, number) if row.channel == "phone"]
    return [(row.kind, row.not_before, row.cancelled_at is not None) for row in rows]


@pytest.mark.parametrize(
    ("severity", "minutes"),
    [
        pytest.param(Severity.CRITICAL, 30, id="the worst for half an hour"),
        pytest.param(Severity.HIGH, 120, id="a page for two hours"),
        pytest.param(Severity.LOW, 1_440, id="a notice for a day"),
    ],
)
def test_an_acknowledgement_always_has_an_end(
    store: StoreDirectory, severity: Severity, minutes: int
) -> None:
    number = fired(store, severity=severity)
    done = acknowledge(Actor(store, ANNA), AcknowledgeRequest((number,)), NOW)
    assert done.affected == (number,)
    with closing(open_readonly(store.state)) as db:
        assert read_acknowledgements(db)[number].expires_at == NOW + minutes * MINUTE


def test_the_loser_is_told_who_was_faster(store: StoreDirectory) -> None:
    number = fired(store)
    assert (
        acknowledge(Actor(store, ANNA), AcknowledgeRequest((number,)), NOW).words
        == "you have slow of fraud for 2h"
    )
    lost = acknowledge(Actor(store, BORIS), AcknowledgeRequest((number,)), NOW + 400)
    assert (lost.affected, lost.undo) == ((), ())
    assert lost.words == "not done: slow of fraud: anna took it 0.4s ago"
    assert owners(store) == {number: "anna"}


def test_many_are_taken_at_once_and_those_that_are_not_free_are_named(
    store: StoreDirectory,
) -> None:
    numbers = [fired(store, name) for name in ("a", "b", "c")]
    acknowledge(Actor(store, BORIS), AcknowledgeRequest(tuple(numbers[:1])), NOW)
    done = acknowledge(
        Actor(store, ANNA), AcknowledgeRequest((*numbers, 99), note="on it"), NOW + MINUTE
    )
    assert done.affected == (numbers[1], numbers[2])
    assert done.refusals == (
        "slow of a: boris took it 1m ago",
        "episode 99 does not exist",
    )
    assert done.words == "you have 2 alerts for 2h; 2 not: slow of a: boris took it 1m ago"


def test_an_alert_is_taken_over_and_given_back(store: StoreDirectory) -> None:
    number = fired(store)
    assert not take_over(Actor(store, BORIS), TakeOverRequest((number,)), NOW).affected
    acknowledge(Actor(store, ANNA), AcknowledgeRequest((number,)), NOW)
    assert (
        take_over(Actor(store, BORIS), TakeOverRequest((number,)), NOW).words
        == "you took slow of fraud from anna"
    )
    assert (
        unacknowledge(Actor(store, BORIS), UnacknowledgeRequest((number,)), NOW).words
        == "nobody has slow of fraud now"
    )
    assert not unacknowledge(Actor(store, BORIS), UnacknowledgeRequest((number,)), NOW).affected
    assert owners(store) == {}
    assert audited(store) == [
        ("anna", "ack.set"),
        ("boris", "ack.takeover"),
        ("boris", "ack.ended"),
    ]


def test_to_resolve_by_hand_needs_a_note_and_ends_the_acknowledgement(
    store: StoreDirectory,
) -> None:
    number = fired(store)
    acknowledge(Actor(store, ANNA), AcknowledgeRequest((number,)), NOW)
    assert (
        "needs a note"
        in resolve(Actor(store, ANNA), ResolveRequest((number,), note=" "), NOW).words
    )
    assert episode(store, number).is_open
    assert (
        resolve(Actor(store, ANNA), ResolveRequest((number,), note="false alarm"), NOW).words
        == "resolved slow of fraud"
    )
    assert not episode(store, number).is_open
    assert owners(store) == {}
    assert resolve(Actor(store, ANNA), ResolveRequest((number,), note="again"), NOW).words.endswith(
        "it is over"
    )


def test_notes_are_kept_clean_on_open_and_ended_episodes(store: StoreDirectory) -> None:
    number = fired(store)
    note(Actor(store, ANNA), NoteRequest((number,), text="rolled\x1b[2J back"), NOW)
    assert not note(Actor(store, ANNA), NoteRequest((number,), text="  "), NOW).affected
    with closing(open_readonly(store.state)) as db:
        assert [one.text for one in read_notes(db, number)] == ["rolled^[[2J back"]


def test_what_an_alert_was_worth_is_said_when_it_is_over(store: StoreDirectory) -> None:
    number = fired(store)
    assert not give_feedback(
        Actor(store, ANNA), FeedbackRequest((number,), opinion=Feedback.NOISE), NOW
    ).affected
    with closing(open_writable(store.state)) as db:
        end(db, episode(store, number), NOW + MINUTE)
    assert (
        give_feedback(
            Actor(store, ANNA), FeedbackRequest((number,), opinion=Feedback.NOISE), NOW
        ).words
        == "slow of fraud was noise"
    )
    with closing(open_readonly(store.state)) as db:
        assert read_feedback(db, 0) == {number: Feedback.NOISE}


RISK = (read_matcher("owner=risk"),)


def test_a_silence_tells_how_many_it_hides_and_ends_early(store: StoreDirectory) -> None:
    fired(store)
    done = silence(
        Actor(store, ANNA),
        SilenceRequest(tuple(RISK), length=NOW + 60 * MINUTE - NOW, reason="a deploy"),
        NOW,
    )
    assert done.words == "silence 1 hides 1 open alert for 1h"
    assert (
        unsilence(Actor(store, BORIS), UnsilenceRequest(1), NOW + MINUTE).words
        == "silence 1 is over"
    )
    with pytest.raises(AlertError, match="silence 1: it is over"):
        unsilence(Actor(store, BORIS), UnsilenceRequest(1), NOW + MINUTE)
    with pytest.raises(AlertError, match="there is no silence 9"):
        unsilence(Actor(store, BORIS), UnsilenceRequest(9), NOW)


@pytest.mark.parametrize(
    ("matchers", "reason", "ends_at", "said"),
    [
        pytest.param(RISK, "", NOW + MINUTE, "needs a reason", id="without a reason"),
        pytest.param(RISK, "x", None, "needs an end", id="without an end"),
        pytest.param(RISK, "x", NOW, "end later than it begins", id="over at once"),
        pytest.param(RISK, "x", NOW + 8 * 1_440 * MINUTE, "at most", id="for too long"),
        pytest.param((), "x", NOW + MINUTE, "nearly every alert", id="of everything"),
        pytest.param(
            (read_matcher("a=~.*"),), "x", NOW + MINUTE, "nearly every alert", id="by a pattern"
        ),
        pytest.param(
            (read_matcher("model!=a"),), "x", NOW + MINUTE, "nearly every", id="of all but one"
        ),
    ],
)
def test_a_silence_is_refused(
    store: StoreDirectory,
    matchers: tuple[Matcher, ...],
    reason: str,
    ends_at: int | None,
    said: str,
) -> None:
    with pytest.raises(AlertError, match=said):
        silence(
            Actor(store, ANNA),
            SilenceRequest(tuple(matchers), ends_at and ends_at - NOW, reason),
            NOW,
        )
    assert audited(store) == []


def test_a_known_issue_is_pinned_and_taken_away(store: StoreDirectory) -> None:
    pin(
        Actor(store, ANNA),
        PinRequest(
            model=("fraud", "")[0],
            rule=("fraud", "")[1],
            length=NOW + 60 * MINUTE - NOW,
            text="the vendor knows",
        ),
        NOW,
    )
    with closing(open_readonly(store.state)) as db:
        assert [one.text for one in read_known_issues(db, NOW)] == ["the vendor knows"]
    unpin(Actor(store, BORIS), UnpinRequest(1), NOW + 1)
    with pytest.raises(AlertError, match="no known issue 1"):
        unpin(Actor(store, BORIS), UnpinRequest(1), NOW + 1)
    with pytest.raises(AlertError, match="needs a text, and a model or a rule"):
        pin(
            Actor(store, ANNA),
            PinRequest(model=("", "")[0], rule=("", "")[1], length=NOW + MINUTE - NOW, text="x"),
            NOW,
        )


def _ack(store: StoreDirectory, number: int) -> ActionResult:
    return acknowledge(Actor(store, ANNA, PHONE), AcknowledgeRequest((number,)), NOW)


def _unack(store: StoreDirectory, number: int) -> ActionResult:
    acknowledge(Actor(store, BORIS), AcknowledgeRequest((number,)), NOW)
    return unacknowledge(Actor(store, ANNA, PHONE), UnacknowledgeRequest((number,)), NOW)


def _take(store: StoreDirectory, number: int) -> ActionResult:
    acknowledge(Actor(store, BORIS), AcknowledgeRequest((number,)), NOW)
    return take_over(Actor(store, ANNA, PHONE), TakeOverRequest((number,)), NOW)


def _resolve(store: StoreDirectory, number: int) -> ActionResult:
    acknowledge(Actor(store, BORIS), AcknowledgeRequest((number,)), NOW)
    return resolve(Actor(store, ANNA, PHONE), ResolveRequest((number,), note="over"), NOW)


@pytest.mark.parametrize(
    ("act", "owner"),
    [
        pytest.param(_ack, {}, id="an acknowledgement"),
        pytest.param(_unack, {1: "boris"}, id="giving it back"),
        pytest.param(_take, {1: "boris"}, id="taking it over"),
        pytest.param(_resolve, {1: "boris"}, id="a resolve with its acknowledgement"),
    ],
)
def test_what_was_just_done_is_taken_back_before_anybody_is_told(
    store: StoreDirectory,
    act: Callable[[StoreDirectory, int], ActionResult],
    owner: dict[int, str],
) -> None:
    number = paged(store)
    done = act(store, number)
    assert [(at, back) for kind, at, back in told(store, number) if kind != "page"] == [
        (NOW + 10 * SECOND, False)
    ]
    assert (
        undo(Actor(store, ANNA), UndoRequest(tuple(done.undo)), NOW + 9 * SECOND).words
        == "taken back"
    )
    assert [back for kind, _, back in told(store, number) if kind != "page"] == [True]
    assert owners(store) == owner
    assert episode(store, number).condition is AlertState.FIRING
    assert audited(store)[-1][1] in ("undo", "ack.set")


def test_what_was_taken_back_can_be_done_again_and_is_told_then(store: StoreDirectory) -> None:
    number = paged(store)
    undo(Actor(store, ANNA), UndoRequest(tuple(_resolve(store, number).undo)), NOW + SECOND)
    resolve(
        Actor(store, ANNA, PHONE),
        ResolveRequest((number,), note="now it is"),
        NOW + 2 * SECOND,
    )
    assert [back for kind, _, back in told(store, number) if kind == "resolved"] == [True, False]


LADDER = Routing(
    channels=(*PHONE.channels, Channel("boss", "webhook", url="http://127.0.0.1:1")),
    routes=(Route(escalation="night"),),
    escalations=(
        Escalation(
            "night", (EscalationStep(("phone",)), EscalationStep(("boss",), Milliseconds(900_000)))
        ),
    ),
)


def test_an_alert_is_escalated_by_hand_step_by_step_and_a_step_is_taken_back(
    store: StoreDirectory,
) -> None:
    number = paged(store)
    done = escalate(Actor(store, ANNA, LADDER), EscalateRequest((number,)), NOW)
    assert done.words == "slow of fraud: boss will be told"
    assert episode(store, number).escalated == 1
    more = escalate(Actor(store, ANNA, LADDER), EscalateRequest((number,)), NOW)
    assert more.words.endswith("its escalation has no further step")
    undo(Actor(store, ANNA), UndoRequest(tuple(done.undo)), NOW + SECOND)
    assert episode(store, number).escalated == 0
    with closing(open_readonly(store.state)) as db:
        rows = [row for row in read_episode_outbox(db, number) if row.channel == "boss"]
    assert [(row.kind, row.cancelled_at) for row in rows] == [("escalated", NOW + SECOND)]


def test_of_several_that_are_taken_the_shortest_and_the_longest_time_are_told(
    store: StoreDirectory,
) -> None:
    numbers = [
        fired(store, "a", Severity.LOW),
        fired(store, "b", Severity.HIGH),
        fired(store, "c", Severity.MEDIUM),
    ]
    assert (
        acknowledge(Actor(store, ANNA), AcknowledgeRequest(tuple(numbers)), NOW).words
        == "you have 3 alerts for 2h to 1d"
    )


def test_who_gives_back_what_another_has_is_told_whose_it_was(store: StoreDirectory) -> None:
    number = paged(store)
    acknowledge(Actor(store, ANNA), AcknowledgeRequest((number,)), NOW)
    done = unacknowledge(Actor(store, BORIS), UnacknowledgeRequest((number,)), NOW + MINUTE)
    assert done.words == "nobody has slow of fraud now (anna had it)"


def test_who_is_told_next_of_what_was_given_back_has_waited_since_then(
    store: StoreDirectory,
) -> None:
    number = paged(store)
    acknowledge(Actor(store, ANNA, LADDER), AcknowledgeRequest((number,)), NOW)
    unacknowledge(Actor(store, ANNA, LADDER), UnacknowledgeRequest((number,)), NOW + 20 * MINUTE)
    assert episode(store, number).paged_at == NOW + 20 * MINUTE


def test_what_nobody_was_paged_for_is_not_escalated(store: StoreDirectory) -> None:
    number = fired(store)
    assert (
        "no channel that was notified"
        in escalate(Actor(store, ANNA, LADDER), EscalateRequest((number,)), NOW).words
    )


@pytest.mark.parametrize("kind", ["note", "opinion", "pin", "silence", "unsilence"])
def test_the_rest_is_taken_back_too(store: StoreDirectory, kind: str) -> None:
    number = fired(store)
    with closing(open_writable(store.state)) as db:
        end(db, episode(store, number), NOW)
    later = NOW + 60 * MINUTE
    doings: dict[str, Callable[[], ActionResult]] = {
        "note": lambda: note(Actor(store, ANNA), NoteRequest((number,), text="x"), NOW),
        "opinion": lambda: give_feedback(
            Actor(store, ANNA), FeedbackRequest((number,), opinion=Feedback.LATE), NOW
        ),
        "pin": lambda: pin(
            Actor(store, ANNA),
            PinRequest(model=("fraud", "")[0], rule=("fraud", "")[1], length=later - NOW, text="x"),
            NOW,
        ),
        "silence": lambda: silence(
            Actor(store, ANNA), SilenceRequest(tuple(RISK), length=later - NOW, reason="x"), NOW
        ),
        "unsilence": lambda: unsilence(Actor(store, ANNA), UnsilenceRequest(1), NOW),
    }
    if kind == "unsilence":
        doings["silence"]()
    done = doings[kind]()
    assert (
        undo(Actor(store, ANNA), UndoRequest(tuple(done.undo)), NOW + SECOND).words == "taken back"
    )
    with closing(open_readonly(store.state)) as db:
        kept = (
            read_notes(db, number),
            read_feedback(db, 0),
            read_known_issues(db, NOW + SECOND),
            read_silences(db, NOW + SECOND),
        )
    assert [len(one) for one in kept] == [0, 0, 0, 1 if kind == "unsilence" else 0]


@pytest.mark.parametrize("kind", ["ack", "note"])
def test_what_was_done_ten_seconds_ago_stays(store: StoreDirectory, kind: str) -> None:
    number = fired(store)
    done = (
        acknowledge(Actor(store, ANNA), AcknowledgeRequest((number,)), NOW)
        if kind == "ack"
        else note(Actor(store, ANNA), NoteRequest((number,), text="x"), NOW)
    )
    assert (
        "more than 10s ago"
        in undo(Actor(store, ANNA), UndoRequest(tuple(done.undo)), NOW + 10 * SECOND).words
    )
    with closing(open_readonly(store.state)) as db:
        assert len(read_acknowledgements(db)) + len(read_notes(db, number)) == 1


def test_an_undo_is_refused_when_something_followed(store: StoreDirectory) -> None:
    number = fired(store)
    done = acknowledge(Actor(store, ANNA), AcknowledgeRequest((number,)), NOW)
    take_over(Actor(store, BORIS), TakeOverRequest((number,)), NOW + SECOND)
    assert (
        "moved on"
        in undo(Actor(store, ANNA), UndoRequest(tuple(done.undo)), NOW + 2 * SECOND).words
    )
    assert owners(store) == {number: "boris"}


def test_only_who_did_it_can_take_it_back(store: StoreDirectory) -> None:
    done = acknowledge(Actor(store, ANNA), AcknowledgeRequest((fired(store),)), NOW)
    with pytest.raises(AlertError, match="anna did that"):
        undo(Actor(store, BORIS), UndoRequest(tuple(done.undo)), NOW + SECOND)
    with pytest.raises(AlertError, match="nothing to take back"):
        undo(Actor(store, ANNA), UndoRequest(()), NOW)


def test_the_table_says_which_actions_can_be_undone(store: StoreDirectory) -> None:
    number, actor = paged(store), Actor(store, ANNA, LADDER)
    silenced = SilenceRequest((read_matcher("model=fraud"),), 3_600_000, "a deploy")
    pinned = PinRequest("the vendor knows", 3_600_000, "fraud")
    perform(actor, AcknowledgeRequest((number,)), NOW)
    silence_id = perform(actor, silenced, NOW).affected[0]
    issue_id = perform(actor, pinned, NOW).affected[0]
    for request in (
        UnacknowledgeRequest((number,)),
        EscalateRequest((number,)),
        NoteRequest((number,), "rolled back"),
        silenced,
        UnsilenceRequest(silence_id),
        pinned,
        UnpinRequest(issue_id),
        ResolveRequest((number,), "false alarm"),
    ):
        done = perform(actor, request, NOW)
        assert done.affected, done.words
        undone = perform(actor, UndoRequest(done.undo), NOW)
        action = next(one for one in ACTIONS if one.request is type(request))
        assert bool(undone.affected) is action.can_undo, action.name
