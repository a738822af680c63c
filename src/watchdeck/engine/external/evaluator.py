"""Foreign alerts judged: what other systems said becomes episodes, and silence resolves none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from dataclasses import replace

from watchdeck.domain.alerts.alert import Alert, Condition, Data
from watchdeck.domain.external.event import ForeignEvent, Status
from watchdeck.domain.external.lifecycle import EARLY, cancels, foreign, settled
from watchdeck.domain.external.resolve_check import Scene, doubt, tells_of_no_data
from watchdeck.domain.external.source import ForeignSource, Way
from watchdeck.domain.rules.labels import labels_of
from watchdeck.domain.settings.facts import Facts
from watchdeck.engine.external.evaluation import Bench, Keep, Labels, key_of
from watchdeck.engine.external.source_liveness import watch
from watchdeck.store.alerts import external_events as hearing
from watchdeck.store.alerts.external_events import Waits
from watchdeck.store.alerts.external_sources import lose, sources
from watchdeck.store.files.connection import Connection, transaction

EVERY = 5_000
"""Milliseconds between two looks at what only time changes: who is silent, what is held."""


class Turn:
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


def judge_foreign(
    db: Connection,
    now: int,
    keep: Keep,
    *,
    mute: Iterable[str] = (),
    named: Mapping[str, Labels] | None = None,
    suppressed: MutableMapping[int, tuple[str, ...]] | None = None,
) -> int:
    """Judge what other systems said until `now` (ms UTC), in one transaction; how many events.

    `mute` are the models that give no data, `named` the labels of endpoints by what others call
    them: an alert about one of them has those, too. `suppressed` is told who keeps an alert quiet
    at its source, before the alert is kept.
    """
    with transaction(db):
        quiet = {} if suppressed is None else suppressed
        bench = Bench(db, now, keep, frozenset(mute), named or {}, quiet)
        events = hearing.unjudged(db)
        for event in events:
            _hear(bench, event)
        hearing.judged(db, events, now)
        _wait(bench)
        for source in bench.sources.values():
            watch(bench, source)
        hearing.forget(db, now)
    return len(events)


def names(fleet: Collection[Facts]) -> dict[str, Labels]:
    """The labels of endpoints by their own name, and by that of a model that only one serves."""
    known: dict[str, Labels] = {facts.name: labels_of(facts) for facts in fleet}
    served = Counter(facts.model for facts in fleet)
    models = {
        facts.model: known[facts.name]
        for facts in fleet
        if facts.model and served[facts.model] == 1
    }
    return models | known


def _hear(bench: Bench, event: ForeignEvent) -> None:
    """Judge one event."""
    source = bench.sources.get(event.source)
    if source is not None and source.deadman and event.rule == source.deadman:
        _deadman(bench, source, event)
    elif event.status is Status.FIRING:
        _fires(bench, event)
    else:
        _resolves(bench, event)


def _deadman(bench: Bench, source: ForeignSource, event: ForeignEvent) -> None:
    lost_at = None if event.status is Status.FIRING else event.received_at
    lose(bench.db, source, lost_at)
    bench.sources[source.name] = replace(source, lost_at=lost_at)


def _fires(bench: Bench, event: ForeignEvent) -> None:
    resolve = bench.early.get(key_of(event))
    if resolve is not None and cancels(resolve, event):
        return
    pair = bench.open.get(key_of(event))
    alert = bench.alert(event)
    if pair is not None:
        bench.kept(alert, pair[0], *foreign(pair[0], event))
        return
    bench.begun(alert, *foreign(None, event, bench.previous(alert)))


def _resolves(bench: Bench, event: ForeignEvent) -> None:
    pair = bench.open.get(key_of(event))
    if pair is None:
        bench.early[key_of(event)] = event
        hearing.let_wait(bench.db, Waits.EARLY, event)
        return
    episode, alert = pair
    why = _doubt(bench, event, alert)
    after, steps = foreign(episode, event, doubt=why)
    bench.kept(alert, episode, after, steps)
    if after is not None and after.is_open and after.condition is Condition.CLEARING:
        bench.held[key_of(event)] = event
        hearing.let_wait(bench.db, Waits.HELD, event)


def _wait(bench: Bench) -> None:
    """Look again at the resolves that wait, and at what flaps."""
    for event in bench.early.values():
        if bench.now - event.received_at > EARLY:
            hearing.wait_no_more(bench.db, Waits.EARLY, event)
    for key in list(bench.held):
        pair = bench.open.get(key)
        if pair is None or pair[0].condition is not Condition.CLEARING:
            hearing.wait_no_more(bench.db, Waits.HELD, bench.held.pop(key))
    for key, (episode, alert) in list(bench.open.items()):
        if episode.flapping or episode.condition is Condition.CLEARING:
            why = _doubt(bench, bench.held[key], alert) if key in bench.held else ""
            bench.kept(alert, episode, *settled(episode, bench.now, doubt=why))


def _doubt(bench: Bench, event: ForeignEvent, alert: Alert) -> str:
    source = bench.sources.get(event.source) or ForeignSource(event.source, Way.EVENTS)
    last = bench.last(alert)
    scene = Scene(
        now=bench.now,
        source=source,
        last=last,
        alive_at=hearing.sender_alive_at(bench.db, event.source, event.sender),
        silence=source.silence(bench.now, [last] if last else []),
        absent=tuple(_absent(bench, alert)),
        mute=alert.model in bench.mute,
    )
    return doubt(event, scene)


def _absent(bench: Bench, alert: Alert) -> Iterable[str]:
    """The alerts by which the same source says that the target of this one gives no data."""
    for episode, other in bench.open.values():
        fires = episode.condition is Condition.FIRING and episode.data is not Data.NONE
        named = tells_of_no_data(other.rule) and other.id != alert.id
        if fires and named and _same_target(alert, other):
            yield other.rule


def _same_target(one: Alert, other: Alert) -> bool:
    by = "model" if one.model or other.model else "instance"
    return one.labels.get(by, "") == other.labels.get(by, "") != ""
