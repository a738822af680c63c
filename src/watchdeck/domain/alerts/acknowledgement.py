"""Handling: who has an episode, for how long, and when that ends by itself.

Each decision is the row as it shall be, or a Refusal that says why not; to save it only if the row
is still what it was is the store's part.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import AckEnd, Acknowledgement, AlertState, EndReason, Episode
from watchdeck.domain.alerts.lifecycle import Moved, end_episode
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.severity import Severity

_HOUR = 3_600_000

LENGTHS = {
    Severity.CRITICAL: _HOUR // 2,
    Severity.HIGH: 2 * _HOUR,
    Severity.MEDIUM: 8 * _HOUR,
    Severity.LOW: 24 * _HOUR,
}
"""How long (ms) somebody has an episode who does not say for how long."""

LONGEST = 7 * 24 * _HOUR
"""The longest time (ms) for which somebody can have an episode, or silence it."""

REMINDER = 600_000
"""So long (ms) before an acknowledgement expires its owner is reminded."""


class Refusal(Struct, frozen=True):
    """Why something is not done, in words that fit behind `not done: `."""

    why: str


class TakeOver(Struct, frozen=True):
    """An episode that goes from one owner to the next: both rows, in the order to save them."""

    ended: Acknowledgement
    begun: Acknowledgement


def acknowledge(
    episode: Episode,
    live: Acknowledgement | None,
    who: str,
    now: int,
    *,
    expires_at: int | None = None,
    note: str = "",
) -> Acknowledgement | Refusal:
    """Somebody takes a free episode at `now` (ms UTC) until `expires_at`, or as long as usual."""
    if live is not None:
        return Refusal(owner_words(live, who, now))
    until = now + LENGTHS[episode.severity] if expires_at is None else expires_at
    if refusal := _refused(episode) or check_duration("an acknowledgement", now, until):
        return refusal
    return Acknowledgement(0, episode.id, who, now, until, episode.severity, note)


def take_over(
    episode: Episode, live: Acknowledgement | None, who: str, now: int, note: str = ""
) -> TakeOver | Refusal:
    """Somebody takes an episode that another has, who is to be told."""
    if live is None:
        return Refusal("nobody has it; acknowledge it")
    if live.by == who:
        return Refusal(owner_words(live, who, now))
    begun = acknowledge(episode, None, who, now, note=note)
    return (
        begun if isinstance(begun, Refusal) else TakeOver(_end(live, now, AckEnd.TAKEN_OVER), begun)
    )


def unacknowledge(live: Acknowledgement | None, now: int) -> Acknowledgement | Refusal:
    """An episode is given back: it is nobody's, and pages again when somebody must know."""
    return Refusal("nobody has it") if live is None else _end(live, now, AckEnd.UNACKED)


def reset_paging(episode: Episode, now: int) -> Episode:
    """An episode that nobody has any more: whoever is told next has waited since then.

    Who was told of it stays told, so no step of its escalation is taken back.
    """
    return episode if episode.paged_at is None else replace(episode, paged_at=now)


def resolve(episode: Episode, who: str, note: str, now: int) -> Moved | Refusal:
    """Somebody says that an episode is over, and in a note why.

    When it is still true a while later, that is a new episode.
    """
    if not note.strip():
        return Refusal("to resolve by hand needs a note that says why it is over")
    return _refused(episode) or end_episode(
        episode, now, EndReason.MANUAL, f"{who}: {note.strip()}"
    )


def expired_acknowledgement(
    live: Acknowledgement, episode: Episode, now: int
) -> Acknowledgement | None:
    """The acknowledgement ended, where it ends by itself at `now` (ms UTC); None while it holds.

    The end of its episode ends it, then a rise of the severity above what was taken, then time.
    """
    if not episode.is_open:
        return _end(live, now, AckEnd.RESOLVED)
    if episode.severity < live.severity:
        return _end(live, now, AckEnd.WORSE)
    return _end(live, now, AckEnd.EXPIRED) if now >= live.expires_at else None


def reminds(live: Acknowledgement, now: int) -> bool:
    """Whether its owner is to be told that it is about to expire; never of one just taken."""
    return max(live.expires_at - REMINDER, live.at + REMINDER) <= now < live.expires_at


def renewed_acknowledgement(
    last: Acknowledgement, episode: Episode, now: int
) -> Acknowledgement | None:
    """The acknowledgement that a reopened episode keeps, as a new row; None when it keeps none.

    It is kept when only the end of the episode ended it, its time is not over, and the severity is
    not above what was taken.
    """
    kept = last.end_reason is AckEnd.RESOLVED and now < last.expires_at
    if not kept or episode.severity < last.severity:
        return None
    return replace(last, id=0, at=now, ended_at=None, end_reason=None, rev=1)


def owner_words(live: Acknowledgement, who: str, now: int) -> str:
    """Who has an episode, in words for somebody who wanted it."""
    if live.by == who:
        return f"you have it already, for {format_duration(live.expires_at - now)} more"
    return f"{live.by} took it {_ago(now - live.at)} ago"


def check_duration(what: str, now: int, until: int) -> Refusal | None:
    """Why something cannot last from `now` until then (ms UTC); None when it can."""
    if until <= now:
        return Refusal(f"{what} must end later than it begins")
    if until - now > LONGEST:
        return Refusal(f"{what} lasts {format_duration(LONGEST)} at most")
    return None


def _refused(episode: Episode) -> Refusal | None:
    if not episode.is_open:
        return Refusal("it is over")
    pending = episode.condition is AlertState.PENDING
    return Refusal("it does not fire yet") if pending else None


def _end(live: Acknowledgement, now: int, reason: AckEnd) -> Acknowledgement:
    return replace(live, ended_at=now, end_reason=reason)


def _ago(milliseconds: int) -> str:
    return (
        f"{max(0, milliseconds) / 1_000:.1f}s"
        if milliseconds < 10_000
        else format_duration(milliseconds)
    )
