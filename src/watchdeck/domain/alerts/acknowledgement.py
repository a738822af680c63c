"""Acknowledgements: who owns an episode, until when, and how operators undo that.

Each function returns the new row, or a Refusal with the reason. The store saves the row only if
its revision has not changed.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    UNDO_WINDOW,
    AckEnd,
    Acknowledgement,
    AlertEvent,
    AlertState,
    EndReason,
    Episode,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import EpisodeUpdate, end_episode
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.format import format_duration

_HOUR = 3_600_000

DEFAULT_DURATIONS = {
    Severity.CRITICAL: _HOUR // 2,
    Severity.HIGH: 2 * _HOUR,
    Severity.MEDIUM: 8 * _HOUR,
    Severity.LOW: 24 * _HOUR,
}
"""Length (ms) of an acknowledgement without a given end."""

MAX_DURATION = 7 * 24 * _HOUR
"""Longest acknowledgement and longest silence (ms)."""

REMINDER_LEAD = 600_000
"""Time (ms) before an acknowledgement expires at which its owner is reminded."""


class Refusal(Struct, frozen=True):
    """Why an action is refused: `why` is shown after `not done: `."""

    why: str


class TakeOver(Struct, frozen=True):
    """A change of owner: the ended and the new acknowledgement, in the order to save them."""

    ended: Acknowledgement
    begun: Acknowledgement


def acknowledge(
    episode: Episode,
    ack: Acknowledgement | None,
    who: str,
    now: int,
    *,
    expires_at: int | None = None,
    note: str = "",
) -> Acknowledgement | Refusal:
    """Acknowledge an episode for `who` until `expires_at` (ms UTC).

    Refused when another acknowledgement (`ack`) is in force, or the episode does not fire. Without
    `expires_at` the severity sets the length: `DEFAULT_DURATIONS`.
    """
    if ack is not None:
        return Refusal(owner_words(ack, who, now))
    until = now + DEFAULT_DURATIONS[episode.severity] if expires_at is None else expires_at
    if refusal := _refusal(episode) or check_duration("an acknowledgement", now, until):
        return refusal
    return Acknowledgement(0, episode.id, who, now, until, episode.severity, note)


def take_over(
    episode: Episode, ack: Acknowledgement | None, who: str, now: int, note: str = ""
) -> TakeOver | Refusal:
    """Replace another owner's acknowledgement; refused when there is none, or it is by `who`."""
    if ack is None:
        return Refusal("nobody has it; acknowledge it")
    if ack.by == who:
        return Refusal(owner_words(ack, who, now))
    begun = acknowledge(episode, None, who, now, note=note)
    if isinstance(begun, Refusal):
        return begun
    return TakeOver(_end(ack, now, AckEnd.TAKEN_OVER), begun)


def unacknowledge(ack: Acknowledgement | None, now: int) -> Acknowledgement | Refusal:
    """End an acknowledgement early, so that the episode can page again; refused without one."""
    return Refusal("nobody has it") if ack is None else _end(ack, now, AckEnd.UNACKED)


def reset_paging(episode: Episode, now: int) -> Episode:
    """Restart the escalation clock at `now` (ms UTC); an episode that never paged is unchanged.

    Escalation steps already taken are not repeated.
    """
    return episode if episode.paged_at is None else replace(episode, paged_at=now)


def with_mutes(episode: Episode, *, is_muted: bool, now: int) -> Episode:
    """The episode with its escalation clock stopped while it is muted, at `now` (ms UTC)."""
    if is_muted is (episode.muted_at is not None):
        return episode
    if is_muted or episode.paged_at is None or episode.muted_at is None:
        return replace(episode, muted_at=now if is_muted else None)
    stood = max(0, now - max(episode.muted_at, episode.paged_at))
    return replace(episode, muted_at=None, paged_at=episode.paged_at + stood)


def resolve(episode: Episode, who: str, note: str, now: int) -> EpisodeUpdate | Refusal:
    """End an episode by hand; the note with the reason is required.

    A condition that stays true starts a new episode later.
    """
    if not note.strip():
        return Refusal("to resolve by hand needs a note that says why it is over")
    return _refusal(episode) or end_episode(
        episode, now, EndReason.MANUAL, f"{who}: {note.strip()}"
    )


def expired_acknowledgement(
    ack: Acknowledgement, episode: Episode, now: int
) -> Acknowledgement | None:
    """The acknowledgement, now ended, if it is over at `now` (ms UTC); None while it is in force.

    It is over when its episode ended, the severity became worse than acknowledged, or it expired.
    """
    if not episode.is_open:
        return _end(ack, now, AckEnd.RESOLVED)
    if episode.severity < ack.severity:
        return _end(ack, now, AckEnd.WORSE)
    return _end(ack, now, AckEnd.EXPIRED) if now >= ack.expires_at else None


