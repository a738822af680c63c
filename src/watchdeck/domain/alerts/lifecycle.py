"""An episode's life: what one more sample, or the want of one, makes of it.

Timers count the time that samples cover; a hole between two counts as one interval.
"""

from __future__ import annotations

from typing import Any

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
from watchdeck.domain.alerts.flapping import flaps, record, rested
from watchdeck.domain.rules.rule import NoData, Rule
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.severity import Severity

REOPEN_WINDOW = 15 * 60_000
"""An alert that is true again so soon (ms) after it was over is the same episode, and no news."""

RESTART_HOLD = 60_000
"""After a restart nothing is called silent for at least so long (ms)."""

SILENT_INTERVALS = 3
"""Intervals without a sample that are no data, where a rule does not say otherwise."""

Moved = tuple[Episode, tuple[Transition, ...]]
"""An episode as it is after something, and what happened to it on the way."""

LifecycleResult = tuple[Episode | None, tuple[Transition, ...]]
"""The same where there may be no episode at all."""

NOTHING: LifecycleResult = (None, ())

_REOPENS = (EndReason.CLEARED, EndReason.SOURCE)


class Evaluation(Struct, frozen=True):
    """What a rule found at `at` (ms UTC): true, false, or None where it cannot be told.

    `samples` is how many samples it rests on.
    """

    truth: bool | None
    value: float | None
    limit: float | None
    why: str
    at: int
    samples: int = 1


def advance(
    rule: Rule,
    every: int,
    episode: Episode | None,
    finding: Evaluation,
    previous: Episode | None = None,
) -> LifecycleResult:
    """What a finding makes of an open episode, or of none; `every` is the interval in ms.

    `previous` is the alert's newest episode that is over: if that was less than a quarter of an
    hour ago, it opens again. A new episode has no number, nor its alert's where there is no
    `previous`. A finding that is no newer than the last one changes nothing.
    """
    if episode is None:
        return _begin(rule, every, finding, previous) if finding.truth else NOTHING
    if finding.at <= episode.seen_at:
        return episode, ()
    if finding.truth is None:
        return mark_no_data_if_due(rule, every, episode, finding.at)
    return _lived(rule, _seen(every, episode, finding, finding.truth), finding.at)


def mark_no_data_if_due(rule: Rule, every: int, episode: Episode, now: int) -> Moved:
    """What it means that nothing came until `now` (ms UTC): the condition is held, never resolved.

    The want of data is told once, after `silent_after` or, after a restart, a little later.
    """
    patience = silent_after(rule, every)
    if episode.data is DataState.STALE:
        patience = max(rule.no_data_after, 2 * every, RESTART_HOLD)
    quiet = now - episode.seen_at
    if quiet <= patience:
        return episode, ()
    return mark_no_data(episode, now, f"no sample for {format_duration(quiet)}")


def silent_after(rule: Rule, every: int) -> int:
    """How long (ms) without a sample is no data."""
    return rule.no_data_after or SILENT_INTERVALS * every


def apply_no_data_policy(rule: Rule, every: int, finding: Evaluation, heard_at: int) -> Evaluation:
    """The finding under a rule that takes silence for trouble (`fire`): silence makes it true.

    `heard_at` is the model's newest good sample (ms UTC). Other policies change nothing here.
    """
    quiet = finding.at - heard_at
    told = finding.truth is not None or rule.no_data is not NoData.FIRE
    if told or quiet <= silent_after(rule, every):
        return finding
    return replace(finding, truth=True, why=f"no sample for {format_duration(quiet)}")


def mark_no_data(
    episode: Episode, at: int, why: str, verb: AlertEvent = AlertEvent.NO_DATA
) -> Moved:
    """An episode without data: what it was is held, and the want of data happens once."""
    if episode.data is DataState.NONE:
        return episode, ()
    after = replace(episode, data=DataState.NONE)
    return after, (Transition(verb, at, after, why),)


def mark_stale(episode: Episode, now: int) -> Episode:
    """An open episode as a collector that starts finds it: stale until a sample proves better.

    The time in which nobody collected counts for nothing. One without data stays so.
    """
    if episode.data is DataState.NONE:
        return episode
    return replace(episode, data=DataState.STALE, seen_at=max(now, episode.seen_at))


