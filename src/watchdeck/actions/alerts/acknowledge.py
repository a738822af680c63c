"""Acknowledge, take over and release episodes; of two people at once, only one succeeds."""

from typing import Any

from watchdeck.actions.actor import Actor
from watchdeck.actions.requests import AcknowledgeRequest, TakeOverRequest, UnacknowledgeRequest
from watchdeck.actions.transaction import (
    ActionResult,
    ActionTransaction,
    action_transaction,
    alert_labels,
)
from watchdeck.domain.alerts.acknowledgement import Refusal, owner_words, reset_paging
from watchdeck.domain.alerts.acknowledgement import acknowledge as decide
from watchdeck.domain.alerts.acknowledgement import take_over as decide_take_over
from watchdeck.domain.alerts.acknowledgement import unacknowledge as decide_unacknowledge
from watchdeck.domain.alerts.alert import AckEnd, Acknowledgement, ActiveAlert
from watchdeck.domain.notifications.message import MessageKind, acknowledgement_message
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.text import clean
from watchdeck.store.alerts.acknowledgements import end_acknowledgement, save_acknowledgement
from watchdeck.store.alerts.episodes import save_episode, subject_of

LONGEST_NOTE = 1_000
"""Maximum number of characters of a note that are stored; the rest is cut."""


def acknowledge(actor: Actor, request: AcknowledgeRequest, now: int) -> ActionResult:
    """Acknowledge episodes; an acknowledged one is refused, with the name of its owner."""
    who, text, done = actor.who.user, clean(request.note.strip(), LONGEST_NOTE), []
    expires_at = None if request.length is None else now + request.length
    lengths: set[int] = set()
    with action_transaction(actor, now) as action:
        for alert in action.read_alerts(request.episodes):
            live = alert.acknowledgement
            ack = decide(alert.episode, live, who, now, expires_at=expires_at, note=text)
            if not isinstance(ack, Refusal):
                ack = save_new_acknowledgement(action, ack)
            if isinstance(ack, Refusal):
                action.refuse(alert, ack)
                continue
            done.append(alert)
            lengths.add(ack.expires_at - now)
            told = action.notify(
                acknowledgement_message(MessageKind.ACKNOWLEDGED, alert, ack), alert
            )
            action.audit("ack.set", _subject(action, alert), None, as_row(ack) | told)
        ends = sorted(lengths)
        lasting = " to ".join(dict.fromkeys(map(format_duration, (*ends[:1], *ends[-1:]))))
        return action.finish(f"you have {alert_labels(done)} for {lasting}" if done else "")


def take_over(actor: Actor, request: TakeOverRequest, now: int) -> ActionResult:
    """Replace acknowledgements of other owners by the actor's own; those owners are notified."""
    text, done = clean(request.note.strip(), LONGEST_NOTE), []
    with action_transaction(actor, now) as action:
        for alert in action.read_alerts(request.episodes):
            handed = decide_take_over(
                alert.episode, alert.acknowledgement, actor.who.user, now, note=text
            )
            if isinstance(handed, Refusal):
                action.refuse(alert, handed)
                continue
            save_ended_acknowledgement(action, handed.ended)
            kept = save_new_acknowledgement(action, handed.begun)
            if isinstance(kept, Refusal):
                action.refuse(alert, kept)
                continue
            done.append((alert, handed.ended.by))
            told = action.notify(
                acknowledgement_message(MessageKind.ACKNOWLEDGED, alert, kept), alert
            )
            rows = as_row(handed.ended), as_row(kept) | told
            action.audit("ack.takeover", _subject(action, alert), *rows)
        before = ", ".join(dict.fromkeys(owner for _, owner in done))
        return action.finish(
            f"you took {alert_labels([one for one, _ in done])} from {before}" if done else ""
        )


def unacknowledge(actor: Actor, request: UnacknowledgeRequest, now: int) -> ActionResult:
    """End the acknowledgements of episodes, whoever made them."""
    done = []
    with action_transaction(actor, now) as action:
        for alert in action.read_alerts(request.episodes):
            ended = decide_unacknowledge(alert.acknowledgement, now)
            if isinstance(ended, Refusal) or not save_ended_acknowledgement(action, ended):
                action.refuse(
                    alert,
                    ended if isinstance(ended, Refusal) else "somebody else has just ended it",
                )
                continue
            done.append(alert)
            action.affected.append(alert.episode.id)
            save_episode(action.db, reset_paging(alert.episode, now))
            live = alert.acknowledgement
            before = None if live is None else as_row(live)
            told = action.notify(
                acknowledgement_message(MessageKind.UNACKNOWLEDGED, alert, ended), alert
            )
            action.audit("ack.ended", _subject(action, alert), before, as_row(ended) | told)
        others = dict.fromkeys(one.acknowledgement.by for one in done if one.acknowledgement)
        others.pop(actor.who.user, None)
        had = f" ({', '.join(others)} had it)" if others else ""
        return action.finish(f"nobody has {alert_labels(done)} now{had}")


def save_new_acknowledgement(
    action: ActionTransaction, wanted: Acknowledgement
) -> Acknowledgement | Refusal:
    """Store a new acknowledgement and return it; a refusal when somebody else was faster."""
    kept = save_acknowledgement(action.db, wanted)
    if kept is not None:
        action.affected.append(wanted.episode)
        return kept
    alert = action.read_alert(wanted.episode)
    live = alert.acknowledgement if alert else None
    return Refusal(owner_words(live, action.actor.who.user, action.now) if live else "it is over")


def save_ended_acknowledgement(action: ActionTransaction, ended: Acknowledgement) -> bool:
    """Store the end of an acknowledgement; returns False when another process changed it first."""
    reason = ended.end_reason or AckEnd.UNACKED
    return end_acknowledgement(action.db, ended, action.now, reason)


def as_row(ack: Acknowledgement) -> dict[str, Any]:
    """The fields of an acknowledgement in an audit row."""
    return {
        "id": ack.id,
        "episode": ack.episode,
        "by": ack.by,
        "at": ack.at,
        "expires_at": ack.expires_at,
        "severity": int(ack.severity),
        "note": ack.note,
        "rev": ack.rev + (ack.ended_at is not None),
    }


def _subject(action: ActionTransaction, alert: ActiveAlert) -> str:
    return subject_of(action.db, alert.episode.id)
