"""Evaluation of external alerts: events become episodes; a silent source never resolves one."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    Alert,
    AlertEvent,
    AlertState,
    DataState,
    Episode,
    EpisodeOfAlert,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import Evaluation, advance, mark_no_data
from watchdeck.domain.external.event import ExternalEvent, Status
from watchdeck.domain.external.lifecycle import (
    DEADMAN_MARGIN,
    EARLY_RESOLVE_WINDOW,
    ResolveContext,
    advance_time,
    apply_event,
    is_proved_end,
    is_resolve_of,
    reason_to_distrust,
    target_doubt,
)
from watchdeck.domain.external.source import (
    ExternalSource,
    RemoteAlertState,
    SourceProtocol,
    repeat_event,
)
from watchdeck.domain.rules.rule import Absent, Rule, RuleFamily, Severity, labels_of
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.format import format_duration
from watchdeck.logs import FailureEvents, FailureLog
from watchdeck.store.alerts.episodes import alert_id, read_episodes
from watchdeck.store.alerts.external import (
    PendingResolve,
    defer_resolve,
    delete_old_events,
    drop_deferred,
    has_pending_events,
    mark_alive,
    mark_lost,
    mark_processed,
    pending_events,
    read_deferred,
    read_open_external,
    read_remote_states,
    read_sources,
    sender_alive_at,
)
from watchdeck.store.files.connection import Connection

_log = logging.getLogger(__name__)

SILENCES = FailureEvents("source", "source is silent", "source is heard again")
"""The log lines about the silence of an external source."""

CHECK_INTERVAL = 5_000
"""Milliseconds between two checks for silent sources and held resolves, which need no event."""

AlertKey = tuple[str, str]
"""The source and fingerprint of an external alert."""

Labels = Mapping[str, str]

SaveTransitions = Callable[[Alert, Episode, tuple[Transition, ...]], Episode | None]
"""Saves an episode with its transitions and messages, in the caller's transaction.

Returns the episode as saved, with its number; None when another process changed it first.
"""

SILENT_SOURCE = Rule(
    name="source_silent",
    when="a source of alerts is silent",
    test=Absent(),
    severity=Severity.HIGH,
    resolve_for=0,
    family=RuleFamily.FAILURE,
)
"""The rule of the one alert that reports a silent source."""

_SILENT_FINGERPRINT = "source silent"
"""The fingerprint of that alert; no sender can use it, since it has a blank."""


class ExternalSchedule:
    """When to evaluate external alerts: at once after an event, else every CHECK_INTERVAL.

    Without any source nothing is ever due.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._evaluated_at: int | None = None

    def is_due(self, now: int) -> bool:
        """Whether to evaluate at `now` (ms UTC): events are pending, or the interval is over."""
        last = self._evaluated_at
        if last is not None and abs(now - last) < CHECK_INTERVAL:
            return has_pending_events(self._db)
        self._evaluated_at = now
        return bool(read_sources(self._db)) or has_pending_events(self._db)


def label_index(endpoints: Collection[EndpointFacts]) -> dict[str, Labels]:
    """The labels of each endpoint by its name, and by its model if no other endpoint serves it."""
    by_name: dict[str, Labels] = {facts.name: labels_of(facts) for facts in endpoints}
    served = Counter(facts.model for facts in endpoints)
    by_model = {
        facts.model: by_name[facts.name]
        for facts in endpoints
        if facts.model and served[facts.model] == 1
    }
    return by_model | by_name


