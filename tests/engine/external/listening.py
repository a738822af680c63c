"""An engine that hears other systems and nothing else, on a store of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from domain.external.payloads import alert, captured, posted, webhook
from watchdeck.domain.alerts.alert import Alert, Episode, Transition
from watchdeck.domain.external.alertmanager import (
    ParsedPayload,
    read_list,
    read_post,
    read_webhook,
)
from watchdeck.domain.external.event import ExternalEvent
from watchdeck.domain.external.source import ExternalSource, SourceProtocol
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.operator import Operator
from watchdeck.engine.external import SILENCES, ExternalEvaluation, label_index
from watchdeck.logs import FailureLog
from watchdeck.store.alerts.episodes import (
    add_transitions,
    open_episode,
    read_episodes,
    read_open_episodes,
    save_episode,
)
from watchdeck.store.alerts.external import (
    append_events,
    mark_reachable,
    register_sources,
    replace_list,
)
from watchdeck.store.files.connection import Connection, transaction

SECOND, MINUTE = 1_000, 60_000
EU = ExternalSource(
    "eu", SourceProtocol.LIST, silent_after=45 * SECOND, expected=True, hold=5 * MINUTE
)
HOOK = ExternalSource("eu", SourceProtocol.WEBHOOK)
POST = ExternalSource("prometheus", SourceProtocol.POST, silent_after=150 * SECOND)
COLLECTOR = Operator("collector")


@dataclass
class Ear:
    """Hears on a made-up clock; `steps` is all that happened to any episode."""

    db: Connection
    now: int
    sources: tuple[ExternalSource, ...] = (HOOK,)
    mute: tuple[str, ...] = ()
    fleet: Sequence[EndpointFacts] = ()
    steps: list[tuple[str, str]] = field(default_factory=list)
    suppressed: dict[int, tuple[str, ...]] = field(default_factory=dict)
    silence_log: FailureLog = field(
        default_factory=lambda: FailureLog(logging.getLogger("watchdeck.test"), SILENCES)
    )

    def __post_init__(self) -> None:
        register_sources(self.db, self.sources, self.now)

    def keep(self, told: Alert, after: Episode, steps: tuple[Transition, ...]) -> Episode:
        if not after.id:
            kept = open_episode(self.db, after)
        else:
            assert save_episode(self.db, after)
            kept = replace(after, rev=after.rev + 1)
        told_of = [replace(one, episode=replace(one.episode, id=kept.id)) for one in steps]
        add_transitions(self.db, told_of, COLLECTOR)
        self.steps += [(told.rule, one.verb.value.removeprefix("alert.")) for one in steps]
        return kept

    def judge(self, after: int = 0) -> list[tuple[str, str]]:
        """Judge once, `after` so many ms; what happened in it."""
        self.now += after
        before = len(self.steps)
        with transaction(self.db):
            ExternalEvaluation(
                self.db,
                self.now,
                self.keep,
                down_models=self.mute,
                labels=label_index(self.fleet),
                suppressed=self.suppressed,
                silence_log=self.silence_log,
            ).run()
        return self.steps[before:]

    def captured(self, name: str, **changed: Any) -> list[tuple[str, str]]:
        """Hear a captured webhook at the time that it came, or now when its start is changed."""
        body, at = captured(name)
        said = read_webhook(body, "eu", at)
        if changed:
            said = ParsedPayload(tuple(replace(one, **changed) for one in said.events))
        self.now = max(self.now, at)
        return self.take("eu", said.events)

    def take(self, source: str, events: Iterable[ExternalEvent]) -> list[tuple[str, str]]:
        append_events(self.db, source, tuple(events), self.now)
        return self.judge()

    def hook(self, *alerts: dict[str, Any], after: int = 0) -> list[tuple[str, str]]:
        self.now += after
        return self.take("eu", read_webhook(webhook(*alerts), "eu", self.now).events)

    def post(self, *alerts: dict[str, Any], after: int = 0) -> list[tuple[str, str]]:
        self.now += after
        said = read_post(posted(*alerts), "prometheus", self.now)
        return self.take("prometheus", said.events)

    def list(
        self, *alerts: dict[str, Any], after: int = 0, started: int = 1
    ) -> list[tuple[str, str]]:
        """Poll: what fires now, and since when the source runs."""
        self.now += after
        mark_reachable(self.db, "eu", self.now, started)
        said = read_list(posted(*alerts), "eu", self.now)
        replace_list(self.db, "eu", said.events, self.now)
        return self.judge()

    def open(self) -> dict[str, Episode]:
        """What is open, by the name of its rule."""
        return {one.rule: episode for episode, one in read_open_episodes(self.db)}

    def episodes(self) -> int:
        """How many episodes there ever were."""
        numbers = [row[0] for row in self.db.execute("select id from alert order by id")]
        return sum(len(read_episodes(self.db, number, self.now)) for number in numbers)


def firing(name: str = "Slow", **changed: Any) -> dict[str, Any]:
    return alert(name, status="firing", **changed)


def over(name: str = "Slow", **changed: Any) -> dict[str, Any]:
    return alert(name, status="resolved", **changed)