def is_reminder_due(ack: Acknowledgement, now: int) -> bool:
    """Whether to remind the owner of `ack`: in its last ten minutes, but not in its first ten."""
    return max(ack.expires_at - REMINDER_LEAD, ack.at + REMINDER_LEAD) <= now < ack.expires_at


def renewed_acknowledgement(
    last: Acknowledgement, episode: Episode, now: int
) -> Acknowledgement | None:
    """Renew the `last` acknowledgement of a reopened episode; None when it cannot be renewed.

    It is renewed if the episode's end ended it, its `expires_at` is not past, and the episode is
    not more severe than when it was acknowledged.
    """
    is_valid = last.end_reason is AckEnd.RESOLVED and now < last.expires_at
    return _renew(last, now) if is_valid and episode.severity >= last.severity else None


def is_restored(ack: Acknowledgement, others: Iterable[Acknowledgement]) -> bool:
    """Whether an acknowledgement is the renewal of one of `others`, and no deed of its owner."""
    return any(
        one.id < ack.id
        and one.end_reason is AckEnd.RESOLVED
        and (one.by, one.expires_at) == (ack.by, ack.expires_at)
        for one in others
    )


def owner_words(ack: Acknowledgement, who: str, now: int) -> str:
    """The owner of an episode, as the reason for a Refusal to `who`: `ana took it 5m ago`."""
    if ack.by == who:
        return f"you have it already, for {format_duration(ack.expires_at - now)} more"
    return f"{ack.by} took it {_age_words(now - ack.at)} ago"


def check_duration(what: str, now: int, until: int) -> Refusal | None:
    """Refuse a period from `now` to `until` (ms UTC) that is empty or too long; None when valid.

    `what` names it in the text: `an acknowledgement`, `a silence`.
    """
    if until <= now:
        return Refusal(f"{what} must end later than it begins")
    if until - now > MAX_DURATION:
        return Refusal(f"{what} lasts {format_duration(MAX_DURATION)} at most")
    return None


def _refusal(episode: Episode) -> Refusal | None:
    if not episode.is_open:
        return Refusal("it is over")
    pending = episode.condition is AlertState.PENDING
    return Refusal("it does not fire yet") if pending else None


def _end(ack: Acknowledgement, now: int, reason: AckEnd) -> Acknowledgement:
    return replace(ack, ended_at=now, end_reason=reason)


def _renew(ended: Acknowledgement, now: int) -> Acknowledgement:
    """A new row with the same owner and the same end."""
    return replace(ended, id=0, at=now, ended_at=None, end_reason=None, rev=1)


def _age_words(milliseconds: int) -> str:
    if milliseconds < 10_000:
        return f"{max(0, milliseconds) / 1_000:.1f}s"
    return format_duration(milliseconds)


def undo_refusal(done_at: int, rev: int, found: int | None, now: int) -> Refusal | None:
    """Why an action done at `done_at` (ms UTC) cannot be undone; None when it can.

    `rev` is the revision of the row that the action saved, `found` the row's present revision, None
    when the row is gone. A changed row and an action older than `UNDO_WINDOW` cannot be undone.
    """
    if now >= done_at + UNDO_WINDOW:
        return Refusal(f"it was more than {format_duration(UNDO_WINDOW)} ago")
    return None if found == rev else Refusal("it has moved on since")


def undo_acknowledge(ack: Acknowledgement, now: int) -> Acknowledgement:
    """Undo an acknowledgement: return it as ended, so that the episode has no owner."""
    return _end(ack, now, AckEnd.UNDONE)


def undo_unacknowledge(ended: Acknowledgement, now: int) -> Acknowledgement | Refusal:
    """Undo `unacknowledge`: a new row with the same owner and expiry; refused after the expiry."""
    return Refusal("its time is over") if ended.expires_at <= now else _renew(ended, now)


def undo_take_over(done: TakeOver, now: int) -> TakeOver | Refusal:
    """Give an episode back to its previous owner; refused once their acknowledgement expired."""
    before = undo_unacknowledge(done.ended, now)
    if isinstance(before, Refusal):
        return before
    return TakeOver(undo_acknowledge(done.begun, now), before)


def undo_resolve(before: Episode, after: Episode, now: int) -> EpisodeUpdate:
    """Reopen an episode as it was `before` the resolve; `after` is the resolved one."""
    again = replace(before, rev=after.rev)
    return again, (Transition(AlertEvent.REOPENED, now, again, "the resolve was taken back"),)
