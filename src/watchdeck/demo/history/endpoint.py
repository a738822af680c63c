"""Twelve weeks of one endpoint: its frames, health and alerts, and what its server counted.

Signals are derived from each simulated page as from a live one, by `domain.signals.derive`. The
collector's EndpointState would take five times as long: it parses every response anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.collector.exposition import PageParser
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.config.rules import rules_in_force
from watchdeck.demo.fleet.endpoints import DemoEndpoint
from watchdeck.demo.fleet.metrics_pages import render_page
from watchdeck.demo.fleet.traffic import Counts, zero_counts
from watchdeck.demo.history.alerts import PastEpisode, PastEvaluation, is_evaluated
from watchdeck.demo.history.traffic import TrafficHistory, count_history, counts_at, traffic_history
from watchdeck.demo.scenario import DAYS, INTERVAL
from watchdeck.domain.board.board import HealthChange
from watchdeck.domain.kinds.detection import detect
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import public_facts
from watchdeck.domain.signals.counter_window import FIRST_PAGES, CounterWindow, window_length
from watchdeck.domain.signals.derive import ProbeFacts, derive_signals, failed_signals
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.signals.probe_window import ProbeWindow
from watchdeck.domain.signals.probes import ProbeResult, read_responses
from watchdeck.engine.rules.conditions import ScrapeValues
from watchdeck.store.metrics.backfill import ScrapeHistory
from watchdeck.store.metrics.frames import Stream

if TYPE_CHECKING:
    from watchdeck.demo.fleet.traffic import Floats, Integers

_SCRAPE_DURATION = 0.0028
"""The median duration of a scrape in seconds."""
_SCRAPE_DURATION_SPREAD = 0.25
"""The standard deviation of the logarithm of that duration."""

_READY = {ModelState.READY: True, ModelState.NOT_READY: False}


class ServerHistory(Struct, frozen=True):
    """The past of a server: traffic, counts, and scrape durations (s), one value per scrape."""

    traffic: TrafficHistory
    counts: Counts[Integers]
    durations: Floats


class EndpointHistory(Struct, frozen=True):
    """The past of an endpoint as a store holds it; `counts` are those of the last scrape."""

    series: ScrapeHistory
    signals: ScrapeHistory
    health: tuple[HealthChange, ...]
    episodes: tuple[PastEpisode, ...]
    counts: Counts[int]


def history(endpoint: DemoEndpoint, seed: int, now: int, days: int = DAYS) -> EndpointHistory:
    """The last `days` of an endpoint, ending at `now` (ms UTC); the same for the same seed."""
    import numpy as np

    name, server = endpoint.name, simulate(endpoint, seed, now, days)
    kind, plan = kind_and_plan(endpoint)
    pages = page_values(endpoint, server.counts)
    scrapes = [*derive_scrapes(endpoint, kind, plan, server, pages)]
    rules = [rule for rule in rules_in_force(Settings()) if is_evaluated(rule, plan.slots)]
    evaluation = PastEvaluation(public_facts(endpoint.config), kind.name, rules)
    evaluation.run(scrapes)
    times, answered = server.traffic.times, server.traffic.answered
    series = pages[answered][:, slice(None) if plan.stored is None else list(plan.stored)]
    signals = np.array([scrape.values for scrape in scrapes])
    return EndpointHistory(
        ScrapeHistory(name, Stream.SERIES, plan.stored_layout, times[answered], series),
        ScrapeHistory(name, Stream.SIGNALS, plan.signal_layout, times, signals),
        tuple(evaluation.health),
        tuple(evaluation.episodes()),
        counts_at(server.counts, -1),
    )


def simulate(endpoint: DemoEndpoint, seed: int, now: int, days: int) -> ServerHistory:
    """The simulated past of an endpoint's server in the `days` before `now` (ms UTC)."""
    import numpy as np

    random = np.random.default_rng(list(f"{seed} {endpoint.name}".encode()))
    traffic = traffic_history(endpoint, random, now, days)
    counts = count_history(traffic, endpoint.load, random)
    spread = np.exp(_SCRAPE_DURATION_SPREAD * random.standard_normal(len(traffic.times)))
    timeout = endpoint.config.timeout.seconds
    durations = np.where(traffic.answered, _SCRAPE_DURATION * spread, timeout)
    return ServerHistory(traffic, counts, durations)


def kind_and_plan(endpoint: DemoEndpoint) -> tuple[Kind, Plan]:
    """The kind of server, and the plan: how signals are derived from its page.

    Both are as the collector will find them. Raises ValueError when no kind fits the page.
    """
    body = render_page(endpoint.page(endpoint.name, zero_counts())).encode()
    layout = PageParser().read(endpoint.name, body).layout
    kind = detect(_kinds(), layout.series, {})
    if kind is None:
        raise ValueError(f"no kind claims the page of {endpoint.name}")
    return kind, build_plan(kind, endpoint.config, layout)


@cache
def _kinds() -> tuple[Kind, ...]:
    return load_kinds()


def page_values(endpoint: DemoEndpoint, counts: Counts[Integers]) -> Floats:
    """The values of all pages: a row for each scrape, a column for each series of the page."""
    import numpy as np

    values = [row[2] for family in endpoint.page(endpoint.name, counts) for row in family.rows]
    pages = np.empty((len(counts.good), len(values)))
    for place, column in enumerate(values):
        pages[:, place] = column
    return pages


def derive_scrapes(
    endpoint: DemoEndpoint, kind: Kind, plan: Plan, server: ServerHistory, pages: Floats
) -> Iterator[ScrapeValues]:
    """The scrapes of an endpoint with their signals, in the form that the engine's rules read.

    `pages` has a row for each scrape, and a column for each series of the plan's layout.
    """
    window, probes = CounterWindow(window_length(INTERVAL), FIRST_PAGES), ProbeWindow()
    late, failures = Outcome.TIMED_OUT, 0
    detail = f"/metrics: no complete answer within {endpoint.config.timeout}"
    states = {loaded: _reported_state(endpoint, kind, loaded=loaded) for loaded in (True, False)}
    traffic = server.traffic
    columns = (traffic.times, traffic.answered, traffic.loaded, server.durations)
    for at, answered, loaded, took, page in zip(*(c.tolist() for c in columns), pages, strict=True):
        reported = states[loaded]
        ready = _READY.get(reported.state)
        probes.add(at, good=answered and ready is not False)
        if answered:
            page_row, failures = array("d", page.tobytes()), 0
            facts = ProbeFacts(ready=ready, scrape_duration=took, signals_missing=0)
            derived = derive_signals(plan, window, probes, at, page_row, facts)
            state = reported.state.value
            yield ScrapeValues(
                at, derived.values, plan.slots, state=state, state_detail=reported.why
            )
        else:
            failures += 1
            facts = ProbeFacts(late, scrape_duration=took)
            frame = failed_signals(kind, endpoint.config, window, probes, at, facts)
            yield ScrapeValues(at, frame.values, plan.slots, late.value, failures, detail=detail)


def _reported_state(endpoint: DemoEndpoint, kind: Kind, *, loaded: bool) -> ProbeResult:
    """The model state that the server reports with the model `loaded`, or unloaded."""
    answers = {path: ProbeResponse(200, body.encode()) for path, body in endpoint.paths.items()}
    for path, body in endpoint.model_paths.items():
        answers[path] = ProbeResponse(200, body.encode()) if loaded else ProbeResponse(404)
    return read_responses(kind, answers, endpoint.config.model)
