"""Resolve by hand, write a note, and say what one thought of an alert."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from watchdeck.actions.alerts.acknowledge import LONGEST_NOTE, as_row, save_ended_acknowledgement
from watchdeck.actions.transaction import (
    ActionResult,
    ActionTransaction,
    action_transaction,
    alert_labels,
)
from watchdeck.domain.alerts.acknowledgement import Refusal
from watchdeck.domain.alerts.acknowledgement import resolve as decide
from watchdeck.domain.alerts.alert import AckEnd, ActiveAlert, Episode, Feedback
from watchdeck.domain.notifications.message import messages_for
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean
from watchdeck.store.alerts.acknowledgements import add_note, save_opinion
from watchdeck.store.alerts.episodes import add_transitions, save_episode, subject_of
from watchdeck.store.files.directory import StoreDirectory


def resolve(
    directory: StoreDirectory,
    episodes: Sequence[int],
    who: Operator,
    now: int,
    *,
    note: str,
    routing: Routing | None = None,
) -> ActionResult:
    """End episodes by hand, with a note that says why; still true later, they are new ones."""
    text, got = clean(note.strip(), LONGEST_NOTE), []
    with action_transaction(directory, who, now, routing) as doing:
        for number in dict.fromkeys(episodes):
            raised = doing.raised(number)
            moved = decide(raised.episode, who.user, text, now) if raised else None
            if raised is None or moved is None:
                continue
            if isinstance(moved, Refusal):
                doing.refuse(raised, moved)
                continue
            after, steps = moved
            if not save_episode(doing.db, after):
                doing.refuse(raised, "it has just moved on")
                continue
            got.append(raised)
            doing.taken.append(number)
            _end_acknowledgement(doing, raised)
            after = replace(after, rev=after.rev + 1)
            shown = replace(raised, episode=after)
            told = doing.tell([one for step in steps for one in messages_for(step, shown)], shown)
            doing.enter(
                "alert.resolved_by_hand",
                subject_of(doing.db, number),
                _row(raised.episode),
                _row(after) | {"note": text} | told,
            )
            add_transitions(doing.db, steps, who)
        return doing.done(f"resolved {alert_labels(got)}")


def _end_acknowledgement(doing: ActionTransaction, raised: ActiveAlert) -> None:
    live = raised.acknowledgement
    if live is not None:
        ended = replace(live, ended_at=doing.now, end_reason=AckEnd.RESOLVED)
        if save_ended_acknowledgement(doing, ended):
            subject = subject_of(doing.db, raised.episode.id)
            doing.enter("ack.resolved", subject, as_row(live), as_row(ended))


def _row(episode: Episode) -> dict[str, object]:
    return {
        "episode": episode.id,
        "condition": episode.condition.value,
        "truth": episode.truth,
        "false_for": episode.false_for,
        "rev": episode.rev,
    }


def note(
    directory: StoreDirectory, episodes: Sequence[int], who: Operator, now: int, *, text: str
) -> ActionResult:
    """Write a note on episodes, open or over."""
    words, got = clean(text.strip(), LONGEST_NOTE), []
    with action_transaction(directory, who, now) as doing:
        for number in dict.fromkeys(episodes):
            raised = doing.raised(number)
            if raised is None:
                continue
            if not words:
                doing.refuse(raised, "a note says something")
                continue
            kept = add_note(doing.db, number, who.user, words, now)
            got.append(raised)
            doing.taken.append(number)
            after = {"note": kept, "episode": number, "text": words}
            doing.enter("note.added", subject_of(doing.db, number), None, after)
        return doing.done(f"noted on {alert_labels(got)}")


def give_feedback(
    directory: StoreDirectory,
    episodes: Sequence[int],
    who: Operator,
    now: int,
    *,
    opinion: Feedback,
) -> ActionResult:
    """Say what one thought of alerts that are over: useful, noise, or late."""
    got = []
    with action_transaction(directory, who, now) as doing:
        for number in dict.fromkeys(episodes):
            raised = doing.raised(number)
            if raised is None:
                continue
            if raised.episode.is_open:
                doing.refuse(raised, "it is not over; what it was worth is known afterwards")
                continue
            save_opinion(doing.db, number, opinion, who.user, now)
            got.append(raised)
            doing.taken.append(number)
            after = {"episode": number, "opinion": opinion.value}
            doing.enter("alert.opinion", subject_of(doing.db, number), None, after)
        verb = "was" if len(got) == 1 else "were"
        return doing.done(f"{alert_labels(got)} {verb} {opinion}")
