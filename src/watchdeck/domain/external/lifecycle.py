"""Claims: what other systems say of an alert, and what that makes of its episode.

Whoever speaks has waited already, so a claim fires at once; `fired_at` is the start it claims. A
resolve is believed of a live source only; until then its episode is clearing, without data.
"""

from __future__ import annotations

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    AlertEvent,
    AlertState,
    DataState,
    EndReason,
    Episode,
    Transition,
)
from watchdeck.domain.alerts.flapping import record, rested
from watchdeck.domain.alerts.lifecycle import (
    NOTHING,
    LifecycleResult,
    Moved,
    end_episode,
    mark_fresh,
    mark_no_data,
    reopened,
    reopens,
    set_condition,
    set_severity,
    update_flapping,
)
from watchdeck.domain.external.event import ExternalEvent, Status

EARLY = 5 * 60_000
"""A resolve that overtook its firing cancels it for so long (ms)."""

MANUAL_REST = 60_000
"""A claim that goes on so long (ms) after a person called it over is a new episode."""

RELEASE = 5 * 60_000
"""For how long (ms) nothing may speak against a resolve that was held, until it counts.

A target that came back has its alerts fire again within this.
"""

RESEND = 60_000
"""How often (ms) a source says the same again: what stands for a sample that did not change."""


def apply_event(
    episode: Episode | None,
    event: ExternalEvent,
    previous: Episode | None = None,
    *,
    doubt: str = "",
) -> LifecycleResult:
    """What an event makes of an open episode, or of none.

    `doubt` is why a resolve cannot be believed, empty when it can. An event from before the last
    one changes nothing; one of an older start is late, and only heard. A new episode has no number,
    nor its alert's where there is no `previous`.
    """
    if event.status is Status.RESOLVED:
        return NOTHING if episode is None else _resolves(episode, event, doubt)
    if episode is None:
        return _begins(event, previous)
    return (_heard(episode, event), ()) if _is_late(episode, event) else _fires(episode, event)


def cancels_firing(resolve: ExternalEvent, firing: ExternalEvent) -> bool:
    """Whether a resolve that was heard before its firing means just that firing."""
    mine = (resolve.source, resolve.fingerprint, resolve.told or resolve.starts_at)
    theirs = (firing.source, firing.fingerprint, firing.told or firing.starts_at)
    return mine == theirs and 0 <= firing.received_at - resolve.received_at <= EARLY


def advance_time(episode: Episode, now: int, *, doubt: str = "") -> Moved:
    """What time makes of an open foreign episode: it calms down, and a resolve comes to count.

    To be asked now and then of those that flap or are clearing. A resolve that was held counts when
    nothing spoke against it for `RELEASE`. Time counts a minute late, when all that was said in it
    has been judged: nothing that is still on its way here must be taken for late.
    """
    rest = max(0, now - episode.seen_at - RESEND) // RESEND
    after = replace(
        episode,
        recent=rested(episode.recent, rest),
        false_for=0 if doubt else episode.false_for + rest * RESEND,
        seen_at=episode.seen_at + rest * RESEND,
    )
    after, told = update_flapping(after, now)
    held = after.data is DataState.NONE and after.false_for < RELEASE
    if after.condition is not AlertState.CLEARING or after.flapping or doubt or held:
        return after, told
    after, back = mark_fresh(after, now)
    after, end = end_episode(after, now, EndReason.SOURCE, after.why)
    return after, told + back + end


def _begins(event: ExternalEvent, previous: Episode | None) -> LifecycleResult:
    at = event.received_at
    if previous is not None and _is_answered(previous, event):
        return NOTHING
    if previous is not None and reopens(previous, at):
        after = replace(reopened(previous, at, RESEND), fired_at=event.starts_at, why=_why(event))
        told = Transition(AlertEvent.REOPENED, at, after, after.why)
        after, worse = set_severity(after, event.severity, at)
        after, more = update_flapping(after, at)
        return after, (told, *worse, *more)
    begun = Episode(
        id=0,
        alert=0 if previous is None else previous.alert,
        started_at=event.starts_at,
        condition=AlertState.FIRING,
        severity=event.severity,
        peak_severity=event.severity,
        why=_why(event),
        samples=1,
        seen_at=at,
        fired_at=event.starts_at,
    )
    return begun, (Transition(AlertEvent.FIRED, at, begun, begun.why),)


def _is_answered(previous: Episode, event: ExternalEvent) -> bool:
    """Whether the end of an episode is the answer to this firing already."""
    since = event.received_at - (previous.ended_at or 0)
    if previous.end_reason is EndReason.MANUAL:
        return since < MANUAL_REST
    return since <= EARLY and event.starts_at <= (previous.fired_at or 0)


def _fires(episode: Episode, event: ExternalEvent) -> Moved:
    at = event.received_at
    again = event.starts_at > (episode.fired_at or 0) or not episode.truth
    after = replace(
        _heard(episode, event),
        recent=record(episode.recent, changed=not episode.truth) if again else episode.recent,
        fired_at=event.starts_at,
        truth=True,
        why=_why(event),
    )
    after, back = mark_fresh(after, at)
    after, grade = set_severity(after, event.severity, at)
    after, flap = update_flapping(after, at)
    if after.condition is not AlertState.CLEARING:
        return after, back + grade + flap
    after, turn = set_condition(after, at, AlertState.FIRING, AlertEvent.FIRING_AGAIN)
    return after, back + grade + flap + turn


def _resolves(episode: Episode, event: ExternalEvent, doubt: str) -> Moved:
    at, after = event.received_at, _heard(episode, event)
    if _is_late(episode, event):
        return after, ()
    after, turn = _turned(after, at) if episode.truth else (after, ())
    if doubt:
        after, held = mark_no_data(after, at, doubt, AlertEvent.HELD)
        return after, turn + held
    after, back = mark_fresh(after, at)
    after, end = advance_time(after, at)
    return after, turn + back + end


def _turned(episode: Episode, at: int) -> Moved:
    recent = record(episode.recent, changed=True)
    after, flap = update_flapping(replace(episode, recent=recent, truth=False, false_for=0), at)
    after, turn = set_condition(after, at, AlertState.CLEARING, AlertEvent.CLEARING)
    return after, flap + turn


def _is_late(episode: Episode, event: ExternalEvent) -> bool:
    """Whether it was overtaken, on its way here or at its source."""
    overtaken = event.received_at < episode.seen_at
    return overtaken or event.starts_at < (episode.fired_at or 0)


def _heard(episode: Episode, event: ExternalEvent) -> Episode:
    return replace(episode, seen_at=max(episode.seen_at, event.received_at))


def _why(event: ExternalEvent) -> str:
    skewed = "; its clock is wrong" if event.clock_skewed else ""
    return f"{event.summary or event.rule}{skewed}"
