"""The state machine of an external alert's episode, and why a resolve is not trusted.

The rule of the sender has waited already, so an event fires at once, and `fired_at` is the start in
the event. An untrusted resolve is held: its episode stays in clearing, without data.
"""

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    AlertEvent,
    AlertState,
    DataState,
    EndReason,
    Episode,
    Transition,
)
from watchdeck.domain.alerts.flapping import record_sample, record_unchanged
from watchdeck.domain.alerts.lifecycle import (
    NO_EPISODE,
    EpisodeUpdate,
    LifecycleResult,
    can_reopen,
    end_episode,
    fire_again,
    mark_fresh,
    mark_no_data,
    reopen,
    set_condition,
    set_severity,
    update_flapping,
)
from watchdeck.domain.external.event import ExternalEvent, Status
from watchdeck.domain.external.source import ExternalSource, RemoteAlertState
from watchdeck.domain.values.format import format_duration

EARLY_RESOLVE_WINDOW = 5 * 60_000
"""Time (ms) in which a resolve that arrives before its firing event cancels it."""

MANUAL_RESOLVE_GRACE = 60_000
"""Time (ms) after a manual resolve in which a repeated event starts no new episode."""

HELD_RESOLVE_RELEASE = 5 * 60_000
"""Time (ms) after which a held resolve ends its episode, once it is no longer distrusted.

If the trouble goes on, the alert fires again within this time.
"""

RESEND_INTERVAL = 60_000
"""Interval (ms) of a source's repetitions: each counts as one sample without a change."""

ALIVE_TOLERANCE = 1_500
"""Time (ms) by which a sender must outlive the end of an alert to count as alive."""

DEADMAN_MARGIN = 2 * 60_000
"""Time (ms) after an end at which a dead man's switch that is repeated proves its sender alive.

A Prometheus that died lets both lapse together, but for two of its resend intervals.
"""


def apply_event(
    episode: Episode | None,
    event: ExternalEvent,
    previous: Episode | None = None,
    *,
    doubt: str = "",
) -> LifecycleResult:
    """Apply an event to an open episode, or start one.

    `previous` is the newest ended episode of the alert; it may reopen. `doubt` is the reason to
    distrust a resolve, which then does not end the episode; empty when it is trusted. An event
    older than the newest one applied only updates `seen_at`. A new episode has id 0, and the alert
    id of `previous`, or 0. Returns NO_EPISODE when none is open and none starts.
    """
    if event.status is Status.RESOLVED:
        return NO_EPISODE if episode is None else _apply_resolve(episode, event, doubt)
    if episode is None:
        return _begin(event, previous)
    if _is_late(episode, event):
        return _update_seen_at(episode, event), ()
    return _apply_firing(episode, event)


def is_resolve_of(resolve: ExternalEvent, firing: ExternalEvent) -> bool:
    """Whether a resolve of the same alert came at most `EARLY_RESOLVE_WINDOW` before `firing`."""
    mine = (resolve.source, resolve.fingerprint, resolve.told or resolve.starts_at)
    theirs = (firing.source, firing.fingerprint, firing.told or firing.starts_at)
    return mine == theirs and 0 <= firing.received_at - resolve.received_at <= EARLY_RESOLVE_WINDOW


def advance_time(
    episode: Episode, now: int, *, doubt: str = "", is_proved: bool = False
) -> EpisodeUpdate:
    """Advance the timers of an open external episode: flapping ends, and resolves take effect.

    Call it regularly for episodes that flap or are clearing. While there is a
    `doubt` (why a resolve is not trusted), the resolve does not end the episode; a resolve that
    `is_proved` ends it without the wait of `HELD_RESOLVE_RELEASE`.
    Timers run one `RESEND_INTERVAL` behind, so that events still to be evaluated are not late.
    """
    repeats = max(0, now - episode.seen_at - RESEND_INTERVAL) // RESEND_INTERVAL
    after = replace(
        episode,
        recent=record_unchanged(episode.recent, repeats),
        false_for=0 if doubt else episode.false_for + repeats * RESEND_INTERVAL,
        seen_at=episode.seen_at + repeats * RESEND_INTERVAL,
    )
    after, transitions = update_flapping(after, now)
    is_settled = is_proved or after.false_for >= HELD_RESOLVE_RELEASE
    held = after.data is DataState.NONE and not is_settled
    if after.condition is not AlertState.CLEARING or after.flapping or doubt or held:
        return after, transitions
    after, back = mark_fresh(after, now)
    after, end = end_episode(after, now, EndReason.SOURCE, after.why)
    return after, transitions + back + end


def _begin(event: ExternalEvent, previous: Episode | None) -> LifecycleResult:
    at = event.received_at
    if previous is not None and _is_already_ended(previous, event):
        return NO_EPISODE
    if previous is not None and can_reopen(previous, at):
        after = reopen(previous, at, RESEND_INTERVAL)
        after = replace(after, fired_at=event.starts_at, why=_why(event))
        again = Transition(AlertEvent.REOPENED, at, after, after.why)
        after, worse = set_severity(after, event.severity, at)
        after, more = update_flapping(after, at)
        return after, (again, *worse, *more)
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
        firings=(at,),
    )
    return begun, (Transition(AlertEvent.FIRED, at, begun, begun.why),)


