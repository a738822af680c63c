"""Foreign alerts judged: what other systems said becomes episodes, and silence resolves none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, MutableMapping

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import Alert, AlertState, DataState
from watchdeck.domain.external.event import ExternalEvent, Status
from watchdeck.domain.external.lifecycle import EARLY, advance_time, apply_event, cancels_firing
from watchdeck.domain.external.resolve_check import (
    ResolveContext,
    reason_to_distrust,
    tells_of_no_data,
)
from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.domain.rules.labels import labels_of
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.engine.external.evaluation import (
    ExternalEvaluation,
    LabelMapping,
    SaveTransitions,
    alert_key,
)
from watchdeck.engine.external.source_liveness import check_liveness
from watchdeck.store.alerts import external_events as hearing
from watchdeck.store.alerts.external_events import PendingResolve
from watchdeck.store.alerts.external_sources import mark_lost, sources
from watchdeck.store.files.connection import Connection, transaction

EVERY = 5_000
"""Milliseconds between two looks at what only time changes: who is silent, what is held."""


class ExternalSchedule:
    """When there is something to judge: at once when something was said, else now and then.

    Without any source there never is.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._taken_at: int | None = None

    def due(self, now: int) -> bool:
        """Whether to judge at `now` (ms UTC)."""
        waited = self._taken_at is None or abs(now - self._taken_at) >= EVERY
        if not waited:
            return hearing.is_news(self._db)
        self._taken_at = now
        return bool(sources(self._db)) or hearing.is_news(self._db)


def evaluate_external(
    db: Connection,
    now: int,
    keep: SaveTransitions,
    *,
    mute: Iterable[str] = (),
    named: Mapping[str, LabelMapping] | None = None,
    suppressed: MutableMapping[int, tuple[str, ...]] | None = None,
) -> int:
    """Judge what other systems said until `now` (ms UTC), in one transaction; how many events.

    `mute` are the models that give no data, `named` the labels of endpoints by what others call
    them: an alert about one of them has those, too. `suppressed` is told who keeps an alert quiet
    at its source, before the alert is kept.
    """
    with transaction(db):
        quiet = {} if suppressed is None else suppressed
        bench = ExternalEvaluation(db, now, keep, frozenset(mute), named or {}, quiet)
        events = hearing.pending_events(db)
        for event in events:
            _hear(bench, event)
        hearing.mark_processed(db, events, now)
        _wait(bench)
        for source in bench.sources.values():
            check_liveness(bench, source)
        hearing.forget(db, now)
    return len(events)


def label_index(fleet: Collection[EndpointFacts]) -> dict[str, LabelMapping]:
    """The labels of endpoints by their own name, and by that of a model that only one serves."""
    known: dict[str, LabelMapping] = {facts.name: labels_of(facts) for facts in fleet}
    served = Counter(facts.model for facts in fleet)
    models = {
        facts.model: known[facts.name]
        for facts in fleet
        if facts.model and served[facts.model] == 1
    }
    return models | known


def _hear(bench: ExternalEvaluation, event: ExternalEvent) -> None:
    """Judge one event."""
    source = bench.sources.get(event.source)
    if source is not None and source.deadman and event.rule == source.deadman:
        _deadman(bench, source, event)
    elif event.status is Status.FIRING:
        _fires(bench, event)
    else:
        _resolves(bench, event)


def _deadman(bench: ExternalEvaluation, source: ExternalSource, event: ExternalEvent) -> None:
    lost_at = None if event.status is Status.FIRING else event.received_at
    mark_lost(bench.db, source, lost_at)
    bench.sources[source.name] = replace(source, lost_at=lost_at)


def _fires(bench: ExternalEvaluation, event: ExternalEvent) -> None:
    resolve = bench.early.get(alert_key(event))
    if resolve is not None and cancels_firing(resolve, event):
        return
    pair = bench.open.get(alert_key(event))
    alert = bench.alert(event)
    if pair is not None:
        bench.kept(alert, pair[0], *apply_event(pair[0], event))
        return
    bench.begun(alert, *apply_event(None, event, bench.previous(alert)))


def _resolves(bench: ExternalEvaluation, event: ExternalEvent) -> None:
    pair = bench.open.get(alert_key(event))
    if pair is None:
        bench.early[alert_key(event)] = event
        hearing.defer_resolve(bench.db, PendingResolve.EARLY, event)
        return
    episode, alert = pair
    why = _doubt(bench, event, alert)
    after, steps = apply_event(episode, event, doubt=why)
    bench.kept(alert, episode, after, steps)
    if after is not None and after.is_open and after.condition is AlertState.CLEARING:
        bench.held[alert_key(event)] = event
        hearing.defer_resolve(bench.db, PendingResolve.HELD, event)


def _wait(bench: ExternalEvaluation) -> None:
    """Look again at the resolves that wait, and at what flaps."""
    for event in bench.early.values():
        if bench.now - event.received_at > EARLY:
            hearing.drop_deferred(bench.db, PendingResolve.EARLY, event)
    for key in list(bench.held):
        pair = bench.open.get(key)
        if pair is None or pair[0].condition is not AlertState.CLEARING:
            hearing.drop_deferred(bench.db, PendingResolve.HELD, bench.held.pop(key))
    for key, (episode, alert) in list(bench.open.items()):
        if episode.flapping or episode.condition is AlertState.CLEARING:
            why = _doubt(bench, bench.held[key], alert) if key in bench.held else ""
            bench.kept(alert, episode, *advance_time(episode, bench.now, doubt=why))


def _doubt(bench: ExternalEvaluation, event: ExternalEvent, alert: Alert) -> str:
    source = bench.sources.get(event.source) or ExternalSource(event.source, SourceProtocol.EVENTS)
    last = bench.last(alert)
    scene = ResolveContext(
        now=bench.now,
        source=source,
        last=last,
        alive_at=hearing.sender_alive_at(bench.db, event.source, event.sender),
        silence=source.silence(bench.now, [last] if last else []),
        absent=tuple(_absent(bench, alert)),
        mute=alert.model in bench.mute,
    )
    return reason_to_distrust(event, scene)


def _absent(bench: ExternalEvaluation, alert: Alert) -> Iterable[str]:
    """The alerts by which the same source says that the target of this one gives no data."""
    for episode, other in bench.open.values():
        fires = episode.condition is AlertState.FIRING and episode.data is not DataState.NONE
        named = tells_of_no_data(other.rule) and other.id != alert.id
        if fires and named and _same_target(alert, other):
            yield other.rule


def _same_target(one: Alert, other: Alert) -> bool:
    by = "model" if one.model or other.model else "instance"
    return one.labels.get(by, "") == other.labels.get(by, "") != ""
