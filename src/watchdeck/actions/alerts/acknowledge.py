"""Acknowledge: somebody has an alert, for a while; of two who want it one gets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

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
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean
from watchdeck.store.alerts.acknowledgements import end_acknowledgement, save_acknowledgement
from watchdeck.store.alerts.episodes import save_episode, subject_of
from watchdeck.store.files.directory import StoreDirectory

LONGEST_NOTE = 1_000
"""Characters of a note: it is read at night."""


def acknowledge(
    directory: StoreDirectory,
    episodes: Sequence[int],
    who: Operator,
    now: int,
    *,
    expires_at: int | None = None,
    note: str = "",
    routing: Routing | None = None,
) -> ActionResult:
    """Take episodes until `expires_at` (ms UTC), or as long as is usual for their severity.

    What is free is taken; of what somebody has, the owner is named.
    """
    text, got = clean(note.strip(), LONGEST_NOTE), []
    lengths: set[int] = set()
    with action_transaction(directory, who, now, routing) as doing:
        for raised in _each(doing, episodes):
            live = raised.acknowledgement
            wanted = decide(raised.episode, live, who.user, now, expires_at=expires_at, note=text)
            kept = (
                wanted if isinstance(wanted, Refusal) else save_new_acknowledgement(doing, wanted)
            )
            if isinstance(kept, Refusal):
                doing.refuse(raised, kept)
                continue
            got.append(raised)
            lengths.add(kept.expires_at - now)
            told = doing.tell(
                acknowledgement_message(MessageKind.ACKNOWLEDGED, raised, kept), raised
            )
            doing.enter("ack.set", _subject(doing, raised), None, as_row(kept) | told)
        ends = sorted(lengths)
        lasting = " to ".join(dict.fromkeys(map(format_duration, (*ends[:1], *ends[-1:]))))
        return doing.done(f"you have {alert_labels(got)} for {lasting}" if got else "")


def take_over(
    directory: StoreDirectory,
    episodes: Sequence[int],
    who: Operator,
    now: int,
    *,
    note: str = "",
    routing: Routing | None = None,
) -> ActionResult:
    """Take episodes from those who have them; they are told."""
    text, got = clean(note.strip(), LONGEST_NOTE), []
    with action_transaction(directory, who, now, routing) as doing:
        for raised in _each(doing, episodes):
            handed = decide_take_over(
                raised.episode, raised.acknowledgement, who.user, now, note=text
            )
            if isinstance(handed, Refusal):
                doing.refuse(raised, handed)
                continue
            save_ended_acknowledgement(doing, handed.ended)
            kept = save_new_acknowledgement(doing, handed.begun)
            if isinstance(kept, Refusal):
                doing.refuse(raised, kept)
                continue
            got.append((raised, handed.ended.by))
            told = doing.tell(
                acknowledgement_message(MessageKind.ACKNOWLEDGED, raised, kept), raised
            )
            rows = as_row(handed.ended), as_row(kept) | told
            doing.enter("ack.takeover", _subject(doing, raised), *rows)
        before = ", ".join(dict.fromkeys(owner for _, owner in got))
        return doing.done(
            f"you took {alert_labels([one for one, _ in got])} from {before}" if got else ""
        )


def unacknowledge(
    directory: StoreDirectory,
    episodes: Sequence[int],
    who: Operator,
    now: int,
    *,
    routing: Routing | None = None,
) -> ActionResult:
    """Give episodes back: they are nobody's."""
    got = []
    with action_transaction(directory, who, now, routing) as doing:
        for raised in _each(doing, episodes):
            ended = decide_unacknowledge(raised.acknowledgement, now)
            if isinstance(ended, Refusal) or not save_ended_acknowledgement(doing, ended):
                doing.refuse(raised, ended if isinstance(ended, Refusal) else "it was just ended")
                continue
            got.append(raised)
            doing.taken.append(raised.episode.id)
            save_episode(doing.db, reset_paging(raised.episode, now))
            live = raised.acknowledgement
            before = None if live is None else as_row(live)
            told = doing.tell(
                acknowledgement_message(MessageKind.UNACKNOWLEDGED, raised, ended), raised
            )
            doing.enter("ack.ended", _subject(doing, raised), before, as_row(ended) | told)
        others = dict.fromkeys(one.acknowledgement.by for one in got if one.acknowledgement)
        others.pop(who.user, None)
        had = f" ({', '.join(others)} had it)" if others else ""
        return doing.done(f"nobody has {alert_labels(got)} now{had}")


def save_new_acknowledgement(
    doing: ActionTransaction, wanted: Acknowledgement
) -> Acknowledgement | Refusal:
    """Let somebody have an episode, if nobody was faster."""
    kept = save_acknowledgement(doing.db, wanted)
    if kept is not None:
        doing.taken.append(wanted.episode)
        return kept
    raised = doing.raised(wanted.episode)
    live = raised.acknowledgement if raised else None
    return Refusal(owner_words(live, doing.who.user, doing.now) if live else "it is over")


def save_ended_acknowledgement(doing: ActionTransaction, ended: Acknowledgement) -> bool:
    """End what somebody has, if it is still as it was."""
    reason = ended.end_reason or AckEnd.UNACKED
    return end_acknowledgement(doing.db, ended, doing.now, reason)


def as_row(ack: Acknowledgement) -> dict[str, Any]:
    """What the audit keeps of an acknowledgement."""
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


def _each(doing: ActionTransaction, episodes: Sequence[int]) -> Iterator[ActiveAlert]:
    for number in dict.fromkeys(episodes):
        raised = doing.raised(number)
        if raised is not None:
            yield raised


def _subject(doing: ActionTransaction, raised: ActiveAlert) -> str:
    return subject_of(doing.db, raised.episode.id)
