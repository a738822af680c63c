"""Plays a scenario: the real engine, a real store, and a clock that is made up.

What can be done: `ack RULE/MODEL WHO`, `silence MATCHER LENGTH`, `resolve RULE/MODEL WHO`,
`restart`, `sleep LENGTH` (nobody collects), `severity RULE NUMBER` (with a restart), and
`clock LENGTH` (the wall clock is set ahead).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from scenarios.reading import ABSENT, FAILED, LOST, Line, Scenario, duration
from watchdeck.actions.actor import Actor
from watchdeck.actions.alerts.acknowledge import acknowledge
from watchdeck.actions.alerts.resolve import resolve
from watchdeck.actions.alerts.silence import silence
from watchdeck.actions.requests import AcknowledgeRequest, ResolveRequest, SilenceRequest
from watchdeck.config.rules import rules_in_force
from watchdeck.domain.alerts.alert import DataState, Episode
from watchdeck.domain.board.board import CollectorStatus
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Frame, ModelState, Outcome, Scrape
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, signal_layout
from watchdeck.domain.notifications.outbox import OutboxRow
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.rules.rule import Rule, Severity
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.matcher import read_matcher
from watchdeck.domain.values.operator import Operator
from watchdeck.engine.alerts.repository import AlertingConfig
from watchdeck.engine.engine import Engine
from watchdeck.store.alerts.acknowledgements import read_live_acknowledgement
from watchdeck.store.alerts.episodes import read_episodes
from watchdeck.store.alerts.outbox import mark_sent, read_due
from watchdeck.store.files.connection import open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import LayoutTable, Stream, add_frame
from watchdeck.store.metrics.latest import register_endpoints, save_heartbeat, save_latest
from watchdeck.store.migrations import prepare

START = 1_795_410_000_000
"""2026-11-23 05:00:00 UTC."""

CHANNEL = Channel("phone", "webhook", "http://127.0.0.1:9/")
ROUTING = Routing(channels=(CHANNEL,))


class Player:
    """A store, an engine on it, and the time of a scenario."""

    def __init__(self, scenario: Scenario, place: Path) -> None:
        self._scenario = scenario
        self._directory = StoreDirectory(place)
        prepare(self._directory)
        self._metrics = open_writable(self._directory.metrics, synchronous="OFF")
        self._state = open_writable(self._directory.state, synchronous="OFF")
        self._reading = open_readonly(self._directory.metrics)
        self._layouts = LayoutTable(self._metrics)
        self._rules = list(scenario.rules)
        if scenario.pack:
            self._rules += rules_in_force(Settings())
        self._ids = self._registered()
        self._failures: dict[str, int] = {}
        self._delivered: list[OutboxRow] = []
        self._ahead = 0
        self._asleep_until = -1
        self._engine = self._started()

    def play(self) -> Iterator[tuple[int, Line]]:
        """Play it all; each expectation comes when its time is over, with that time (ms UTC)."""
        scenario = self._scenario
        tick = scenario.tick or scenario.every
        deeds = sorted(scenario.deeds, key=lambda line: line.at)
        expected = sorted(scenario.expected, key=lambda line: line.at)
        for time in range(0, scenario.end + 1, tick):
            if time > self._asleep_until:
                if time % scenario.every == 0:
                    self._scrape(time // scenario.every, self._now(time))
                self._engine.evaluate(self._now(time) + 500)
                self._deliver(self._now(time) + 900)
            while deeds and deeds[0].at < time + tick:
                self._do(deeds.pop(0).words, time)
            while expected and expected[0].at < time + tick:
                yield self._now(time) + 500, expected.pop(0)
        assert not [*deeds, *expected], "something comes after the end"

    def state(self, name: str, now: int) -> str:
        """What an alert (RULE/MODEL) is, in a word; `none` when it never was."""
        episode = self._newest(name, now)
        if episode is None:
            return "none"
        if not episode.is_open:
            return "over" if episode.fired_at else "dropped"
        if episode.data is DataState.NONE:
            return f"{episode.condition}-no-data"
        return "flapping" if episode.flapping else episode.condition.value

    def owner(self, name: str, now: int) -> str:
        """Who has an alert; `nobody` when nobody does."""
        episode = self._newest(name, now)
        found = None if episode is None else read_live_acknowledgement(self._state, episode.id)
        return "nobody" if found is None else found.by

    def fired(self, name: str) -> int | None:
        """When an alert first fired (ms since the start); None when it never did."""
        found = self._alert(name)
        episodes = read_episodes(self._state, found, 1 << 60) if found else ()
        times = [one.fired_at for one in episodes if one.fired_at is not None]
        return min(times) - START if times else None

    def close(self) -> None:
        """Let go of the store."""
        for db in (self._reading, self._metrics, self._state):
            db.close()

    def told(self) -> tuple[OutboxRow, ...]:
        """All that the channel was told, or will be, in the order of its writing."""
        self._deliver(1 << 60)
        return tuple(sorted(self._delivered, key=lambda one: one.id))

    def _deliver(self, now: int) -> None:
        """Take what is due as a channel that never fails."""
        rows = read_due(self._state, now, 10_000)
        with transaction(self._state):
            mark_sent(self._state, [row.id for row in rows], now)
        self._delivered += rows

    def _now(self, time: int) -> int:
        return START + time + self._ahead

    def _registered(self) -> dict[str, int]:
        scenario = self._scenario
        fleet = [
            EndpointFacts(
                model,
                f"http://{model}",
                scenario.every,
                owner="risk",
                slo=scenario.slo,
                depends_on=scenario.depends.get(model, ()),
            )
            for model in scenario.series
        ]
        with transaction(self._metrics):
            return register_endpoints(self._metrics, fleet, START)

    def _started(self) -> Engine:
        terms = AlertingConfig(ROUTING, depends=self._scenario.depends)
        rules: list[Rule] = self._rules
        return Engine(self._reading, self._state, rules, terms)

    def _scrape(self, step: int, now: int) -> None:
        with transaction(self._metrics):
            for model, series in self._scenario.series.items():
                cells = {name: given[step] for name, given in series.items() if step < len(given)}
                if cells and LOST not in cells.values():
                    self._keep(model, cells, now)
            save_heartbeat(self._metrics, CollectorStatus(1, "0", START, now))

    def _keep(self, model: str, cells: dict[str, str], now: int) -> None:
        failed = FAILED in cells.values()
        outcome = Outcome.REFUSED if failed else Outcome.OK
        self._failures[model] = self._failures.get(model, 0) + 1 if failed else 0
        known = {OUTCOME_COLUMN: OUTCOME_CODES[outcome], "up": 0.0 if failed else 1.0}
        if not failed:
            known["ready"] = 1.0
            known |= {name: float(cell) for name, cell in cells.items() if cell != ABSENT}
        layout = signal_layout(tuple(self._scenario.series[model]))
        values = array("d", (known.get(series.name, math.nan) for series in layout.series))
        scrape = Scrape(
            *(model, now, 0.01, outcome, Frame(layout, values)),
            failures=self._failures[model],
            kind="prometheus",
            model_state=ModelState.UNKNOWN if failed else ModelState.READY,
        )
        number = self._ids[model]
        add_frame(self._metrics, self._layouts, number, now, Stream.SIGNALS, scrape.signals)
        save_latest(self._metrics, self._layouts, number, scrape)

    def _do(self, words: tuple[str, ...], time: int) -> None:
        verb, *rest = words
        now = self._now(time) + 700
        if verb == "ack":
            episodes, who = [self._episode(rest[0], now)], Operator(rest[1])
            acknowledge(
                Actor(self._directory, who, ROUTING), AcknowledgeRequest(tuple(episodes)), now
            )
        elif verb == "resolve":
            episodes, who = [self._episode(rest[0], now)], Operator(rest[1])
            resolve(
                Actor(self._directory, who, ROUTING),
                ResolveRequest(tuple(episodes), note="seen"),
                now,
            )
        elif verb == "silence":
            matchers, until = [read_matcher(rest[0])], now + duration(rest[1])
            silence(
                Actor(self._directory, Operator("anna"), ROUTING),
                SilenceRequest(tuple(matchers), length=until - now, reason="work"),
                now,
            )
        elif verb == "severity":
            self._rules = [
                replace(one, severity=Severity(int(rest[1]))) if one.name == rest[0] else one
                for one in self._rules
            ]
            self._engine = self._started()
        elif verb == "restart":
            self._engine = self._started()
        elif verb == "sleep":
            self._asleep_until = time + duration(rest[0])
        elif verb == "clock":
            self._ahead += duration(rest[0])
            self._engine.apply_clock_jump(duration(rest[0]), now + duration(rest[0]))
        else:
            raise ValueError(f"{verb} cannot be done")

    def _episode(self, name: str, now: int) -> int:
        episode = self._newest(name, now)
        assert episode is not None, f"{name} never was"
        return episode.id

    def _newest(self, name: str, now: int) -> Episode | None:
        found = self._alert(name)
        return next(iter(read_episodes(self._state, found, now, 1)), None) if found else None

    def _alert(self, name: str) -> int | None:
        sought = "select id from alert where fingerprint = :name"
        row = self._state.execute(sought, {"name": name}).fetchone()
        return None if row is None else int(row[0])
