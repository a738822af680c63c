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
from watchdeck.demo.history.alerts import Evaluation, PastEpisode, is_evaluated
from watchdeck.demo.history.counters import count_history, moment
from watchdeck.demo.history.signals import samples
from watchdeck.demo.history.timeline import DAYS
from watchdeck.demo.history.traffic import TrafficHistory, traffic_history
from watchdeck.domain.board.health import HealthChange
from watchdeck.domain.kinds.detection import detect
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.service.endpoint_facts import facts
from watchdeck.store.metrics.backfill import Stretch
from watchdeck.store.metrics.frames import Stream

if TYPE_CHECKING:
    from watchdeck.demo.history.array_types import Floats, Integers

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
    import numpy as np

    life = live(part, seed, now, days)
    kind, plan = planned(part)
    pages = page_values(part, life.counts)
    scrapes = [*samples(part, kind, plan, life, pages)]
    rules = [rule for rule in rules_in_force(Settings()) if is_evaluated(rule, plan.slots)]
    found = Evaluation(facts(part.about), kind.name, rules)
    found.run(scrapes)
    times, answered = life.run.times, life.run.answered
    kept = pages[answered][:, slice(None) if plan.keep is None else list(plan.keep)]
    frames = np.array([scrape.values for scrape in scrapes])
    return History(
        Stretch(part.name, Stream.SERIES, plan.kept_layout, times[answered], kept),
        Stretch(part.name, Stream.SIGNALS, plan.signal_layout, times, frames),
        tuple(found.health),
        tuple(found.episodes()),
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


def page_values(part: DemoEndpoint, counts: Counts[Integers]) -> Floats:
    """The values of all pages: a row a scrape, in the order of the page."""
    import numpy as np

    values = [row[2] for family in part.page(part.name, counts) for row in family.rows]
    pages = np.empty((len(counts.good), len(values)))
    for place, column in enumerate(values):
        pages[:, place] = column
    return pages
