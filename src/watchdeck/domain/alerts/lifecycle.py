"""The state machine of an episode: pending, firing, clearing, ended.

Every function is pure and takes the time. Timers count only the time that samples cover: a long gap
between two samples counts as one scrape interval.
"""

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
from watchdeck.domain.alerts.flapping import (
    is_flapping,
    record_firing,
    record_sample,
    record_unchanged,
)
from watchdeck.domain.rules.rule import NoData, Rule, Severity
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.wall_clock import shift_earlier_time

REOPEN_WINDOW = 15 * 60_000
"""An alert that is true again within this time (ms) after its end reopens the same episode."""

RESTART_GRACE = 60_000
"""Shortest time (ms) after a restart before an episode counts as without data."""

NO_DATA_INTERVALS = 3
"""Scrape intervals without a sample that mean no data, unless the rule sets a time."""

EpisodeUpdate = tuple[Episode, tuple[Transition, ...]]
"""An episode after an update, and the transitions of the update."""

LifecycleResult = tuple[Episode | None, tuple[Transition, ...]]
"""An `EpisodeUpdate`; without an episode, None and no transitions."""

NO_EPISODE: LifecycleResult = (None, ())

_REOPENABLE = (EndReason.CLEARED, EndReason.SOURCE)


class Evaluation(Struct, frozen=True):
    """The result of a rule at `at` (ms UTC); `truth` is None when it is unknown.

    `value` was compared with `limit`; `samples` is the number of samples behind the result.
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
    evaluation: Evaluation,
    previous: Episode | None = None,
) -> LifecycleResult:
    """Apply an evaluation to an open episode, or start one; `every` is the scrape interval (ms).

    `previous` is the newest ended episode of the alert; it reopens within `REOPEN_WINDOW`. A new
    episode has id 0, and the alert id of `previous`, or 0. An evaluation not newer than the last
    one changes nothing. Returns NO_EPISODE when none is open and none starts.
    """
    if episode is None:
        return _begin(rule, every, evaluation, previous) if evaluation.truth else NO_EPISODE
    if evaluation.at <= episode.seen_at:
        return episode, ()
    if evaluation.truth is None:
        return mark_no_data_if_due(rule, every, episode, evaluation.at, evaluation.why)
    after = _count_sample(every, episode, evaluation, evaluation.truth)
    return _run_stages(rule, after, evaluation.at)


def mark_no_data_if_due(
    rule: Rule, every: int, episode: Episode, now: int, unknown: str = ""
) -> EpisodeUpdate:
    """Mark an episode as without data when its last sample is too old at `now` (ms UTC).

    Its condition stays as it was: missing data never resolves an alert. Too old means older than
    `no_data_timeout`, and after a restart at least `RESTART_GRACE`. With scrapes that do not tell
    the value, `unknown` says what they tell instead; the reason of the episode then says that its
    figure is an old one.
    """
    timeout = no_data_timeout(rule, every)
    if episode.data is DataState.STALE:
        timeout = max(rule.no_data_after, 2 * every, RESTART_GRACE)
    silent_for = now - episode.seen_at
    if silent_for <= timeout:
        return episode, ()
    if not unknown:
        return mark_no_data(episode, now, f"no sample for {format_duration(silent_for)}")
    after, steps = mark_no_data(episode, now, f"not known now: {unknown}")
    return replace(after, why=f"not known now; it was {episode.why}") if steps else after, steps


def no_data_timeout(rule: Rule, every: int) -> int:
    """The time (ms) without a sample after which an episode counts as without data."""
    return rule.no_data_after or NO_DATA_INTERVALS * every


def apply_no_data_policy(
    rule: Rule, every: int, evaluation: Evaluation, sample_at: int
) -> Evaluation:
    """Make an unknown evaluation true under a rule that fires without data (`no_data = "fire"`).

    `sample_at` is the time (ms UTC) of the model's newest good sample. Until `no_data_timeout` has
    passed since then, and under other rules, the evaluation is returned unchanged.
    """
    silent_for = evaluation.at - sample_at
    is_settled = evaluation.truth is not None or rule.no_data is not NoData.FIRE
    if is_settled or silent_for <= no_data_timeout(rule, every):
        return evaluation
    return replace(evaluation, truth=True, why=f"no sample for {format_duration(silent_for)}")


def mark_no_data(
    episode: Episode, at: int, why: str, verb: AlertEvent = AlertEvent.NO_DATA
) -> EpisodeUpdate:
    """Mark an episode as without data, unless it is already; its condition stays as it was.

    `verb` is the event of the transition, and `why` its reason for people.
    """
    if episode.data is DataState.NONE:
        return episode, ()
    after = replace(episode, data=DataState.NONE)
    return after, (Transition(verb, at, after, why),)


def mark_stale(episode: Episode, now: int) -> Episode:
    """Mark an open episode as stale when the collector starts, unless its data state is `none`.

    Its `seen_at` becomes `now` (ms UTC), so that no timer counts the time without a collector.
    """
    if episode.data is DataState.NONE:
        return episode
    return replace(episode, data=DataState.STALE, seen_at=max(now, episode.seen_at))


def shift_times(episode: Episode, jump: int, now: int) -> Episode:
    """Move the times from which timers count, after the wall clock jumped by `jump` (ms) to `now`.

    `started_at` and `fired_at` do not move: people have already seen them.
    """
    names = ("seen_at", "paged_at", "worse_at", "flapped_at", "muted_at", "ended_at")
    times = {name: getattr(episode, name) for name in names}
    moved: dict[str, Any] = {
        name: shift_earlier_time(at, jump, now) for name, at in times.items() if at is not None
    }
    firings = tuple(shift_earlier_time(at, jump, now) for at in episode.firings)
    return replace(episode, **moved, firings=firings)


def end_episode(episode: Episode, at: int, reason: EndReason, why: str) -> EpisodeUpdate:
    """End an episode at `at` (ms UTC) for a reason; `why` explains it to people."""
    after = replace(episode, condition=AlertState.OK, ended_at=at, end_reason=reason)
    verb = AlertEvent.DROPPED if reason is EndReason.DROPPED else AlertEvent.RESOLVED
    return after, (Transition(verb, at, after, why),)


def can_reopen(previous: Episode | None, at: int) -> bool:
    """Whether an ended episode reopens when its alert is true again at `at` (ms UTC).

    It does within `REOPEN_WINDOW`, if it had cleared or its source had resolved it.
    """
    if previous is None or previous.ended_at is None or previous.end_reason not in _REOPENABLE:
        return False
    return at - previous.ended_at <= REOPEN_WINDOW


def reopen(previous: Episode, at: int, every: int) -> Episode:
    """Reopen an ended episode as firing; its escalation clock restarts.

    For flapping, each `every` ms since its end counts as one sample without a change.
    """
    calm = at - (previous.ended_at or at)
    recent = record_unchanged(previous.recent, calm // max(every, 1) - 1)
    return replace(
        record_firing(previous, at),
        condition=AlertState.FIRING,
        data=DataState.FRESH,
        recent=record_sample(recent, changed=True),
        truth=True,
        false_for=0,
        seen_at=at,
        fired_at=at,
        paged_at=None if previous.paged_at is None else at,
        ended_at=None,
        end_reason=None,
        reopened=previous.reopened + 1,
    )


def set_severity(episode: Episode, severity: Severity, at: int) -> EpisodeUpdate:
    """Set the severity of an episode; when it rises, silences begun earlier no longer mute it."""
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


def update_flapping(episode: Episode, at: int) -> EpisodeUpdate:
    """Start or end the flapping of an episode."""
    flapping = is_flapping(episode, at)
    if flapping == episode.flapping:
        return episode, ()
    flapped_at = at if flapping else episode.flapped_at
    after = replace(episode, flapping=flapping, flapped_at=flapped_at)
    verb = AlertEvent.FLAPPING_ON if flapping else AlertEvent.FLAPPING_OFF
    return after, (Transition(verb, at, after, after.why),)


def mark_fresh(episode: Episode, at: int) -> EpisodeUpdate:
    """Mark an episode as fresh, with a transition only when it was without data."""
    if episode.data is DataState.FRESH:
        return episode, ()
    after = replace(episode, data=DataState.FRESH)
    back = episode.data is DataState.NONE
    return after, ((Transition(AlertEvent.DATA_BACK, at, after, after.why),) if back else ())


def set_condition(
    episode: Episode, at: int, condition: AlertState, verb: AlertEvent
) -> EpisodeUpdate:
    """Set the condition of an episode, with one transition for the event `verb`."""
    after = replace(episode, condition=condition)
    return after, (Transition(verb, at, after, after.why),)


def fire_again(episode: Episode, at: int) -> EpisodeUpdate:
    """Set a clearing episode back to firing; for flapping, it counts where its end was held."""
    after = record_firing(episode, at) if episode.flapping else episode
    return set_condition(after, at, AlertState.FIRING, AlertEvent.FIRING_AGAIN)


def _begin(
    rule: Rule, every: int, evaluation: Evaluation, previous: Episode | None
) -> LifecycleResult:
    at = evaluation.at
    if previous is not None and _is_too_soon(rule, previous, at):
        return NO_EPISODE
    if previous is not None and can_reopen(previous, at):
        after = reopen(previous, at, every)
        after = replace(after, **_evaluation_fields(after, evaluation))
        again = Transition(AlertEvent.REOPENED, at, after, evaluation.why)
        after, more = _run_stages(rule, after, at)
        return after, (again, *more)
    begun = Episode(
        id=0,
        alert=0 if previous is None else previous.alert,
        started_at=at,
        condition=AlertState.PENDING,
        severity=rule.severity,
        peak_severity=rule.severity,
        value=evaluation.value,
        peak=evaluation.value,
        limit=evaluation.limit,
        why=evaluation.why,
        samples=evaluation.samples,
        seen_at=at,
    )
    after, fired = _fire_if_due(rule, begun, at)
    return after, fired or (Transition(AlertEvent.PENDING, at, begun, begun.why),)


def _is_too_soon(rule: Rule, previous: Episode, at: int) -> bool:
    """Whether a new episode may not start: before the last end, or right after a manual resolve."""
    since = at - (previous.ended_at or at)
    return since <= 0 or (previous.end_reason is EndReason.MANUAL and since < rule.resolve_for)


def _count_sample(every: int, episode: Episode, evaluation: Evaluation, truth: bool) -> Episode:  # noqa: FBT001
    """Count one more sample in the timers; the condition does not change yet."""
    gap = evaluation.at - episode.seen_at
    whole = gap < 2 * every and episode.data is DataState.FRESH
    gained = gap if whole else min(gap, every)
    pending = episode.condition is AlertState.PENDING
    return replace(
        episode,
        **_evaluation_fields(episode, evaluation),
        observed=episode.observed + gained * (pending and truth),
        samples=max(evaluation.samples, episode.samples + 1) if truth else episode.samples,
        false_for=0 if truth or episode.truth else episode.false_for + gained,
        recent=record_sample(episode.recent, changed=truth != episode.truth),
        truth=truth,
        seen_at=evaluation.at,
    )


def _evaluation_fields(episode: Episode, evaluation: Evaluation) -> dict[str, Any]:
    """The fields that an evaluation sets, for one `replace`: a copy of an episode costs 20 us."""
    value, limit, peak = evaluation.value, evaluation.limit, episode.peak
    if evaluation.truth:
        peak = _worse_value(peak, value, limit)
    return {"value": value, "peak": peak, "limit": limit, "why": evaluation.why}


def _worse_value(peak: float | None, value: float | None, limit: float | None) -> float | None:
    """The value that is further from the limit, on either side of it."""
    if peak is None or value is None:
        return peak if value is None else value
    return max(peak, value, key=lambda one: abs(one - (limit or 0.0)))


def _run_stages(rule: Rule, episode: Episode, at: int) -> EpisodeUpdate:
    """Run every stage of a counted sample, in order."""
    transitions: tuple[Transition, ...] = ()
    for stage in _STAGES:
        episode, more = stage(rule, episode, at)
        transitions += more
    return episode, transitions


def _update_condition(_: Rule, episode: Episode, at: int) -> EpisodeUpdate:
    match episode.condition, episode.truth:
        case AlertState.PENDING, False:
            return end_episode(episode, at, EndReason.DROPPED, episode.why)
        case AlertState.FIRING, False:
            return set_condition(episode, at, AlertState.CLEARING, AlertEvent.CLEARING)
        case AlertState.CLEARING, True:
            return fire_again(episode, at)
    return episode, ()


def _fire_if_due(rule: Rule, episode: Episode, at: int) -> EpisodeUpdate:
    waits = episode.observed < rule.hold or episode.samples < rule.min_samples
    if waits or episode.condition is not AlertState.PENDING:
        return episode, ()
    fired = replace(record_firing(episode, at), fired_at=at)
    return set_condition(fired, at, AlertState.FIRING, AlertEvent.FIRED)


def _clear_if_due(rule: Rule, episode: Episode, at: int) -> EpisodeUpdate:
    waits = episode.false_for < rule.resolve_for or episode.flapping
    if waits or episode.condition is not AlertState.CLEARING:
        return episode, ()
    return end_episode(episode, at, EndReason.CLEARED, episode.why)


_STAGES = (
    lambda _, episode, at: mark_fresh(episode, at),
    lambda rule, episode, at: set_severity(episode, rule.severity, at),
    lambda _, episode, at: update_flapping(episode, at),
    _update_condition,
    _fire_if_due,
    _clear_if_due,
)
