"""The state of an endpoint between scrapes, and the Scrape that follows from an attempt."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.collector.scrape.attempt import (
    CONNECTION_FAILURES,
    MetricsPage,
    ScrapeAttempt,
)
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import (
    NOT_A_MODEL_SERVER,
    Frame,
    Identity,
    ModelState,
    Outcome,
    Scrape,
    Truncation,
)
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import FIRST_PAGES, CounterWindow, window_length
from watchdeck.domain.signals.derive import (
    DerivedSignals,
    ProbeFacts,
    derive_signals,
    failed_signals,
    identity,
)
from watchdeck.domain.signals.expected_signals import ExpectedSignals
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.signals.probe_window import ProbeWindow
from watchdeck.domain.signals.probes import (
    ProbeResult,
    add_page_states,
    probe_requests,
    read_responses,
)
from watchdeck.domain.values.format import format_duration
from watchdeck.net import tls
from watchdeck.net.failure import Failure, status_words

NO_PAGE = Layout()
"""The layout of kinds without a page; shared, because plans are cached by layout."""

_CAN_SERVE = {ModelState.READY: True, ModelState.NOT_READY: False, ModelState.LOADING: False}
"""Whether a model serves requests, by state; unknown for a sleeping one, which wakes first."""

_OK = Failure(Outcome.OK, "")
_WRONG_PORT = "every probe answered 404: is the url the serving address?"


class EarlierScrapes(Struct, frozen=True):
    """What an earlier collector stored of an endpoint in the last hour, oldest first."""

    kind: Kind | None = None
    expected: tuple[str, ...] = ()
    """The signals that its page gave."""
    pages: Sequence[tuple[int, Layout, array[float]]] = ()
    """The stored series of each page, with its time (ms UTC)."""
    probes: Sequence[tuple[int, bool]] = ()
    """The time of each probe (ms UTC), and whether the model could serve."""


class EndpointState:
    """What is remembered between an endpoint's scrapes.

    These are recent counter increases (`window`) and `probes`, the signals that its page once gave
    (`expected`), and the number of failures in a row.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.window = CounterWindow(window_length(int(endpoint.every)), FIRST_PAGES)
        self.probes = ProbeWindow()
        self.expected = ExpectedSignals()
        self._endpoint = endpoint
        self._failures = 0
        self._loading_since: int | None = None
        self._not_measurable: tuple[str, ...] = ()

    def restore(self, history: EarlierScrapes) -> None:
        """Continue the windows of an earlier collector, before the first scrape of this one."""
        self.probes.preload((at for at, _ in history.probes), (good for _, good in history.probes))
        self.expected = ExpectedSignals(history.expected)
        if history.kind is None:
            return
        for at, layout, values in history.pages:
            plan = build_plan(history.kind, self._endpoint, layout)
            self.window.push(plan, at, values, 0)

    def model_state(self, attempt: ScrapeAttempt) -> ModelState:
        """The state of the model, from the responses and the page of an attempt so far."""
        return self._probe_result(attempt, self._plan(attempt)).state

    def scrape(self, attempt: ScrapeAttempt) -> Scrape:
        """Make the Scrape of an attempt.

        Also updates what is remembered.
        """
        plan = self._plan(attempt)
        result = self._bound_loading(attempt, self._probe_result(attempt, plan))
        failure = _failure(attempt, result)
        ok = failure.outcome is Outcome.OK
        self._failures = 0 if ok else self._failures + 1
        self.probes.add(attempt.at, good=ok and _CAN_SERVE.get(result.state) is not False)
        page = attempt.page
        derived = self._derive(attempt, plan, result, failure.outcome)
        return Scrape(
            endpoint=self._endpoint.name,
            at=attempt.at,
            duration=attempt.duration,
            outcome=failure.outcome,
            signals=self._signals(attempt, plan, result, failure.outcome, derived),
            detail=failure.detail,
            failures=self._failures,
            kind=attempt.kind.name if attempt.kind else None,
            model_state=result.state,
            model_detail=result.why,
            series=_stored_series(plan, page),
            identity=self._identity(attempt, plan, result),
            truncation=_truncation(page, derived),
            not_measurable=self._not_measurable,
            remarks=self._remarks(derived),
            server_wide=plan.server_wide if plan else (),
            expected=self.expected.names,
        )

    def _plan(self, attempt: ScrapeAttempt) -> Plan | None:
        """The plan that derives signals from the page; None when an expected page did not come."""
        kind, page = attempt.kind, attempt.page
        if kind is None or (page is None and expects_page(kind, self._endpoint)):
            return None
        plan = build_plan(kind, self._endpoint, page.layout if page else NO_PAGE)
        self._not_measurable = plan.not_measurable
        return plan

    def _probe_result(self, attempt: ScrapeAttempt, plan: Plan | None) -> ProbeResult:
        if attempt.kind is None:
            return ProbeResult()
        if attempt.kind.helper:
            return ProbeResult(why=NOT_A_MODEL_SERVER)
        if self._is_wrong_port(attempt.kind, attempt):
            return ProbeResult(why=_WRONG_PORT)
        is_named = plan is not None and plan.names_model
        result = read_responses(
            attempt.kind, attempt.probes, self._endpoint.model, is_named=is_named
        )
        if plan is not None and attempt.page is not None and plan.states:
            return add_page_states(result, plan, attempt.page.values)
        return result

    def _bound_loading(self, attempt: ScrapeAttempt, result: ProbeResult) -> ProbeResult:
        """The result, with a bound on loading: a start that takes longer is none.

        A server that said that it loads may answer nothing for a while: that is still its start.
        """
        is_loading = result.state is ModelState.LOADING
        since = self._loading_since
        if not is_loading and (since is None or not _is_silent(attempt)):
            self._loading_since = None
            return result
        self._loading_since = since = attempt.at if since is None else since
        passed = attempt.at - since
        limit = 1_000 * (attempt.kind.loading_limit if attempt.kind else 0)
        if passed <= limit:
            why = result.why if is_loading else f"it began {format_duration(passed)} ago"
            return replace(result, state=ModelState.LOADING, why=why)
        why = f"it has been loading for {format_duration(passed)}"
        return replace(result, state=ModelState.NOT_READY, why=why)

    def _is_wrong_port(self, kind: Kind, attempt: ScrapeAttempt) -> bool:
        """Whether all probes, also those of the server itself, were answered with 404.

        A metrics port responds like that, which says nothing about the model: the model must not
        count as down.
        """
        requests = probe_requests(kind, self._endpoint.model)
        paths = [path for path, spec in requests if spec.about != "identity"]
        statuses = [attempt.probes[path].status for path in paths if path in attempt.probes]
        return len(statuses) > 1 and all(status == 404 for status in statuses)

    def _derive(
        self, attempt: ScrapeAttempt, plan: Plan | None, result: ProbeResult, outcome: Outcome
    ) -> DerivedSignals | None:
        """The signals of the attempt's page; None when an expected page did not come."""
        if plan is None or attempt.kind is None:
            return None
        page = attempt.page
        missing = self.expected.add_page(
            plan, attempt.at, names_all_series=attempt.kind.names_idle_models
        )
        facts = self._probe_facts(attempt, result, outcome)
        return derive_signals(
            plan,
            self.window,
            self.probes,
            page.at if page and page.at else attempt.at,
            page.values if page else array("d"),
            replace(
                facts,
                signals_missing=missing if page else None,
                stale_age=page.stale_age if page else 0,
            ),
            canaries_sent=attempt.canaries,
            probe_signals=result.signals,
        )

    def _probe_facts(
        self, attempt: ScrapeAttempt, result: ProbeResult, outcome: Outcome
    ) -> ProbeFacts:
        days = None if attempt.expires is None else tls.days_left(attempt.expires, attempt.at)
        return ProbeFacts(outcome, _CAN_SERVE.get(result.state), attempt.duration, days)

    def _signals(
        self,
        attempt: ScrapeAttempt,
        plan: Plan | None,
        result: ProbeResult,
        outcome: Outcome,
        derived: DerivedSignals | None,
    ) -> Frame:
        if plan is not None and derived is not None:
            return Frame(plan.signal_layout, derived.values)
        facts = self._probe_facts(attempt, result, outcome)
        return failed_signals(
            attempt.kind, self._endpoint, self.window, self.probes, attempt.at, facts
        )

    def _remarks(self, derived: DerivedSignals | None) -> dict[str, str]:
        """The remarks on the page's signals, with the names of those that it gives no more."""
        if derived is None or not self.expected.missing:
            return derived.remarks if derived else {}
        text = f"the page gives no more: {', '.join(self.expected.missing)}"
        return {**derived.remarks, "signals_missing": text}

    def _identity(self, attempt: ScrapeAttempt, plan: Plan | None, result: ProbeResult) -> Identity:
        if plan is None:
            found = Identity(result.version, None, result.replicas, self.window.resets)
        else:
            found = identity(
                plan,
                self.window,
                attempt.page.values if attempt.page else (),
                version=result.version,
                replicas=result.replicas,
                started=_process_start(attempt),
            )
        return replace(
            found,
            server_version=None if _probes_model_version(attempt.kind) else found.server_version,
            certificate=attempt.certificate,
            host=attempt.host,
        )


