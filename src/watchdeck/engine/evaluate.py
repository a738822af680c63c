"""One tick of judgement: the newest scrapes in, changes of health and change markers out."""

from __future__ import annotations

from collections.abc import Iterable

from watchdeck.domain.board import Latest
from watchdeck.domain.health import HealthChange, Verdict
from watchdeck.domain.judge import judge
from watchdeck.domain.markers import markers, merge
from watchdeck.domain.scrape import Identity
from watchdeck.store.changes import read_identities, record_change, save_identity
from watchdeck.store.connect import Connection, faults_of, transaction
from watchdeck.store.health import read_health, record_health
from watchdeck.store.latest import read_latest


class Engine:
    """Judges every model and remembers what it last wrote; one a collector, on one thread.

    What it remembers is read from the store at the start, so that a restart repeats nothing.
    """

    def __init__(self, metrics: Connection, state: Connection) -> None:
        self._metrics = metrics
        self._state = state
        self._recorded = read_health(state)
        self._identities = read_identities(state)

    def evaluate(self, now: int, blind: str = "") -> int:
        """Judge all models at `now` (ms UTC); returns how many changes were written.

        All changes of a tick are one transaction: a tick is seen whole or not at all. Raises
        StoreError that names the file which could not be read or written.
        """
        with faults_of(self._metrics):
            latest = read_latest(self._metrics)
        health = list(self._judged(latest, now, blind))
        moved = [one for one in latest if self._moved(one)]
        if not health and not moved:
            return 0
        with faults_of(self._state), transaction(self._state):
            record_health(self._state, health)
            for one in moved:
                self._mark(one)
        self._recorded |= {change.endpoint: change for change in health}
        return len(health) + len(moved)

    def _judged(self, latest: Iterable[Latest], now: int, blind: str) -> Iterable[HealthChange]:
        for one in latest:
            name = one.facts.name
            before = self._recorded.get(name)
            previous = Verdict(before.health, before.cause, before.why) if before else None
            verdict = judge(one, previous, now, blind)
            same = before is not None and before.health is verdict.health
            if before is None or not same or before.cause != verdict.cause:
                since = before.began if before and same else None
                yield HealthChange(name, now, verdict.health, verdict.cause, verdict.why, since)

    def _moved(self, latest: Latest) -> bool:
        before = self._identities.get(latest.facts.name)
        return before is None or merge(before, latest.identity) != before

    def _mark(self, latest: Latest) -> None:
        name = latest.facts.name
        before: Identity | None = self._identities.get(name)
        for marker in markers(before, latest.identity):
            record_change(self._state, name, latest.at, marker.what, marker.text, "collector")
        self._identities[name] = merge(before, latest.identity)
        save_identity(self._state, name, self._identities[name], latest.at)