def shift_times(episode: Episode, jump: int) -> Episode:
    """An episode after the wall clock jumped by `jump` (ms): what it waits for is as far as before.

    When it began and fired stays what people saw on the wall.
    """
    waits = ("seen_at", "paged_at", "worse_at", "flapped_at", "ended_at")
    times = {name: getattr(episode, name) for name in waits}
    return replace(episode, **{name: at + jump for name, at in times.items() if at is not None})


def end_episode(episode: Episode, at: int, reason: EndReason, why: str) -> Moved:
    """The end of an episode, for a reason that entitles it to end: silence is none.

    A rule or model that a person took away is `withdrawn`.
    """
    after = replace(episode, condition=AlertState.OK, ended_at=at, end_reason=reason)
    verb = AlertEvent.DROPPED if reason is EndReason.DROPPED else AlertEvent.RESOLVED
    return after, (Transition(verb, at, after, why),)


def reopens(previous: Episode | None, at: int) -> bool:
    """Whether an alert that is true at `at` (ms UTC) is still the episode that was over."""
    if previous is None or previous.ended_at is None or previous.end_reason not in _REOPENS:
        return False
    return at - previous.ended_at <= REOPEN_WINDOW


def reopened(previous: Episode, at: int, every: int) -> Episode:
    """The episode that was over, firing again: while it was over, it was calm.

    Nobody is told anew; that nobody takes it counts from here.
    """
    rest = at - (previous.ended_at or at)
    return replace(
        previous,
        condition=AlertState.FIRING,
        data=DataState.FRESH,
        recent=record(rested(previous.recent, rest // max(every, 1) - 1), changed=True),
        truth=True,
        false_for=0,
        seen_at=at,
        fired_at=at,
        paged_at=None if previous.paged_at is None else at,
        ended_at=None,
        end_reason=None,
        reopened=previous.reopened + 1,
    )


def set_severity(episode: Episode, severity: Severity, at: int) -> Moved:
    """An episode of another severity, if it is another; a rise is what nobody may miss."""
    if severity == episode.severity:
        return episode, ()
    worse = severity < episode.severity
    after = replace(
        episode,
        severity=severity,
        peak_severity=min(severity, episode.peak_severity),
        worse_at=at if worse else episode.worse_at,
    )
    why = f"severity {episode.severity:d} → {severity:d}"
    return after, (Transition(AlertEvent.WORSE if worse else AlertEvent.BETTER, at, after, why),)


def update_flapping(episode: Episode, at: int) -> Moved:
    """An episode that began or ceased to flap, if it did."""
    flapping = flaps(episode.recent, flapping=episode.flapping)
    if flapping == episode.flapping:
        return episode, ()
    flapped_at = at if flapping else episode.flapped_at
    after = replace(episode, flapping=flapping, flapped_at=flapped_at)
    verb = AlertEvent.FLAPPING_ON if flapping else AlertEvent.FLAPPING_OFF
    return after, (Transition(verb, at, after, after.why),)


def mark_fresh(episode: Episode, at: int) -> Moved:
    """An episode of which something was heard again."""
    if episode.data is DataState.FRESH:
        return episode, ()
    after = replace(episode, data=DataState.FRESH)
    back = episode.data is DataState.NONE
    return after, ((Transition(AlertEvent.DATA_BACK, at, after, after.why),) if back else ())


def set_condition(episode: Episode, at: int, condition: AlertState, verb: AlertEvent) -> Moved:
    """An episode in another condition."""
    after = replace(episode, condition=condition)
    return after, (Transition(verb, at, after, after.why),)


def _begin(
    rule: Rule, every: int, finding: Evaluation, previous: Episode | None
) -> LifecycleResult:
    if previous is not None and _too_soon(rule, previous, finding.at):
        return NOTHING
    if previous is not None and reopens(previous, finding.at):
        after = reopened(previous, finding.at, every)
        after = replace(after, **_said(after, finding))
        again = Transition(AlertEvent.REOPENED, finding.at, after, finding.why)
        after, more = _lived(rule, after, finding.at)
        return after, (again, *more)
    begun = Episode(
        id=0,
        alert=0 if previous is None else previous.alert,
        started_at=finding.at,
        condition=AlertState.PENDING,
        severity=rule.severity,
        peak_severity=rule.severity,
        value=finding.value,
        peak=finding.value,
        limit=finding.limit,
        why=finding.why,
        samples=finding.samples,
        seen_at=finding.at,
    )
    after, fired = _ripened(rule, begun, finding.at)
    return after, fired or (Transition(AlertEvent.PENDING, finding.at, begun, finding.why),)


def _too_soon(rule: Rule, previous: Episode, at: int) -> bool:
    """Whether a finding is older than the end, or a person's end must be given its time."""
    since = at - (previous.ended_at or at)
    return since <= 0 or (previous.end_reason is EndReason.MANUAL and since < rule.resolve_for)


def _seen(every: int, episode: Episode, finding: Evaluation, truth: bool) -> Episode:  # noqa: FBT001
    """The episode with one more sample counted, before anything is made of it."""
    gap = finding.at - episode.seen_at
    whole = gap < 2 * every and episode.data is DataState.FRESH
    gained = gap if whole else min(gap, every)
    pending = episode.condition is AlertState.PENDING
    return replace(
        episode,
        **_said(episode, finding),
        observed=episode.observed + gained * (pending and truth),
        samples=max(finding.samples, episode.samples + 1) if truth else episode.samples,
        false_for=0 if truth or episode.truth else episode.false_for + gained,
        recent=record(episode.recent, changed=truth != episode.truth),
        truth=truth,
        seen_at=finding.at,
    )


def _said(episode: Episode, finding: Evaluation) -> dict[str, Any]:
    """What a finding says of an episode, as its fields: one copy of it costs 20 us."""
    peak = _worst(episode.peak, finding.value, finding.limit) if finding.truth else episode.peak
    return {"value": finding.value, "peak": peak, "limit": finding.limit, "why": finding.why}


def _worst(peak: float | None, value: float | None, limit: float | None) -> float | None:
    """The value that is furthest past the limit, on whichever side that is."""
    if peak is None or value is None:
        return peak if value is None else value
    return max(peak, value, key=lambda one: abs(one - (limit or 0.0)))


def _lived(rule: Rule, episode: Episode, at: int) -> Moved:
    """All that a counted sample can lead to, in the order in which it happens."""
    told: tuple[Transition, ...] = ()
    for stage in _STAGES:
        episode, more = stage(rule, episode, at)
        told += more
    return episode, told


def _turned(_: Rule, episode: Episode, at: int) -> Moved:
    match episode.condition, episode.truth:
        case AlertState.PENDING, False:
            return end_episode(episode, at, EndReason.DROPPED, episode.why)
        case AlertState.FIRING, False:
            return set_condition(episode, at, AlertState.CLEARING, AlertEvent.CLEARING)
        case AlertState.CLEARING, True:
            return set_condition(episode, at, AlertState.FIRING, AlertEvent.FIRING_AGAIN)
    return episode, ()


def _ripened(rule: Rule, episode: Episode, at: int) -> Moved:
    waits = episode.observed < rule.hold or episode.samples < rule.min_samples
    if waits or episode.condition is not AlertState.PENDING:
        return episode, ()
    fired = replace(episode, fired_at=at)
    return set_condition(fired, at, AlertState.FIRING, AlertEvent.FIRED)


def _healed(rule: Rule, episode: Episode, at: int) -> Moved:
    waits = episode.false_for < rule.resolve_for or episode.flapping
    if waits or episode.condition is not AlertState.CLEARING:
        return episode, ()
    return end_episode(episode, at, EndReason.CLEARED, episode.why)


_STAGES = (
    lambda _, episode, at: mark_fresh(episode, at),
    lambda rule, episode, at: set_severity(episode, rule.severity, at),
    lambda _, episode, at: update_flapping(episode, at),
    _turned,
    _ripened,
    _healed,
)