def _is_already_ended(previous: Episode, event: ExternalEvent) -> bool:
    """Whether an episode that ended already covers this firing event."""
    if event.received_at < previous.seen_at:
        return True
    since = event.received_at - (previous.ended_at or 0)
    if previous.end_reason is EndReason.MANUAL:
        return since < MANUAL_RESOLVE_GRACE
    return since <= EARLY_RESOLVE_WINDOW and event.starts_at <= (previous.fired_at or 0)


def _apply_firing(episode: Episode, event: ExternalEvent) -> EpisodeUpdate:
    at = event.received_at
    recent = episode.recent
    if event.starts_at > (episode.fired_at or 0) or not episode.truth:
        recent = record_sample(recent, changed=not episode.truth)
    after = replace(
        _update_seen_at(episode, event),
        recent=recent,
        fired_at=event.starts_at,
        truth=True,
        why=_why(event),
    )
    after, back = mark_fresh(after, at)
    after, grade = set_severity(after, event.severity, at)
    after, flap = update_flapping(after, at)
    if after.condition is not AlertState.CLEARING:
        return after, back + grade + flap
    after, turn = fire_again(after, at)
    return after, back + grade + flap + turn


def _apply_resolve(episode: Episode, event: ExternalEvent, doubt: str) -> EpisodeUpdate:
    at, after = event.received_at, _update_seen_at(episode, event)
    if _is_late(episode, event):
        return after, ()
    after, turn = _start_clearing(after, at) if episode.truth else (after, ())
    if doubt:
        after, held = mark_no_data(after, at, doubt, AlertEvent.HELD)
        return after, turn + held
    after, back = mark_fresh(after, at)
    after, end = advance_time(after, at)
    return after, turn + back + end


def _start_clearing(episode: Episode, at: int) -> EpisodeUpdate:
    recent = record_sample(episode.recent, changed=True)
    after, flap = update_flapping(replace(episode, recent=recent, truth=False, false_for=0), at)
    after, turn = set_condition(after, at, AlertState.CLEARING, AlertEvent.CLEARING)
    return after, flap + turn


def _is_late(episode: Episode, event: ExternalEvent) -> bool:
    """Whether an event is older than the newest one, by its arrival or by the alert's start."""
    overtaken = event.received_at < episode.seen_at
    return overtaken or event.starts_at < (episode.fired_at or 0)


def _update_seen_at(episode: Episode, event: ExternalEvent) -> Episode:
    return replace(episode, seen_at=max(episode.seen_at, event.received_at))


def _why(event: ExternalEvent) -> str:
    skewed = "; its clock is wrong" if event.clock_skewed else ""
    return f"{event.summary or event.rule}{skewed}"


class ResolveContext(Struct, frozen=True):
    """The facts that decide whether a resolve is trusted, at `now` (ms UTC)."""

    now: int
    source: ExternalSource
    last: RemoteAlertState | None = None
    """The last state that the source reported while the alert fired."""
    alive_at: int | None = None
    """When the sender was last known to be alive (ms UTC)."""
    silent_for: int = 0
    """How long the source has been silent (ms), if that is too long; else 0."""
    absent: tuple[str, ...] = ()
    """The rules of firing alerts that say that the target sends no data."""
    is_model_silent: bool = False
    """Whether watchdeck itself gets no data from the model."""


def is_expiry(event: ExternalEvent, context: ResolveContext) -> bool:
    """Whether a resolve only means that the Prometheus behind it stopped repeating the alert.

    Its Alertmanager then resolves the alert at the `ends_at` that Prometheus sent last.
    """
    ends_at = event.ends_at or event.received_at
    if not (event.lapsed or _is_unrenewed_end(event, ends_at, context.last)):
        return False
    return context.alive_at is None or context.alive_at <= ends_at + ALIVE_TOLERANCE


def reason_to_distrust(event: ExternalEvent, context: ResolveContext) -> str:
    """Why a resolve cannot be trusted now; empty when it can."""
    if is_expiry(event, context):
        return f"{event.sender or 'its sender'} fell silent, and did not say that it is over"
    return _source_doubt(event, context) or target_doubt(context)


def is_proved_end(event: ExternalEvent, context: ResolveContext) -> bool:
    """Whether a resolve that was held is proved: its sender was alive later, and did not fire it.

    A target without data proves nothing: its sender could not see whether the alert goes on.
    """
    if event.was_target_silent or context.alive_at is None:
        return False
    return context.alive_at > (event.ends_at or event.received_at)


def _is_unrenewed_end(event: ExternalEvent, ends_at: int, last: RemoteAlertState | None) -> bool:
    return last is not None and (last.told, last.promise) == (event.told, ends_at)


def _source_doubt(event: ExternalEvent, context: ResolveContext) -> str:
    source, ends_at = context.source, event.ends_at or event.received_at
    if context.now < source.held_until:
        return f"{source.name} started anew, and may not know yet"
    if context.silent_for:
        return f"{source.name} is silent for {format_duration(context.silent_for)}"
    if source.deadman and (context.alive_at is None or context.alive_at < ends_at):
        return f"{source.deadman} was not heard since"
    return ""


def target_doubt(context: ResolveContext) -> str:
    """Why the target of a resolve may not have been seen; empty when it was."""
    if context.absent:
        return f"{context.absent[0]} says that there is no data"
    return "its model says nothing" if context.is_model_silent else ""
