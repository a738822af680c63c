"""Endpoints whose pages come from a report instead of a server, judged on a made-up clock.

The path is the collector's own from the page on: its endpoint state derives the signals, the store
holds the newest scrape, and the engine evaluates all packaged rules.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from watchdeck.collector.scrape.attempt import MetricsPage, ScrapeAttempt
from watchdeck.collector.scrape.endpoint_state import EndpointState
from watchdeck.config.rules import rules_in_force
from watchdeck.domain.alerts.alert import Alert, Episode
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.scrape import Scrape
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint, public_facts
from watchdeck.domain.settings.receivers import Channel
from watchdeck.engine.alerts.repository import AlertingConfig
from watchdeck.engine.engine import Engine
from watchdeck.net.address import parse_url
from watchdeck.store.alerts.episodes import read_fired_episodes
from watchdeck.store.alerts.outbox import mark_sent, read_due
from watchdeck.store.files.connection import open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import LayoutTable, Stream, add_frame
from watchdeck.store.metrics.latest import register_endpoints, save_heartbeat, save_latest
from watchdeck.store.migrations import prepare

START = 1_795_410_000_000
"""2026-11-23 05:00:00 UTC."""

ROUTING = Routing(channels=(Channel("phone", "webhook", "http://127.0.0.1:9/"),))


class PageFleet:
    """Endpoints with their kinds, a store of their own, and the engine with all packaged rules."""

    def __init__(self, fleet: Sequence[tuple[Endpoint, Kind]]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="page-fleet-")
        directory = StoreDirectory(Path(self._folder.name) / "store")
        prepare(directory)
        self._metrics = open_writable(directory.metrics, synchronous="OFF")
        self._state = open_writable(directory.state, synchronous="OFF")
        self._reading = open_readonly(directory.metrics)
        self._layouts = LayoutTable(self._metrics)
        self._kinds = {endpoint.name: kind for endpoint, kind in fleet}
        self._states = {endpoint.name: EndpointState(endpoint) for endpoint, _ in fleet}
        self._urls = {endpoint.name: parse_url(endpoint.url) for endpoint, _ in fleet}
        with transaction(self._metrics):
            facts = [public_facts(endpoint) for endpoint, _ in fleet]
            self._ids = register_endpoints(self._metrics, facts, START)
        rules = rules_in_force(Settings())
        self._engine = Engine(self._reading, self._state, rules, AlertingConfig(ROUTING))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        for db in (self._reading, self._metrics, self._state):
            db.close()
        self._folder.cleanup()

    def scrape(
        self,
        at: int,
        pages: Mapping[str, tuple[Layout, array[float]]],
        probes: Mapping[str, dict[str, ProbeResponse]],
    ) -> dict[str, Scrape]:
        """Scrape each endpoint of `pages` at `at` (ms UTC), then evaluate every rule."""
        found = {}
        with transaction(self._metrics):
            for name, (layout, values) in pages.items():
                page = MetricsPage(self._urls[name], layout, values)
                attempt = ScrapeAttempt(
                    at, 0.01, self._kinds[name], dict(probes.get(name, {})), page
                )
                found[name] = scrape = self._states[name].scrape(attempt)
                number = self._ids[name]
                add_frame(
                    *(self._metrics, self._layouts, number, at, Stream.SIGNALS), scrape.signals
                )
                save_latest(self._metrics, self._layouts, number, scrape)
            save_heartbeat(self._metrics, CollectorStatus(1, "0", START, at))
        self._engine.evaluate(at + 500)
        self._deliver(at + 900)
        return found

    def _deliver(self, now: int) -> None:
        """Take every message that is due, as a channel that never fails."""
        rows = read_due(self._state, now, 10_000)
        if rows:
            with transaction(self._state):
                mark_sent(self._state, [row.id for row in rows], now)

    def fired(self) -> tuple[tuple[Episode, Alert], ...]:
        """The episodes that ever fired, with their alerts."""
        return read_fired_episodes(self._state, 0)
