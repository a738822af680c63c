"""A random life of alerts, and whether every receiver's last message says what is so.

Two alerts of our own and one of another system fire, clear, lose their data and flap; people
acknowledge, resolve and silence; the collector restarts with other routes; rotas hand over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random

from msgspec.structs import replace

from watchdeck.actions.actor import Actor
from watchdeck.actions.alerts.acknowledge import acknowledge, unacknowledge
from watchdeck.actions.alerts.resolve import resolve
from watchdeck.actions.alerts.silence import silence
from watchdeck.actions.requests import (
    AcknowledgeRequest,
    ResolveRequest,
    SilenceRequest,
    UnacknowledgeRequest,
)
from watchdeck.domain.alerts.alert import OURS, Alert, AlertState, DataState, Episode
from watchdeck.domain.alerts.lifecycle import Evaluation, advance
from watchdeck.domain.external.event import ExternalEvent, Status
from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.domain.notifications.message import MessageKind
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.rules.rule import Rule, Severity, Unsupported
from watchdeck.domain.settings.receivers import CONSOLE, Channel, OnCallSchedule, Route
from watchdeck.domain.values.matcher import read_matcher
from watchdeck.domain.values.operator import Operator
from watchdeck.engine.alerts.repository import AlertingConfig, AlertRepository
from watchdeck.engine.alerts.timers import Timers
from watchdeck.engine.external import ExternalEvaluation
from watchdeck.store.alerts.episodes import read_episodes
from watchdeck.store.alerts.external import append_events, mark_reachable, register_sources
from watchdeck.store.alerts.outbox import read_episode_outbox
from watchdeck.store.files.connection import Connection, transaction
from watchdeck.store.files.directory import StoreDirectory

SECOND, MINUTE = 1_000, 60_000
EVERY = 10 * SECOND
START = 1_795_410_000_000

CHANNELS = tuple(Channel(name, "webhook") for name in ("day", "night", "all", "anna", "ben"))
PEOPLE = (replace(CHANNELS[3], person="anna"), replace(CHANNELS[4], person="ben"))
ROTA = OnCallSchedule(
    name="rota", to=("all",), people=("anna", "ben"), turn="daily", starts="2026-11-20T06:00"
)
ROUTES = (
    (Route(to=("day",), hours="06:00-18:00", continue_=True), Route(to=("night",))),
    (Route(to=("rota",)),),
    (Route(to=("all",), severity=(1, 2)), Route(to=("day",))),
    (Route(to=("day", "night")),),
    (),
)
RULES = (
    Rule("slow", "made up", Unsupported("made up", ()), Severity.HIGH, resolve_for=0),
    Rule("down", "made up", Unsupported("made up", ()), Severity.CRITICAL, hold=20 * SECOND),
)
SOURCE = ExternalSource("eu", SourceProtocol.WEBHOOK, hold=5 * MINUTE)
PAUSES = (EVERY, MINUTE, 5 * MINUTE, 14 * MINUTE, 40 * MINUTE, 5 * 60 * MINUTE)


def routing(number: int) -> Routing:
    return Routing((*CHANNELS[:3], *PEOPLE), ROUTES[number], rotas=(ROTA,))


@dataclass
class AlertLives:
    """The store, the clock and the chance of one sequence; `done` is what happened, in words."""

    directory: StoreDirectory
    db: Connection
    chance: Random
    now: int = START
    done: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    started_at: int = START

    def __post_init__(self) -> None:
        register_sources(self.db, [SOURCE], self.now)
        self._start()

    def _start(self) -> None:
        number = self.chance.randrange(len(ROUTES))
        self.done.append(f"routes {number}")
        self._repository = AlertRepository(self.db, RULES, AlertingConfig(routing(number)))
        self._timers = Timers(self._repository, self._save_notified)
        self._routing = routing(number)

    def step(self) -> None:
        """Let something happen, and then the collector do all that is due."""
        act = self.chance.choice(_ACTS)
        self.done.append(f"{(self.now - START) // SECOND}s {act.__name__}")
        self._load()
        act(self)
        for _ in range(3):
            self.now += SECOND
            self._load()
            self._evaluate_external()
            with transaction(self.db):
                for task in self._timers.due_tasks(self.now):
                    task()

    def lies(self) -> list[str]:
        """Each receiver whose last message of an episode says what is not so."""
        self._load()
        (most,) = self.db.execute("select coalesce(max(id), 0) from alert").fetchone()
        return [
            lie
            for number in range(1, most + 1)
            for episode in read_episodes(self.db, number, self.now)
            for lie in self._lies_of(episode)
        ]

    def _lies_of(self, episode: Episode) -> Iterator[str]:
        rows = read_episode_outbox(self.db, episode.id)
        last = {
            row.channel: row.kind for row in rows if not row.cancelled_at and row.channel != CONSOLE
        }
        for channel, kind in last.items():
            is_over = kind == MessageKind.RESOLVED
            if not episode.is_open and not is_over:
                yield f"{channel} believes that {episode.id} fires ({kind})"
            if is_over and self._is_owed(episode):
                yield f"{channel} believes that {episode.id} is over"

    def _is_owed(self, episode: Episode) -> bool:
        pair = self._repository.open_alerts.get(episode.id)
        if pair is None:
            return False
        alert = pair[1]
        doubted = episode.condition is AlertState.CLEARING and episode.data is DataState.NONE
        fires = episode.condition is AlertState.FIRING or doubted
        return fires and not self._repository.active_alert(alert, episode, self.now).mutes

    def _load(self) -> None:
        self._repository.load(self.now)
        self._repository.refresh_mutes()

    def _save_notified(self, alert: Alert, episode: Episode, now: int) -> bool:
        return self._repository.save(alert, episode, (), now) is not None

    def _evaluate_external(self) -> None:
        with transaction(self.db):
            ExternalEvaluation(
                self.db,
                self.now,
                lambda alert, episode, steps: self._repository.save(
                    alert, episode, steps, self.now
                ),
            ).run()

    def _sample(self, truth: bool | None, times: int) -> None:  # noqa: FBT001
        rule = self.chance.choice(RULES)
        rule = replace(rule, severity=self.chance.choice((rule.severity, Severity.HIGH)))
        for _ in range(times):
            self._evaluate(rule, truth)
            self.now += EVERY

    def _evaluate(self, rule: Rule, truth: bool | None) -> None:  # noqa: FBT001
        with transaction(self.db):
            alert = Alert(0, OURS, rule.name, rule.name, f"of-{rule.name}", {"owner": "risk"})
            alert = self._repository.with_id(alert)
            found = next(iter(read_episodes(self.db, alert.id, self.now, 1)), None)
            is_open = found is not None and found.is_open
            seen = Evaluation(truth, 1.0, 0.5, "why", self.now)
            episode, previous = (found, None) if is_open else (None, found)
            after, steps = advance(rule, EVERY, episode, seen, previous)
            if after is not None and after != episode:
                self._repository.save(alert, after, steps, self.now)

    def _report(self, status: Status) -> None:
        if status is Status.FIRING and self.chance.random() < 0.5:
            self.started_at = self.now
        event = ExternalEvent(
            *(f"key{next(self.numbers)}", "eu", "ab12", "Slow", "other", Severity.HIGH, status),
            *(self.now, self.started_at, self.started_at),
        )
        append_events(self.db, "eu", [event], self.now)

    def _actor(self) -> Actor:
        return Actor(self.directory, Operator(self.chance.choice(("anna", "ben"))), self._routing)

    def _open(self) -> tuple[int, ...]:
        return tuple(self._repository.open_alerts)

    def fires(self) -> None:
        self._sample(True, self.chance.choice((1, 1, 3, 30)))

    def flaps(self) -> None:
        for truth in (True, False) * self.chance.choice((2, 4)):
            self._sample(truth, self.chance.choice((1, 6)))
            self.now += self.chance.choice((EVERY, 4 * MINUTE))

    def clears(self) -> None:
        self._sample(False, self.chance.choice((1, 7, 7, 100)))

    def says_nothing(self) -> None:
        self._sample(None, self.chance.choice((1, 5)))

    def hears_that_it_fires(self) -> None:
        self._report(Status.FIRING)

    def hears_that_it_is_over(self) -> None:
        self._report(Status.RESOLVED)

    def source_restarts(self) -> None:
        mark_reachable(self.db, "eu", self.now, self.now)

    def passes(self) -> None:
        self.now += self.chance.choice(PAUSES)

    def acknowledges(self) -> None:
        acknowledge(self._actor(), AcknowledgeRequest(self._open()), self.now)

    def gives_back(self) -> None:
        unacknowledge(self._actor(), UnacknowledgeRequest(self._open()), self.now)

    def resolves(self) -> None:
        resolve(self._actor(), ResolveRequest(self._open()[:1], note="seen"), self.now)

    def silences(self) -> None:
        model = self.chance.choice(("of-slow", "of-down", "other"))
        length = self.chance.choice((2 * MINUTE, 20 * MINUTE))
        asked = SilenceRequest((read_matcher(f"model={model}"),), length=length, reason="work")
        silence(self._actor(), asked, self.now)

    def restarts(self) -> None:
        self._start()


_ACTS = (
    *(AlertLives.fires,) * 4,
    *(AlertLives.clears,) * 4,
    *(AlertLives.hears_that_it_fires,) * 3,
    *(AlertLives.hears_that_it_is_over,) * 3,
    *(AlertLives.passes,) * 3,
    AlertLives.flaps,
    AlertLives.says_nothing,
    AlertLives.source_restarts,
    AlertLives.acknowledges,
    AlertLives.gives_back,
    AlertLives.resolves,
    AlertLives.silences,
    AlertLives.restarts,
)
