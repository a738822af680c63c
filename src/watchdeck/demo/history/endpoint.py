"""Twelve weeks of one endpoint: its frames, health and alerts, and what its server counted."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.collector.exposition import PageParser
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.config.rules import rules_in_force
from watchdeck.demo.fleet.endpoints import DemoEndpoint
from watchdeck.demo.fleet.metrics_pages import text
from watchdeck.demo.fleet.traffic import Counts, nothing
from watchdeck.demo.history.alerts import PastEpisode, alert_history
from watchdeck.demo.history.conditions import ReportedState, Scrapes
from watchdeck.demo.history.counters import count_history, moment, picked
from watchdeck.demo.history.health import health_history
from watchdeck.demo.history.signals import signals
from watchdeck.demo.history.timeline import DAYS, EVERY
from watchdeck.demo.history.traffic import TrafficHistory, traffic_history
from watchdeck.domain.board.health import HealthChange
from watchdeck.domain.kinds.detection import detect
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.signal import columns
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.signals.probes import read_answers
from watchdeck.service.endpoint_facts import facts
from watchdeck.store.metrics.backfill import Stretch
from watchdeck.store.metrics.frames import Stream

if TYPE_CHECKING:
    from watchdeck.demo.history.array_types import Flags, Floats, Integers

_TOOK = 0.0028
_TOOK_SPREAD = 0.25


class EndpointHistory(Struct, frozen=True):
    """What happened to a server: its course, its counts and how long it took to answer (s)."""

    run: TrafficHistory
    counts: Counts[Integers]
    took: Floats


class History(Struct, frozen=True):
    """What is known of an endpoint's past; `counts` are those of the last scrape."""

    series: Stretch
    signals: Stretch
    health: tuple[HealthChange, ...]
    alarms: tuple[PastEpisode, ...]
    counts: Counts[int]


def history(part: DemoEndpoint, seed: int, now: int, days: int = DAYS) -> History:
    """The last `days` of an endpoint, ending at `now` (ms UTC); the same for the same seed."""
    life = live(part, seed, now, days)
    kind, plan = planned(part)
    run, answered = life.run, picked(life.counts, life.run.answered)
    series = _kept(part, plan, answered)
    frames = signals(plan, part.page, run, answered, life.took)
    known = scrapes(part, kind, plan, run, frames)
    fired = alert_history(known, kind.name, rules_in_force(Settings()), EVERY)
    return History(
        Stretch(part.name, Stream.SERIES, plan.kept_layout, run.times[run.answered], series),
        Stretch(part.name, Stream.SIGNALS, plan.signal_layout, run.times, frames),
        tuple(health_history(known, fired)),
        tuple(fired),
        moment(life.counts, -1),
    )


def live(part: DemoEndpoint, seed: int, now: int, days: int) -> EndpointHistory:
    """What happened to an endpoint in the `days` before `now`."""
    import numpy as np

    random = np.random.default_rng(list(f"{seed} {part.name}".encode()))
    run = traffic_history(part, random, now, days)
    counts = count_history(run, part.load, random)
    quick = _TOOK * np.exp(_TOOK_SPREAD * random.standard_normal(len(run.times)))
    return EndpointHistory(run, counts, np.where(run.answered, quick, part.about.timeout.seconds))


def planned(part: DemoEndpoint) -> tuple[Kind, Plan]:
    """What the collector will make of an endpoint's page."""
    body = text(part.page(part.name, nothing())).encode()
    layout = PageParser().read(part.name, body).layout
    kind = detect(_kinds(), layout.series, {})
    if kind is None:
        raise ValueError(f"no kind claims the page of {part.name}")
    return kind, build_plan(kind, part.about, layout)


@cache
def _kinds() -> tuple[Kind, ...]:
    return load_kinds()


def _kept(part: DemoEndpoint, plan: Plan, counts: Counts[Integers]) -> Floats:
    """The series that the store keeps: a row a scrape, in the order of the plan's kept layout."""
    import numpy as np

    values = [row[2] for family in part.page(part.name, counts) for row in family.rows]
    places = range(len(values)) if plan.keep is None else plan.keep
    columns = np.empty((len(places), len(counts.good)))
    for column, place in zip(columns, places, strict=True):
        column[:] = values[place]
    return columns.T


def scrapes(
    part: DemoEndpoint, kind: Kind, plan: Plan, run: TrafficHistory, frames: Floats
) -> Scrapes:
    """The signal frames of a course, with all that the judge wants to know beside them."""
    return Scrapes(
        facts=facts(part.about),
        columns=columns(plan.signals),
        times=run.times,
        values=frames,
        failures=_in_a_row(~run.answered),
        detail=f"/metrics: no complete answer within {part.about.timeout}",
        told=(_told(part, kind, 200), _told(part, kind, 404)),
    )


def _in_a_row(failed: Flags) -> Integers:
    """How many have failed in a row, up to each."""
    import numpy as np

    number = np.arange(1, len(failed) + 1)
    return number - np.maximum.accumulate(np.where(failed, 0, number))


def _told(part: DemoEndpoint, kind: Kind, status: int) -> ReportedState:
    """What the server says of its model, when the model's own paths answer with a status."""
    answers = {path: ProbeResponse(200, body.encode()) for path, body in part.paths.items()}
    for path, body in part.model_paths.items():
        answers[path] = ProbeResponse(status, body.encode() if status == 200 else b"")
    said = read_answers(kind, answers, part.about.model)
    return ReportedState(said.state, said.why)
