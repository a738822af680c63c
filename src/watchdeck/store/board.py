"""From what the two files hold to one frozen Board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import OURS, ActiveAlert, Alert
from watchdeck.domain.alerts.muting import MuteContext, models_down, mute_reasons
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.board.board import (
    Board,
    Change,
    Collector,
    CollectorState,
    CollectorStatus,
    LatestScrape,
    Model,
)
from watchdeck.domain.board.health import HealthChange
from watchdeck.domain.board.health_evaluation import displayed_health, is_stale
from watchdeck.domain.settings.facts import EndpointFacts
from watchdeck.store.alerts.acknowledgements import read_silences
from watchdeck.store.alerts.active import read_active_alerts
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.latest import read_facts, read_heartbeat, read_latest, read_latest_at
from watchdeck.store.metrics.segment_cache import SegmentCache
from watchdeck.store.state.changes import read_changes
from watchdeck.store.state.health import read_health
from watchdeck.store.state.rules import read_maintenance, read_rules

if TYPE_CHECKING:
    from watchdeck.domain.external.source import ExternalSource

SILENT = 5_000
"""Milliseconds. The collector says every second that it lives: five missed beats are a stall."""

STARTING = 15_000
"""Milliseconds that a collector has for its first beat before it counts as stalled."""

RECENT = 86_400_000
"""Milliseconds of change markers that a board carries."""


class MetricsSnapshot(Struct, frozen=True):
    """What metrics.db holds for one moment."""

    facts: tuple[EndpointFacts, ...]
    latest: tuple[LatestScrape, ...]
    heartbeat: CollectorStatus | None


class StateSnapshot(Struct, frozen=True):
    """What state.db holds for one moment."""

    health: dict[str, HealthChange]
    changes: tuple[Change, ...]
    raised: tuple[ActiveAlert, ...] = ()
    silences: tuple[Silence, ...] = ()
    world: MuteContext = field(default_factory=MuteContext)
    sources: tuple[ExternalSource, ...] = ()


def read_metrics(db: Connection, at: int | None, near: SegmentCache) -> MetricsSnapshot:
    """The newest scrapes, live or as they were at a moment of the past."""
    latest = read_latest(db) if at is None else read_latest_at(db, at, near)
    return MetricsSnapshot(read_facts(db), latest, read_heartbeat(db))


def read_state(db: Connection, at: int | None, now: int) -> StateSnapshot:
    """The health in force and the recent markers, live or as they were."""
    end = now if at is None else at
    raised = read_active_alerts(db, at, now)
    silences = tuple(one for one in read_silences(db, end) if at is None or one.starts_at <= at)
    return StateSnapshot(
        read_health(db, at),
        read_changes(db, end - RECENT, end + 1),
        raised,
        silences,
        _world(db, raised, silences) if raised else MuteContext(),
        _sources(db) if at is None else (),
    )


_ANY_SOURCE = "select name from source limit 1"


def _sources(db: Connection) -> tuple[ExternalSource, ...]:
    """The other systems that are heard; to know how to read them is paid where there are any."""
    if db.execute(_ANY_SOURCE).fetchone() is None:
        return ()
    from watchdeck.store.alerts.external_sources import sources

    return tuple(one for one in sources(db) if not one.retired)


def _world(
    db: Connection, raised: Sequence[ActiveAlert], silences: tuple[Silence, ...]
) -> MuteContext:
    """What may mute an alert, but for who depends on whom."""
    rules = read_rules(db)

    def tells(alert: Alert) -> bool:
        return alert.source == OURS and bool(rules.get(alert.rule, {}).get("tells_of_trouble"))

    found = models_down(((one.episode, one.alert) for one in raised), tells)
    world = MuteContext(silences, read_maintenance(db), found)
    if all(one.alert.source == OURS for one in raised):
        return world
    from watchdeck.store.alerts.external_events import read_suppressed

    return replace(world, suppressed=read_suppressed(db))


def _muted(
    decided: StateSnapshot, facts: Iterable[EndpointFacts], at: int
) -> tuple[ActiveAlert, ...]:
    """The alerts, each with every reason why nobody hears of it."""
    depends = {one.name: one.depends_on for one in facts if one.depends_on}
    world = replace(decided.world, depends=depends)
    return tuple(
        replace(one, mutes=mute_reasons(one.alert, one.episode, world, at))
        for one in decided.raised
    )


def assemble(
    measured: MetricsSnapshot, decided: StateSnapshot, collector: Collector, at: int, *, live: bool
) -> Board:
    """The Board of `at` (ms UTC), models by name."""
    latest = {one.facts.name: one for one in measured.latest}
    raised = _muted(decided, measured.facts, at)
    alerts: defaultdict[str, list[ActiveAlert]] = defaultdict(list)
    for one in raised:
        alerts[one.alert.model].append(one)
    models = (
        _model(
            facts, latest.get(facts.name), decided.health, tuple(alerts[facts.name]), collector, at
        )
        for facts in sorted(measured.facts, key=lambda facts: facts.name)
    )
    return Board(
        at=at,
        live=live,
        collector=collector,
        models=tuple(models),
        changes=decided.changes,
        alerts=raised,
        silences=decided.silences,
        sources=decided.sources,
        metrics_at=_newest([one.at for one in measured.latest], collector.heartbeat),
        state_at=_newest([*_times(decided.health.values()), *_times(decided.changes)], None),
    )


def _model(
    facts: EndpointFacts,
    latest: LatestScrape | None,
    recorded: dict[str, HealthChange],
    alerts: tuple[ActiveAlert, ...],
    collector: Collector,
    at: int,
) -> Model:
    every = latest.facts.every if latest else facts.every
    seen = displayed_health(recorded.get(facts.name), latest, collector, at, every, alerts)
    return Model(facts, *seen, latest)


def _times(rows: Iterable[HealthChange | Change]) -> list[int]:
    return [row.at for row in rows]


def _newest(times: list[int], beat: CollectorStatus | None) -> int | None:
    known = times if beat is None else [*times, beat.at]
    return max(known, default=None)


def collector_now(directory: StoreDirectory, beat: CollectorStatus | None, now: int) -> Collector:
    """The collector as its lock and its newest heartbeat show it.

    Stopped when nobody holds the lock; stalled when its holder has been silent for too long. A
    heartbeat of the holder's predecessor says nothing about the holder.
    """
    holder = directory.lock_holder()
    if holder is None:
        return Collector(CollectorState.STOPPED, beat)
    if beat is not None and holder in (beat.pid, 0):
        silent = abs(now - beat.at) > SILENT
    else:
        silent = abs(now - (directory.locked_at() or 0)) > STARTING
    return Collector(CollectorState.STALLED if silent else CollectorState.RUNNING, beat)


def collector_then(latest: Iterable[LatestScrape], at: int) -> Collector:
    """Whether anyone collected at a moment of the past: someone did if any scrape was fresh."""
    fresh = any(not is_stale(one.at, one.facts.every, at) for one in latest)
    return Collector(CollectorState.RUNNING if fresh else CollectorState.STOPPED)
