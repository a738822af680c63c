"""The Board: read from both files, then assembled into one frozen value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import OURS, ActiveAlert, Alert
from watchdeck.domain.alerts.muting import MuteContext, find_down_models, mute_reasons
from watchdeck.domain.alerts.silence import Silence
from watchdeck.domain.board.board import (
    Board,
    Change,
    Collector,
    CollectorState,
    CollectorStatus,
    HealthChange,
    LatestScrape,
    Model,
)
from watchdeck.domain.board.health import displayed_health, is_stale
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.alerts.acknowledgements import read_silences
from watchdeck.store.alerts.active import read_active_alerts
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.files.filesystem import full_disk_words
from watchdeck.store.metrics.latest import read_facts, read_heartbeat, read_latest, read_latest_at
from watchdeck.store.metrics.segments import SegmentCache
from watchdeck.store.state.changes import read_changes
from watchdeck.store.state.health import read_health
from watchdeck.store.state.rules import read_maintenance, read_rules

if TYPE_CHECKING:
    from watchdeck.domain.external.source import ExternalSource

STALL_AFTER = 5_000
"""Milliseconds without a heartbeat, which is due every second: the collector is stalled."""

STARTUP_GRACE = 15_000
"""Milliseconds that a collector has for its first heartbeat before it counts as stalled."""

CHANGES_SHOWN = 86_400_000
"""Milliseconds of change markers that a board carries."""


class MetricsSnapshot(Struct, frozen=True):
    """The part of a board that is read from metrics.db."""

    facts: tuple[EndpointFacts, ...]
    latest: tuple[LatestScrape, ...]
    heartbeat: CollectorStatus | None


class StateSnapshot(Struct, frozen=True):
    """The part of a board that is read from state.db."""

    health: dict[str, HealthChange]
    changes: tuple[Change, ...]
    alerts: tuple[ActiveAlert, ...] = ()
    silences: tuple[Silence, ...] = ()
    mute_context: MuteContext = field(default_factory=MuteContext)
    sources: tuple[ExternalSource, ...] = ()


def read_metrics(db: Connection, at: int | None, near: SegmentCache) -> MetricsSnapshot:
    """Read the endpoints, their newest scrapes and the newest status of the collector.

    The scrapes are the newest now (None) or at a past moment `at` (ms UTC). `near` caches unpacked
    rows for later calls.
    """
    latest = read_latest(db) if at is None else read_latest_at(db, at, near)
    return MetricsSnapshot(read_facts(db), latest, read_heartbeat(db))


def read_state(db: Connection, at: int | None, now: int) -> StateSnapshot:
    """Read health, recent changes, alerts and silences as of `now`, or of a past `at` (ms UTC)."""
    end = now if at is None else at
    alerts = read_active_alerts(db, at, now)
    silences = tuple(one for one in read_silences(db, end) if at is None or one.starts_at <= at)
    return StateSnapshot(
        read_health(db, at),
        read_changes(db, end - CHANGES_SHOWN, end + 1),
        alerts,
        silences,
        _mute_context(db, alerts, silences) if alerts else MuteContext(),
        _read_sources(db) if at is None else (),
    )


_ANY_SOURCE = "select name from source limit 1"


def _read_sources(db: Connection) -> tuple[ExternalSource, ...]:
    """The external sources in use; their code is imported only when there are any."""
    if db.execute(_ANY_SOURCE).fetchone() is None:
        return ()
    from watchdeck.store.alerts.external import read_sources

    return tuple(one for one in read_sources(db) if not one.retired)


def _mute_context(
    db: Connection, alerts: Sequence[ActiveAlert], silences: tuple[Silence, ...]
) -> MuteContext:
    """All that may mute an alert, except the dependencies between models."""
    rules = read_rules(db)

    def is_trouble(alert: Alert) -> bool:
        return alert.source == OURS and bool(rules.get(alert.rule, {}).get("tells_of_trouble"))

    down_models = find_down_models(((one.episode, one.alert) for one in alerts), is_trouble)
    context = MuteContext(silences, read_maintenance(db), down_models)
    if all(one.alert.source == OURS for one in alerts):
        return context
    from watchdeck.store.alerts.external import read_suppressed

    return replace(context, suppressed=read_suppressed(db))


def _add_mute_reasons(
    state: StateSnapshot, facts: Iterable[EndpointFacts], at: int
) -> tuple[ActiveAlert, ...]:
    """The alerts, each with all its mute reasons."""
    depends = {one.name: one.depends_on for one in facts if one.depends_on}
    context = replace(state.mute_context, dependencies=depends)
    return tuple(
        replace(one, mutes=mute_reasons(one.alert, one.episode, context, at))
        for one in state.alerts
    )


def assemble_board(
    metrics: MetricsSnapshot, state: StateSnapshot, collector: Collector, at: int, *, live: bool
) -> Board:
    """Assemble the Board of `at` (ms UTC): models sorted by name, alerts with mute reasons."""
    latest = {one.facts.name: one for one in metrics.latest}
    alerts = _add_mute_reasons(state, metrics.facts, at)
    alerts_by_model: defaultdict[str, list[ActiveAlert]] = defaultdict(list)
    for one in alerts:
        alerts_by_model[one.alert.model].append(one)
    models = (
        _model(facts, latest.get(facts.name), state, alerts_by_model[facts.name], collector, at)
        for facts in sorted(metrics.facts, key=lambda facts: facts.name)
    )
    changed_at = [row.at for row in state.health.values()] + [row.at for row in state.changes]
    scraped_at = [one.at for one in metrics.latest]
    if collector.heartbeat is not None:
        scraped_at.append(collector.heartbeat.at)
    return Board(
        at=at,
        live=live,
        collector=collector,
        models=tuple(models),
        changes=state.changes,
        alerts=alerts,
        silences=state.silences,
        sources=state.sources,
        metrics_at=max(scraped_at, default=None),
        state_at=max(changed_at, default=None),
    )


def _model(
    facts: EndpointFacts,
    latest: LatestScrape | None,
    state: StateSnapshot,
    alerts: Sequence[ActiveAlert],
    collector: Collector,
    at: int,
) -> Model:
    every = latest.facts.every if latest else facts.every
    recorded = state.health.get(facts.name)
    return Model(facts, *displayed_health(recorded, latest, collector, at, every, alerts), latest)


def current_collector(
    directory: StoreDirectory, heartbeat: CollectorStatus | None, now: int
) -> Collector:
    """The state of the collector, from its lock and its newest heartbeat.

    It is stopped when no process holds the lock, and stalled when that process has stored no
    heartbeat for too long. A heartbeat of an earlier process does not count.
    """
    holder = directory.lock_holder()
    if holder is None:
        return Collector(CollectorState.STOPPED, heartbeat)
    if heartbeat is not None and holder in (heartbeat.pid, 0):
        silent = abs(now - heartbeat.at) > STALL_AFTER
    else:
        silent = abs(now - (directory.locked_at() or 0)) > STARTUP_GRACE
    if not silent:
        return Collector(CollectorState.RUNNING, heartbeat)
    return Collector(CollectorState.STALLED, heartbeat, disk=full_disk_words(directory.path))


def past_collector(latest: Iterable[LatestScrape], at: int) -> Collector:
    """The state of the collector at a past moment `at` (ms UTC), from the newest scrapes then.

    It was running if any of these scrapes was not stale at that time, else stopped.
    """
    fresh = any(not is_stale(one.at, one.facts.every, at) for one in latest)
    return Collector(CollectorState.RUNNING if fresh else CollectorState.STOPPED)
