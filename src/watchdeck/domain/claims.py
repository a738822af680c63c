"""Claims: what other systems say of an alert, and what that makes of its episode.

Whoever speaks has waited already, so a claim fires at once; `fired_at` is the start it claims. A
resolve is believed of a live source only.
"""

from __future__ import annotations

from dataclasses import replace

from watchdeck.domain.alert import Condition, EndReason, Episode, Transition, Verb
from watchdeck.domain.flapping import record, rested
from watchdeck.domain.foreign import ForeignEvent, Status
from watchdeck.domain.lifecycle import (
    NOTHING,
    Moved,
    Step,
    flapped,
    graded,
    over,
    refreshed,
    reopened,
    reopens,
    turned,
    unheard,
)

EARLY = 5 * 60_000
"""A resolve that overtook its firing cancels it for so long (ms)."""

MANUAL_REST = 60_000
"""A claim that goes on so long (ms) after a person called it over is a new episode."""

RESEND = 60_000
"""How often (ms) a source says the same again: what stands for a sample that did not change."""


def foreign(
    episode: Episode | None,
    event: ForeignEvent,
    previous: Episode | None = None,
    *,
    alive: bool = True,
) -> Step:
    """What an event makes of an open episode, or of none.

    `alive` tells that its source is heard from and that nothing says that its target is silent. An
    event from before the last one changes nothing; one of an older start is late, and counts as
    heard only. A new episode has no number, nor its alert's where there is no `previous`.
    """
    if event.status is Status.RESOLVED:
        return NOTHING if episode is None else _resolves(episode, event, alive=alive)
    if episode is None:
        return _begins(event, previous)
    if event.received_at < episode.seen_at or _is_late(episode, event):
        return _heard(episode, event), ()
    return _fires(episode, event)


def cancels(resolve: ForeignEvent, firing: ForeignEvent) -> bool:
    """Whether a resolve that was heard before its firing means just that firing."""
    same = resolve.fingerprint == firing.fingerprint and resolve.starts_at == firing.starts_at
    return same and 0 <= firing.received_at - resolve.received_at <= EARLY


def settled(episode: Episode, now: int, *, alive: bool) -> Moved:
    """What time makes of an open foreign episode: it calms down, and a held resolve is believed.

    To be asked now and then, of those that flap or are clearing.
    """
    calm = max(0, now - episode.seen_at) // RESEND
    after = replace(
        episode,
        recent=rested(episode.recent, calm),
        seen_at=episode.seen_at + calm * RESEND,
    )
    after, told = flapped(after, now)
    if after.condition is not Condition.CLEARING or not alive:
        return after, told
    after, back = refreshed(after, now)
    if after.flapping:
        return after, told + back
    after, end = over(after, now, EndReason.SOURCE, after.why)
    return after, told + back + end


def _begins(event: ForeignEvent, previous: Episode | None) -> Step:
    at = event.received_at
    if previous is not None and _is_answered(previous, event):
        return NOTHING
    if previous is not None and reopens(previous, at):
        after = replace(reopened(previous, at, RESEND), fired_at=event.starts_at, why=_why(event))
        told = Transition(Verb.REOPENED, at, after, after.why)
        after, worse = graded(after, event.severity, at)
        after, more = flapped(after, at)
        return after, (told, *worse, *more)
    begun = Episode(
        id=0,
        alert=0 if previous is None else previous.alert,
        started_at=event.starts_at,
        condition=Condition.FIRING,
        severity=event.severity,
        peak_severity=event.severity,
        why=_why(event),
        samples=1,
        seen_at=at,
        fired_at=event.starts_at,
    )
    return begun, (Transition(Verb.FIRED, at, begun, begun.why),)


def _is_answered(previous: Episode, event: ForeignEvent) -> bool:
    """Whether the end of an episode is the answer to this firing already."""
    since = event.received_at - (previous.ended_at or 0)
    if since <= 0 or previous.end_reason is EndReason.MANUAL:
        return since < MANUAL_REST
    return since <= EARLY and event.starts_at <= (previous.fired_at or 0)


def _fires(episode: Episode, event: ForeignEvent) -> Moved:
    at = event.received_at
    again = event.starts_at > (episode.fired_at or 0) or not episode.truth
    after = replace(
        _heard(episode, event),
        recent=record(episode.recent, changed=not episode.truth) if again else episode.recent,
        fired_at=event.starts_at,
        truth=True,
        why=_why(event),
    )
    after, told = refreshed(after, at)
    after, graded_ = graded(after, event.severity, at)
    after, flapped_ = flapped(after, at)
    told += graded_ + flapped_
    if after.condition is not Condition.CLEARING:
        return after, told
    after, turned_ = turned(after, at, Condition.FIRING, Verb.FIRING_AGAIN)
    return after, told + turned_


def _resolves(episode: Episode, event: ForeignEvent, *, alive: bool) -> Moved:
    at = event.received_at
    if at < episode.seen_at or _is_late(episode, event):
        return _heard(episode, event), ()
    if event.lapsed:
        return unheard(episode, at, "nobody said again that it fires", Verb.HELD)
    after = _heard(episode, event)
    told: tuple[Transition, ...] = ()
    if episode.truth:
        after = replace(after, recent=record(episode.recent, changed=True), truth=False)
        after, told = flapped(after, at)
        after, more = turned(after, at, Condition.CLEARING, Verb.CLEARING)
        told += more
    if not alive:
        after, held = unheard(after, at, "resolved by a source that cannot know", Verb.HELD)
        return after, told + held
    after, more = settled(after, at, alive=True)
    return after, told + more


def _is_late(episode: Episode, event: ForeignEvent) -> bool:
    return event.starts_at < (episode.fired_at or 0)


def _heard(episode: Episode, event: ForeignEvent) -> Episode:
    return replace(episode, seen_at=max(episode.seen_at, event.received_at))


def _why(event: ForeignEvent) -> str:
    skewed = "; its clock is wrong" if event.clock_skewed else ""
    return f"{event.summary or event.rule}{skewed}"