class ExternalEvaluation:
    """One evaluation of all external alerts at `now` (ms UTC), in the caller's transaction.

    Args:
        save: Saves each changed episode.
        down_models: Models that send no data; resolves of their alerts are not trusted.
        labels: The result of `label_index`; an alert about an endpoint gets its labels.
        suppressed: Filled with what mutes each alert at its source, by the id of the alert.
        silence_log: Limits the lines about silent sources from one evaluation to the next.
    """

    def __init__(
        self,
        db: Connection,
        now: int,
        save: SaveTransitions,
        *,
        down_models: Collection[str] = (),
        labels: Mapping[str, Labels] | None = None,
        suppressed: MutableMapping[int, tuple[str, ...]] | None = None,
        silence_log: FailureLog | None = None,
    ) -> None:
        self._db = db
        self._now = now
        self._save = save
        self._down_models = down_models
        self._labels = labels or {}
        self._suppressed = {} if suppressed is None else suppressed
        self._silence_log = silence_log or FailureLog(_log, SILENCES)
        self._states: dict[str, dict[str, RemoteAlertState]] = {}
        self._sources = {source.name: source for source in read_sources(db)}
        pairs = read_open_external(db)
        self._open = {(alert.source, alert.fingerprint): (one, alert) for one, alert in pairs}
        self._early = {alert_key(one): one for one in read_deferred(db, PendingResolve.EARLY)}
        self._held = self._read_held()

    def run(self) -> int:
        """Process new events, resolves that were not trusted at once, and silent sources.

        Returns the number of new events.
        """
        events = pending_events(self._db)
        for event in events:
            self._process(event)
        mark_processed(self._db, events, self._now)
        self._check_deferred()
        for source in self._sources.values():
            self._check_liveness(source)
        delete_old_events(self._db, self._now)
        return len(events)

    def _read_held(self) -> dict[AlertKey, ExternalEvent]:
        """The newest held resolve of each open alert; that of a twin counts for its alert."""
        found = {}
        for event in read_deferred(self._db, PendingResolve.HELD):
            twin = None if alert_key(event) in self._open else self._find_twin(event)
            key = (twin[1].source, twin[1].fingerprint) if twin else alert_key(event)
            found[key] = event
        return found

    def _process(self, event: ExternalEvent) -> None:
        source = self._sources.get(event.source)
        if source is not None and source.deadman and event.rule == source.deadman:
            lost_at = None if event.status is Status.FIRING else event.received_at
            mark_lost(self._db, source, lost_at)
            if lost_at is None:
                proof = event.received_at - DEADMAN_MARGIN
                mark_alive(self._db, source.name, event.sender, proof)
            self._sources[source.name] = replace(source, lost_at=lost_at)
        elif event.status is Status.FIRING:
            self._process_firing(event)
        else:
            self._process_resolve(event)

    def _process_firing(self, event: ExternalEvent) -> None:
        resolve = self._early.get(alert_key(event))
        if resolve is not None and is_resolve_of(resolve, event):
            return
        pair = self._open.get(alert_key(event))
        if pair is None and (twin := self._find_twin(event)) is not None:
            if self._sources[event.source].way is SourceProtocol.LIST:
                self._suppressed[twin[1].id] = event.suppressed_by
            return
        alert = self._alert_of(event)
        if pair is not None:
            self._save_change(alert, pair[0], *apply_event(pair[0], event))
            return
        self._save_new(alert, *apply_event(None, event, self._previous_episode(alert)))

    def _process_resolve(self, event: ExternalEvent) -> None:
        pair = self._open.get(alert_key(event))
        if pair is None and (twin := self._find_twin(event)) is not None:
            if not self._is_listed(self._sources[twin[1].source], twin[1]):
                self._resolve(event, *twin)
            return
        if pair is None:
            self._early[alert_key(event)] = event
            defer_resolve(self._db, PendingResolve.EARLY, event)
            return
        self._resolve(event, *pair)

    def _resolve(self, event: ExternalEvent, episode: Episode, alert: Alert) -> None:
        context = self._context_of(event, alert)
        after, steps = apply_event(episode, event, doubt=reason_to_distrust(event, context))
        self._save_change(alert, episode, after, steps)
        if after is not None and after.is_open and after.condition is AlertState.CLEARING:
            self._hold_resolve(alert, replace(event, was_target_silent=bool(target_doubt(context))))

    def _hold_resolve(self, alert: Alert, event: ExternalEvent) -> None:
        self._held[alert.source, alert.fingerprint] = event
        defer_resolve(self._db, PendingResolve.HELD, event)

    def _find_twin(self, event: ExternalEvent) -> EpisodeOfAlert | None:
        """The open alert of another source that is the same one: told twice, it is one alert.

        Its labels are the same, and so is the system that raised it, or the cluster that tells it.
        """
        for (source, fingerprint), (episode, alert) in self._open.items():
            is_other = fingerprint == event.fingerprint and source != event.source
            if is_other and self._is_told_together(event, alert):
                return episode, alert
        return None

    def _is_told_together(self, event: ExternalEvent, alert: Alert) -> bool:
        one, other = self._sources.get(event.source), self._sources.get(alert.source)
        if one is None or other is None:
            return False
        last = self._last_state(alert)
        is_pushed = SourceProtocol.LIST not in (one.way, other.way) or one.way is not other.way
        is_same_sender = last is not None and last.sender == event.sender != ""
        return one.is_same_cluster(other) or (is_pushed and is_same_sender)

    def _is_listed(self, source: ExternalSource, alert: Alert) -> bool:
        """Whether a source still lists an alert as firing, and is heard."""
        last = self._state_at(source.name, alert.fingerprint)
        return last is not None and last.listed and not source.silent_for(self._now, [last])

    def _is_listed_by_peer(self, source: ExternalSource, alert: Alert) -> bool:
        """Whether another member of the cluster of a source still lists an alert."""
        return any(
            other.name != source.name
            and other.is_same_cluster(source)
            and self._is_listed(other, alert)
            for other in self._sources.values()
        )

    def _check_deferred(self) -> None:
        """Drop deferred resolves that are over; advance clearing and flapping episodes to now."""
        for event in self._early.values():
            if self._now - event.received_at > EARLY_RESOLVE_WINDOW:
                drop_deferred(self._db, PendingResolve.EARLY, event)
        for key in list(self._held):
            pair = self._open.get(key)
            if pair is None or pair[0].condition is not AlertState.CLEARING:
                drop_deferred(self._db, PendingResolve.HELD, self._held.pop(key))
        for key, (episode, alert) in list(self._open.items()):
            if episode.flapping or episode.condition is AlertState.CLEARING:
                self._advance(episode, alert, self._held.get(key))

    def _advance(self, episode: Episode, alert: Alert, held: ExternalEvent | None) -> None:
        if held is None:
            self._save_change(alert, episode, *advance_time(episode, self._now))
            return
        context = self._context_of(held, alert)
        if target_doubt(context) and not held.was_target_silent:
            held = replace(held, was_target_silent=True)
            self._hold_resolve(alert, held)
        doubt, is_proved = reason_to_distrust(held, context), is_proved_end(held, context)
        after = advance_time(episode, self._now, doubt=doubt, is_proved=is_proved)
        self._save_change(alert, episode, *after)

    def _context_of(self, event: ExternalEvent, alert: Alert) -> ResolveContext:
        """What decides whether a resolve is trusted."""
        source = self._sources.get(event.source) or ExternalSource(
            event.source, SourceProtocol.EVENTS
        )
        last = self._state_at(event.source, alert.fingerprint)
        return ResolveContext(
            now=self._now,
            source=source,
            last=last,
            alive_at=sender_alive_at(self._db, event.source, event.sender),
            silent_for=source.silent_for(self._now, [last] if last else []),
            absent=tuple(self._no_data_rules(alert)),
            is_model_silent=alert.model in self._down_models,
        )

    def _no_data_rules(self, alert: Alert) -> Iterable[str]:
        """The rules of firing alerts that report missing data of this alert's target."""
        for episode, other in self._open.values():
            fires = episode.condition is AlertState.FIRING and episode.data is not DataState.NONE
            source = self._sources.get(other.source)
            names = source.no_data_alerts if source else ()
            is_about_data = other.rule in names and other.id != alert.id
            if fires and is_about_data and _is_same_target(alert, other):
                yield other.rule

    def _check_liveness(self, source: ExternalSource) -> None:
        """Hold the alerts of a silent source, and raise or end the one alert about its silence."""
        pairs = [
            (episode, alert)
            for (name, fingerprint), (episode, alert) in list(self._open.items())
            if name == source.name and fingerprint != _SILENT_FINGERPRINT
        ]
        states = [state for _, alert in pairs if (state := self._last_state(alert))]
        silent_for = source.silent_for(self._now, states)
        why = f"{source.name} is silent for {format_duration(silent_for)}"
        for episode, alert in pairs:
            if silent_for and not self._is_listed_by_peer(source, alert):
                self._hold(episode, alert, why)
            elif not silent_for:
                self._check_repeats(source, episode, alert)
        self._update_silence_alert(source, silent_for)

    def _hold(
        self, episode: Episode, alert: Alert, why: str, verb: AlertEvent = AlertEvent.HELD
    ) -> None:
        last = self._last_state(alert)
        seen = replace(episode, seen_at=max(episode.seen_at, last.at if last else 0))
        after, steps = mark_no_data(seen, self._now, why, verb)
        if steps:
            self._save_change(alert, episode, after, steps)

    def _check_repeats(self, source: ExternalSource, episode: Episode, alert: Alert) -> None:
        """Fire again when the source repeats an alert; hold one whose promised repeat is late."""
        last = self._last_state(alert)
        if last is None:
            return
        is_fresh = episode.condition is AlertState.FIRING and episode.data is DataState.FRESH
        quiet = self._now - last.at
        if not is_fresh and last.at > episode.seen_at:
            event = repeat_event(alert, episode, last)
            self._save_change(alert, episode, *apply_event(episode, event))
        elif source.way is SourceProtocol.POST and quiet > last.promise_duration:
            why = f"{last.sender or source.name} did not repeat it for {format_duration(quiet)}"
            self._hold(episode, alert, why, AlertEvent.NO_DATA)

    def _update_silence_alert(self, source: ExternalSource, silent_for: int) -> None:
        pair = self._open.get((source.name, _SILENT_FINGERPRINT))
        if bool(silent_for) is (pair is not None):
            return
        labels = {"source": source.name}
        alert = Alert(0, source.name, _SILENT_FINGERPRINT, SILENT_SOURCE.name, "", labels)
        alert = replace(alert, id=alert_id(self._db, alert))
        why = _silence_text(source, silent_for)
        self._silence_log.record(source.name, why if silent_for else "")
        found = Evaluation(bool(silent_for), None, None, why, self._now)
        previous = self._previous_episode(alert)
        self._save_new(alert, *advance(SILENT_SOURCE, 1_000, pair and pair[0], found, previous))

    def _alert_of(self, event: ExternalEvent) -> Alert:
        """The alert of an event, with its number in the store; notes its mutes at the source."""
        known = self._labels.get(event.model, {})
        model = known.get("model", event.model)
        labels = {**known, **event.labels, "model": model}
        alert = Alert(0, event.source, event.fingerprint, event.rule, model, labels)
        alert = replace(alert, id=alert_id(self._db, alert))
        self._suppressed[alert.id] = event.suppressed_by
        return alert

    def _last_state(self, alert: Alert) -> RemoteAlertState | None:
        """The last report of its source that the alert fires; None without one."""
        return self._state_at(alert.source, alert.fingerprint)

    def _state_at(self, source: str, fingerprint: str) -> RemoteAlertState | None:
        if source not in self._states:
            self._states[source] = read_remote_states(self._db, source)
        return self._states[source].get(fingerprint)

    def _previous_episode(self, alert: Alert) -> Episode | None:
        return next(iter(read_episodes(self._db, alert.id, self._now, 1)), None)

    def _save_new(self, alert: Alert, after: Episode | None, steps: tuple[Transition, ...]) -> None:
        """Save a new or reopened episode; nothing when `after` is None."""
        if after is not None:
            self._save_change(alert, None, replace(after, alert=alert.id), steps)

    def _save_change(
        self,
        alert: Alert,
        before: Episode | None,
        after: Episode | None,
        steps: tuple[Transition, ...],
    ) -> None:
        """Save an episode if it differs from `before`."""
        if after is None or after == before:
            return
        saved = self._save(alert, after, steps)
        key = (alert.source, alert.fingerprint)
        self._open.pop(key, None)
        if saved is not None and saved.is_open:
            self._open[key] = (saved, alert)


def alert_key(event: ExternalEvent) -> AlertKey:
    """The key of the alert that an event is about."""
    return event.source, event.fingerprint


def _is_same_target(one: Alert, other: Alert) -> bool:
    by = "model" if one.model or other.model else "instance"
    return one.labels.get(by, "") == other.labels.get(by, "") != ""


def _silence_text(source: ExternalSource, silent_for: int) -> str:
    if source.retired:
        return f"{source.name} is not configured any more"
    silent = f"{source.name} is silent for {format_duration(silent_for)}"
    return "; ".join(filter(None, (silent if silent_for else "it is heard again", source.problem)))
