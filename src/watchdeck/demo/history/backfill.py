"""Fills a new store with the demo's past: other processes make it, this one writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

from msgspec.structs import replace

from watchdeck.actions.store import prepare_store
from watchdeck.demo.fleet.endpoints import CAST
from watchdeck.demo.fleet.traffic import DAY, Counts
from watchdeck.demo.history.alerts import PastEpisode
from watchdeck.demo.history.timeline import CHANGES, OPTIMISED
from watchdeck.demo.history.workers import BackfillResult, build_histories
from watchdeck.domain.alerts.alert import Transition
from watchdeck.domain.values.operator import Operator
from watchdeck.engine.alerts.repository import RULE
from watchdeck.service.endpoint_facts import facts
from watchdeck.store.alerts.episodes import add_transitions, alert_id, open_episode
from watchdeck.store.files.connection import Connection, faults, transaction, writing
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.backfill import insert
from watchdeck.store.metrics.latest import endpoints, register
from watchdeck.store.state.changes import record_change
from watchdeck.store.state.health import record_health


def backfill(
    directory: StoreDirectory, who: Operator, seed: int, now: int
) -> Mapping[str, Counts[int]]:
    """Make the store, and give it twelve weeks that end at `now` (ms UTC).

    Returns what every server has counted by then; nothing for a store that has a past already,
    which is left as it is. Raises CollectorRunning while somebody collects there.
    """
    directory.create()
    with directory.hold_lock():
        prepare_store(directory, who, now)
        # what a power cut takes is made anew in seconds
        with closing(writing(directory.metrics, synchronous="OFF")) as db:
            if endpoints(db):
                return {}
            with faults(directory.metrics), transaction(db):
                register(db, [facts(part.about) for part in CAST], now)
                known = []
                for one in build_histories(seed, now):
                    insert(db, one.frames)
                    known.append(one)
                _record(directory, known, now)
    return {one.name: one.counts for one in known}


def _record(directory: StoreDirectory, known: Sequence[BackfillResult], now: int) -> None:
    with (
        closing(writing(directory.state)) as db,
        faults(directory.state),
        transaction(db),
    ):
        for one in known:
            record_health(db, one.health)
        _alarm(db, [alarm for one in known for alarm in one.alarms])
        for change in CHANGES:
            at = now - change.days * DAY * 1_000
            record_change(db, OPTIMISED, at, change.what, change.text, "demo")


def _alarm(db: Connection, alarms: Iterable[PastEpisode]) -> None:
    """Keep what fired, and all that happened to it in the order of time, as the audit has it."""
    steps: list[Transition] = []
    for alarm in sorted(alarms, key=lambda one: one.episode.started_at):
        told = alarm.episode.fired_at if alarm.episode.severity.pages else None
        number = alert_id(db, alarm.alert)
        kept = open_episode(db, replace(alarm.episode, alert=number, paged_at=told))
        steps += (replace(one, episode=replace(one.episode, id=kept.id)) for one in alarm.steps)
    add_transitions(db, sorted(steps, key=lambda step: step.at), RULE)
