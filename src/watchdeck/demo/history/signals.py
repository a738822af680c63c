"""The scrapes of the past: each simulated page goes through `domain.derive`, as a live one does.

The collector's own memory would take five times as long: it reads every answer anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from watchdeck.demo.history.timeline import EVERY
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.signals.counter_window import CounterWindow, span_of
from watchdeck.domain.signals.derive import derive_signals, failed_signals
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.probes import ProbeResult, read_answers
from watchdeck.engine.rules.conditions import ScrapeValues

if TYPE_CHECKING:
    from watchdeck.demo.fleet.endpoints import DemoEndpoint
    from watchdeck.demo.history.array_types import Floats
    from watchdeck.demo.history.endpoint import EndpointHistory

_READY = {ModelState.READY: True, ModelState.NOT_READY: False}


def samples(
    part: DemoEndpoint, kind: Kind, plan: Plan, life: EndpointHistory, pages: Floats
) -> Iterator[ScrapeValues]:
    """The scrapes of an endpoint with their signals, as the rules of the engine read them.

    `pages` has a row for each scrape, in the order of the plan's layout.
    """
    window, late, failures = CounterWindow(span_of(EVERY)), Outcome.TIMED_OUT, 0
    detail = f"/metrics: no complete answer within {part.about.timeout}"
    reported = {loaded: _reported_state(part, kind, loaded=loaded) for loaded in (True, False)}
    columns = (life.run.times, life.run.answered, life.run.loaded, life.took)
    for at, answered, loaded, took, page in zip(*(c.tolist() for c in columns), pages, strict=True):
        said = reported[loaded]
        ready = _READY.get(said.state)
        window.probe(at, answered and ready is not False)
        if answered:
            page_values, failures = array("d", page.tobytes()), 0
            values = derive_signals(
                plan, window, at, page_values, ready=ready, scrape_duration=took
            )
            state = said.state.value
            yield ScrapeValues(at, values, plan.slots, state=state, state_detail=said.why)
        else:
            failures += 1
            frame = failed_signals(kind, part.about, window, at, late, scrape_duration=took)
            yield ScrapeValues(at, frame.values, plan.slots, late.value, failures, detail=detail)


def _reported_state(part: DemoEndpoint, kind: Kind, *, loaded: bool) -> ProbeResult:
    """What the server says of its model while the model is loaded, or is not."""
    answers = {path: ProbeResponse(200, body.encode()) for path, body in part.paths.items()}
    for path, body in part.model_paths.items():
        answers[path] = ProbeResponse(200, body.encode()) if loaded else ProbeResponse(404)
    return read_answers(kind, answers, part.about.model)
