"""What is remembered of an endpoint between scrapes, and the Scrape that follows from a visit."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from watchdeck.collector.scrape.decode import MetricsPage
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.scrape import Frame, Identity, ModelState, Outcome, Scrape, Truncation
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow, span_of
from watchdeck.domain.signals.derive import derive_signals, failed_signals, identity
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.signals.probes import ProbeResult, probes, read_answers, with_page
from watchdeck.net import tls
from watchdeck.net.failure import Failure, status_words

NO_PAGE = Layout()
"""The layout of kinds that have no page; shared, because plans are kept by layout."""

_CAN_SERVE = {
    ModelState.READY: True,
    ModelState.NOT_READY: False,
    ModelState.LOADING: False,
}
"""A model that sleeps is neither: it serves whoever asks, a little later."""

_ALL_WELL = Failure(Outcome.OK, "")
_NOT_HERE = "every probe answered 404: is the url the serving address?"


class ScrapeInput(Struct, frozen=True):
    """What one visit brought: `answers` by the path of the probe, the first failure or none."""

    at: int
    took: float
    kind: Kind | None
    answers: Mapping[str, ProbeResponse]
    page: MetricsPage | None
    failures: Sequence[Failure]
    expires: int | None = None
    canaries: int = 0


class EndpointState:
    """One endpoint's window of increases and probes, and its failures in a row."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._window = CounterWindow(span_of(int(endpoint.every)))
        self._failures = 0
        self._missing: tuple[str, ...] = ()

    def preload(self, times: Iterable[int], good: Iterable[bool]) -> None:
        """Remember the probes (ms UTC, oldest first) of an earlier run, for the availability."""
        self._window.preload(times, good)

    def state(self, visited: ScrapeInput) -> ModelState:
        """What the server says of its model, by what a visit has brought so far."""
        return self._said(visited, self._plan(visited)).state

    def scrape(self, visited: ScrapeInput) -> Scrape:
        """The Scrape of a visit, remembered for the next."""
        plan = self._plan(visited)
        said = self._said(visited, plan)
        failure = _failure(visited, said)
        self._failures = 0 if failure.outcome is Outcome.OK else self._failures + 1
        serves = _CAN_SERVE.get(said.state)
        self._window.probe(visited.at, failure.outcome is Outcome.OK and serves is not False)
        page = visited.page
        return Scrape(
            endpoint=self._endpoint.name,
            at=visited.at,
            took=visited.took,
            outcome=failure.outcome,
            signals=self._signals(visited, plan, said, failure.outcome),
            detail=failure.detail,
            failures=self._failures,
            kind=visited.kind.name if visited.kind else None,
            model_state=said.state,
            model_detail=said.why,
            series=_kept(plan, page),
            identity=self._identity(visited, plan, said),
            cut=page.cut if page else Truncation(),
            not_measurable=self._missing,
        )

    def _plan(self, visited: ScrapeInput) -> Plan | None:
        """The plan for what was read; None when a page was expected and did not come."""
        kind, page = visited.kind, visited.page
        if kind is None or (page is None and expects_page(kind, self._endpoint)):
            return None
        plan = build_plan(kind, self._endpoint, page.layout if page else NO_PAGE)
        self._missing = plan.not_measurable
        return plan

    def _said(self, visited: ScrapeInput, plan: Plan | None) -> ProbeResult:
        if visited.kind is None:
            return ProbeResult()
        model = self._endpoint.model
        if _nobody_knows_it(visited.kind, visited.answers, model):
            return ProbeResult(why=_NOT_HERE)
        said = read_answers(visited.kind, visited.answers, model)
        if plan is not None and visited.page is not None and plan.states:
            return with_page(said, plan, visited.page.values)
        return said

    def _signals(
        self, visited: ScrapeInput, plan: Plan | None, said: ProbeResult, outcome: Outcome
    ) -> Frame:
        ready = _CAN_SERVE.get(said.state)
        left = None if visited.expires is None else tls.days_left(visited.expires, visited.at)
        if plan is None:
            return failed_signals(
                visited.kind,
                self._endpoint,
                self._window,
                visited.at,
                outcome,
                ready=ready,
                scrape_duration=visited.took,
                tls_days_left=left,
            )
        values = derive_signals(
            plan,
            self._window,
            visited.at,
            visited.page.values if visited.page else array("d"),
            outcome=outcome,
            up=outcome is Outcome.OK,
            ready=ready,
            scrape_duration=visited.took,
            tls_days_left=left,
            canaries_sent=visited.canaries,
            answered=said.signals,
        )
        return Frame(plan.signal_layout, values)

    def _identity(self, visited: ScrapeInput, plan: Plan | None, said: ProbeResult) -> Identity:
        if plan is None:
            return Identity(said.version, None, said.replicas, self._window.resets)
        return identity(
            plan,
            self._window,
            visited.page.values if visited.page else (),
            version=said.version,
            replicas=said.replicas,
            started=_started(visited),
        )


def expects_page(kind: Kind, endpoint: Endpoint) -> bool:
    """Whether a page belongs to this endpoint: some kinds of server have none."""
    return bool(kind.places) or endpoint.metrics_url is not None


def _failure(visited: ScrapeInput, said: ProbeResult) -> Failure:
    """How the visit ended; answers that mean nothing at all are a failure where they are all."""
    if visited.failures:
        return visited.failures[0]
    if visited.page is not None or said.state is not ModelState.UNKNOWN:
        return _ALL_WELL
    refused = [
        Failure(Outcome.HTTP_STATUS, f"{path}: {status_words(answer.status)}")
        for path, answer in visited.answers.items()
        if answer.status is not None and not 200 <= answer.status < 300
    ]
    return refused[0] if refused else _ALL_WELL


def _nobody_knows_it(kind: Kind, answers: Mapping[str, ProbeResponse], model: str | None) -> bool:
    """Whether all probes, the server's own too, were answered with 404.

    A metrics port does so: it says nothing of the model, which must not look as if it were down.
    """
    asked = [path for path, spec in probes(kind, model) if spec.about != "identity"]
    told = [answers[path].status for path in asked if path in answers]
    return len(told) > 1 and all(status == 404 for status in told)


def _kept(plan: Plan | None, page: MetricsPage | None) -> Frame | None:
    if plan is None or page is None or not len(plan.kept_layout):
        return None
    return plan.kept(page.values)


def _started(visited: ScrapeInput) -> float | None:
    """The start of the process (seconds UTC) by the page's own header, where a kind has one."""
    if visited.kind is None or visited.page is None or not visited.kind.started_header:
        return None
    try:
        started = float(visited.page.headers[visited.kind.started_header.lower()])
    except (KeyError, ValueError):
        return None
    return started if math.isfinite(started) else None
