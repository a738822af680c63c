"""Resolve episodes by hand, write notes on them, and give feedback on ended ones."""

from msgspec.structs import replace

from watchdeck.actions.actor import Actor
from watchdeck.actions.alerts.acknowledge import LONGEST_NOTE, as_row, save_ended_acknowledgement
from watchdeck.actions.requests import FeedbackRequest, NoteRequest, ResolveRequest
from watchdeck.actions.transaction import (
    ActionResult,
    ActionTransaction,
    action_transaction,
    alert_labels,
)
from watchdeck.domain.alerts.acknowledgement import Refusal
from watchdeck.domain.alerts.acknowledgement import resolve as decide
from watchdeck.domain.alerts.alert import AckEnd, ActiveAlert, Episode
from watchdeck.domain.notifications.message import messages_for
from watchdeck.domain.values.text import clean
from watchdeck.store.alerts.acknowledgements import add_note, save_feedback
from watchdeck.store.alerts.episodes import add_transitions, save_episode, subject_of


def resolve(actor: Actor, request: ResolveRequest, now: int) -> ActionResult:
    """End episodes by hand; a condition that stays true starts a new episode later."""
    text, done = clean(request.note.strip(), LONGEST_NOTE), []
    with action_transaction(actor, now) as action:
        for alert in action.read_alerts(request.episodes):
            number = alert.episode.id
            moved = decide(alert.episode, actor.who.user, text, now)
            if isinstance(moved, Refusal):
                action.refuse(alert, moved)
                continue
            after, steps = moved
            if not save_episode(action.db, after):
                action.refuse(alert, "it changed meanwhile; look again")
                continue
            done.append(alert)
            action.affected.append(number)
            _end_acknowledgement(action, alert)
            after = replace(after, rev=after.rev + 1)
            shown, last = replace(alert, episode=after), action.last_messages(alert)
            keys = action.notify(
                [one for step in steps for one in messages_for(step, shown, last=last)], shown
            )
            action.audit(
                "alert.resolved_by_hand",
                subject_of(action.db, number),
                _row(alert.episode),
                _row(after) | {"note": text} | keys,
            )
            add_transitions(action.db, steps, actor.who)
        return action.finish(f"resolved {alert_labels(done)}")


def _end_acknowledgement(action: ActionTransaction, alert: ActiveAlert) -> None:
    live = alert.acknowledgement
    if live is not None:
        ended = replace(live, ended_at=action.now, end_reason=AckEnd.RESOLVED)
        if save_ended_acknowledgement(action, ended):
            subject = subject_of(action.db, alert.episode.id)
            action.audit("ack.resolved", subject, as_row(live), as_row(ended))


def _row(episode: Episode) -> dict[str, object]:
    return {
        "episode": episode.id,
        "condition": episode.condition.value,
        "truth": episode.truth,
        "false_for": episode.false_for,
        "rev": episode.rev,
    }


def note(actor: Actor, request: NoteRequest, now: int) -> ActionResult:
    """Write a note on episodes, open or ended; an empty note is refused."""
    words, done = clean(request.text.strip(), LONGEST_NOTE), []
    with action_transaction(actor, now) as action:
        for alert in action.read_alerts(request.episodes):
            number = alert.episode.id
            if not words:
                action.refuse(alert, "the note is empty")
                continue
            kept = add_note(action.db, number, actor.who.user, words, now)
            done.append(alert)
            action.affected.append(number)
            after = {"note": kept, "episode": number, "text": words}
            action.audit("note.added", subject_of(action.db, number), None, after)
        return action.finish(f"noted on {alert_labels(done)}")


def give_feedback(actor: Actor, request: FeedbackRequest, now: int) -> ActionResult:
    """Rate ended episodes as useful, noise or late; open ones are refused."""
    done = []
    with action_transaction(actor, now) as action:
        for alert in action.read_alerts(request.episodes):
            number = alert.episode.id
            if alert.episode.is_open:
                action.refuse(alert, "it is still open; rate it when it has ended")
                continue
            save_feedback(action.db, number, request.opinion, actor.who.user, now)
            done.append(alert)
            action.affected.append(number)
            after = {"episode": number, "opinion": request.opinion.value}
            action.audit("alert.opinion", subject_of(action.db, number), None, after)
        verb = "was" if len(done) == 1 else "were"
        return action.finish(f"{alert_labels(done)} {verb} {request.opinion}")
