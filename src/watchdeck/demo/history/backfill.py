"""Fills a new store with the demo's past: worker processes simulate it, this process writes it."""

import os
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from multiprocessing import connection

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.actions.store import prepare_store
from watchdeck.demo.fleet.endpoints import ENDPOINTS
from watchdeck.demo.fleet.processes import child_process, receive_first
from watchdeck.demo.fleet.traffic import DAY, Counts
from watchdeck.demo.history.alerts import PastEpisode
from watchdeck.demo.scenario import CHANGES, OPTIMISED
from watchdeck.domain.alerts.alert import Transition
from watchdeck.domain.board.board import HealthChange
from watchdeck.domain.settings.endpoint import public_facts
from watchdeck.domain.values.operator import Operator
from watchdeck.engine.alerts.repository import RULE
from watchdeck.store.alerts.episodes import add_transitions, alert_id, open_episode
from watchdeck.store.files.connection import Connection, open_writable, store_errors, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.backfill import PackedHistory, insert_history
from watchdeck.store.metrics.latest import read_endpoint_ids, register_endpoints
from watchdeck.store.state.changes import record_change
from watchdeck.store.state.health import record_health

_MAX_WORKERS = 4

_ENDPOINT_TIMEOUT = 60
"""Seconds for one endpoint on a slow machine; a 2-core server needs one."""

_HEAVIEST_FIRST = sorted(ENDPOINTS, key=lambda endpoint: endpoint.name != "support-chat")
"""The page with the most series first, so that the other worker does not wait at the end."""


class BackfillResult(Struct, frozen=True):
    """One endpoint's past, ready to be written to the store."""

    name: str
    frames: tuple[PackedHistory, ...]
    health: tuple[HealthChange, ...]
    episodes: tuple[PastEpisode, ...]
    counts: Counts[int]


def build_histories(seed: int, now: int) -> Iterator[BackfillResult]:
    """The histories of all endpoints until `now` (ms UTC), each as soon as it is ready.

    Raises WatchdeckError when a worker fails or ends early.
    """
    names = [endpoint.name for endpoint in _HEAVIEST_FIRST]
    with ExitStack() as stack:
        busy = []
        for _ in range(min(_MAX_WORKERS, os.cpu_count() or 1)):
            pipe = stack.enter_context(child_process("history", _build_on_request, seed, now))
            pipe.send(names.pop(0))
            busy.append(pipe)
        while busy:
            ready = connection.wait(busy, _ENDPOINT_TIMEOUT) or busy
            for pipe in [one for one in busy if one in ready]:
                result: BackfillResult = receive_first(pipe, "the history", 0)
                if names:
                    pipe.send(names.pop(0))
                else:
                    busy.remove(pipe)
                yield result


def _build_on_request(seed: int, now: int, parent: connection.Connection) -> None:
    """Send the history of each name received, until the parent closes its end of the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone decides when it is over
    from watchdeck.demo.history.endpoint import history
    from watchdeck.store.metrics.backfill import pack_history

    by_name = {endpoint.name: endpoint for endpoint in ENDPOINTS}
    try:
        while True:
            past = history(by_name[parent.recv()], seed, now)
            frames = (pack_history(past.series), pack_history(past.signals))
            name = past.signals.endpoint
            parent.send(BackfillResult(name, frames, past.health, past.episodes, past.counts))
    except (EOFError, OSError):
        return


def backfill(
    directory: StoreDirectory, who: Operator, seed: int, now: int
) -> Mapping[str, Counts[int]]:
    """Create the store and write twelve weeks of history that end at `now` (ms UTC).

    Returns the last counts of each server by endpoint; empty, with nothing written, when the store
    has endpoints already. Raises CollectorRunning while a collector runs on the store.
    """
    directory.create()
    with directory.hold_lock():
        prepare_store(directory, who, now)
        # a power cut may lose the history: it is generated again in seconds
        with closing(open_writable(directory.metrics, synchronous="OFF")) as db:
            if read_endpoint_ids(db):
                return {}
            with store_errors(directory.metrics), transaction(db):
                known = [public_facts(endpoint.config) for endpoint in ENDPOINTS]
                register_endpoints(db, known, now)
                results = []
                for result in build_histories(seed, now):
                    insert_history(db, result.frames)
                    results.append(result)
                _record_state(directory, results, now)
    return {result.name: result.counts for result in results}


def _record_state(directory: StoreDirectory, results: Sequence[BackfillResult], now: int) -> None:
    path = directory.state
    with closing(open_writable(path)) as db, store_errors(path), transaction(db):
        for result in results:
            record_health(db, result.health)
        _insert_episodes(db, [episode for result in results for episode in result.episodes])
        for change in CHANGES:
            at = now - change.days * DAY * 1_000
            record_change(db, OPTIMISED, at, change.what, change.text, "demo")


def _insert_episodes(db: Connection, episodes: Iterable[PastEpisode]) -> None:
    """Insert the episodes, and all their transitions by time, the order that the audit needs."""
    transitions: list[Transition] = []
    for past in sorted(episodes, key=lambda one: one.episode.started_at):
        paged_at = past.episode.fired_at if past.episode.severity.is_paging else None
        number = alert_id(db, past.alert)
        inserted = open_episode(db, replace(past.episode, alert=number, paged_at=paged_at))
        transitions += (
            replace(one, episode=replace(one.episode, id=inserted.id)) for one in past.transitions
        )
    add_transitions(db, sorted(transitions, key=lambda one: one.at), RULE)