def _is_silent(attempt: ScrapeAttempt) -> bool:
    """Whether the server did not answer, as one that is being started does not."""
    return any(
        one.outcome in CONNECTION_FAILURES
        or (one.outcome is Outcome.HTTP_STATUS and "503" in one.detail)
        for one in attempt.failures
    )


def expects_page(kind: Kind, endpoint: Endpoint) -> bool:
    """Whether the endpoint should have a page: by its kind, its `metrics_url` or its `map`."""
    is_configured = endpoint.metrics_url is not None or bool(endpoint.map)
    return is_configured or (bool(kind.places) and not kind.optional_page)


def _failure(attempt: ScrapeAttempt, result: ProbeResult) -> Failure:
    """How an attempt ended; a probe's error status counts only without a page and model state."""
    if attempt.failures:
        return attempt.failures[0]
    if attempt.page is not None or result.state is not ModelState.UNKNOWN:
        return _OK
    for path, response in attempt.probes.items():
        if response.status is not None and not 200 <= response.status < 300:
            return Failure(Outcome.HTTP_STATUS, f"{path}: {status_words(response.status)}")
    return _OK


def _truncation(page: MetricsPage | None, derived: DerivedSignals | None) -> Truncation:
    """What was left out of a page, with the values that no measurement can have."""
    if page is None or derived is None or not derived.out_of_range:
        return page.truncation if page else Truncation()
    return replace(page.truncation, out_of_range=derived.out_of_range)


def _stored_series(plan: Plan | None, page: MetricsPage | None) -> Frame | None:
    if plan is None or page is None or not len(plan.stored_layout):
        return None
    return plan.stored_frame(page.values)


def _probes_model_version(kind: Kind | None) -> bool:
    """Whether the version that a probe of the kind gives is the model's, not the server's."""
    probes = kind.probes if kind is not None else ()
    return any(spec.version is not None and "{model}" in spec.path for spec in probes)


def _process_start(attempt: ScrapeAttempt) -> float | None:
    """When the process started (seconds UTC) by a header of the page, where the kind has one."""
    kind, page = attempt.kind, attempt.page
    if kind is None or page is None or not kind.started_header:
        return None
    try:
        started = float(page.headers[kind.started_header.lower()])
    except (KeyError, ValueError):
        return None
    return started if math.isfinite(started) else None
