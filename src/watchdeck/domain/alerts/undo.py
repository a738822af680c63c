"""Undoing: what takes back what somebody did, as long as nothing followed from it.

Every undo is an act of its own, with its own row in the audit; it never unwrites the first.
"""

from __future__ import annotations

from msgspec.structs import replace

from watchdeck.domain.alerts.acknowledgement import Refusal, TakeOver
from watchdeck.domain.alerts.alert import (
    UNDO,
    AckEnd,
    Acknowledgement,
    AlertEvent,
    Episode,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import Moved
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.values.format import format_duration


def undo_refusal(done_at: int, rev: int, found: int | None, now: int) -> Refusal | None:
    """Why something done at `done_at` (ms UTC) cannot be taken back; None when it can.

    `rev` is what its row had right after it, `found` what it has, None when it is gone.
    """
    if now >= done_at + UNDO:
        return Refusal(f"it was more than {format_duration(UNDO)} ago")
    return None if found == rev else Refusal("it has moved on since")


def undo_acknowledge(live: Acknowledgement, now: int) -> Acknowledgement:
    """The episode is free again, as if nobody had taken it."""
    return replace(live, ended_at=now, end_reason=AckEnd.UNDONE)


def undo_unacknowledge(ended: Acknowledgement, now: int) -> Acknowledgement | Refusal:
    """The owner has it again until when they had it, as a new row."""
    if ended.expires_at <= now:
        return Refusal("its time is over")
    return replace(ended, id=0, at=now, ended_at=None, end_reason=None, rev=1)


def undo_take_over(handed: TakeOver, now: int) -> TakeOver | Refusal:
    """The owner before has it again."""
    before = undo_unacknowledge(handed.ended, now)
    if isinstance(before, Refusal):
        return before
    return TakeOver(undo_acknowledge(handed.begun, now), before)


def undo_resolve(before: Episode, after: Episode, now: int) -> Moved:
    """The episode goes on as it was `before`; `after` is how it was left."""
    again = replace(before, rev=after.rev)
    return again, (Transition(AlertEvent.REOPENED, now, again, "the resolve was taken back"),)


def undo_unsilence(ended: Silence, now: int) -> Silence | Refusal:
    """The silence holds again until when it held, as a new one."""
    if ended.ends_at <= now:
        return Refusal("its time is over")
    return replace(ended, id=0, starts_at=now, ended_at=None, rev=1)
