"""Detection of an endpoint's kind of server, by GET requests that neither wake nor cost a model."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, field

from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.attempt import (
    CONNECTION_FAILURES,
    OPTIONAL_TIMEOUT,
    MetricsPage,
    PageDecoder,
    RunningAttempt,
)
from watchdeck.collector.scrape.endpoint_urls import EndpointUrls, endpoint_urls
from watchdeck.domain.kinds.detection import (
    GENERIC,
    ParsedResponse,
    detect,
    detection_paths,
    model_names,
    response_matches,
)
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.probes import probe_requests, read_responses
from watchdeck.net.address import Url
from watchdeck.net.client import HttpClient, client_for
from watchdeck.net.failure import Failure, RequestError

UNKNOWN_INTERVAL = 60_000
"""Milliseconds between the first two thorough detections of a server whose kind is unknown; each
further pause is twice as long, up to LONGEST_INTERVAL."""

LONGEST_INTERVAL = 3_600_000

_RESERVED = "/-/"
"""The beginning of paths that a proxy keeps for itself: no application answers them."""

_MOST_STRANGE_ANSWERS = 2
"""Guessed paths that may be answered with something unknown: an application that answers every path
does work for each, and is asked no more."""

DOUBT_INTERVAL = 300_000
"""Milliseconds between two thorough detections of a server whose page no longer fits its kind."""

EMPTY = "the page is empty, and no known kind of server answers here"

_DOUBTFUL = (Outcome.HTTP_STATUS, Outcome.NOT_METRICS)


class KindDetector:
    """Finds the kind of server at one endpoint: as configured, else by detection.

    Detects again while the kind is not known, or when a page no longer fits it. `current` is None
    while the kind is not known.
    """

    def __init__(self, endpoint: Endpoint, kinds: Sequence[Kind], known: str | None = None) -> None:
        """Detect the kind of `endpoint`; `known` is the name of its kind in an earlier run."""
        configured = [kind for kind in kinds if kind.name == endpoint.kind]
        remembered = [kind for kind in kinds if kind.name == known and known != GENERIC]
        self.kinds = configured or list(kinds)
        self.current = next(iter(configured or remembered), None)
        self._is_auto = not configured
        self._detected_at: int | None = 0 if remembered else None
        self._pause = UNKNOWN_INTERVAL
        self._in_doubt = False
        self._evidence: Mapping[str, ProbeResponse] = {}
        self._interrupted: dict[str, ProbeResponse] = {}
        self._layout: Layout | None = None
        self._page_url: Url | None = None

    async def find_kind(self, attempt: RunningAttempt) -> Kind | None:
        """The kind of server, detected if needed; None when unknown.

        A detection may also read the page, into `attempt.page`.
        """
        at = attempt.at
        if not self._is_auto or (self.current is not None and not self._is_due(at, DOUBT_INTERVAL)):
            return self.current
        thorough = self._is_due(at, self._pause)
        attempt.probes.update(self._interrupted)
        # the same dict, which fills up: after a timeout the next detection goes on with it
        self._interrupted = attempt.probes
        kind = await detect_kind(attempt, self.kinds, thorough=thorough)
        self._interrupted = {}
        if thorough:
            self._detected_at, self._evidence = at, dict(attempt.probes)
            self._pause = min(2 * self._pause, LONGEST_INTERVAL)
        if kind is not None and (kind.name != GENERIC or self.current is None):
            self.current, self._in_doubt, self._pause = kind, False, UNKNOWN_INTERVAL
        elif self.current is not None:
            attempt.failures.clear()  # the kind that is known is asked next, and says what fails
        return self.current

    def page_urls(self, urls: EndpointUrls, kind: Kind) -> Sequence[Url]:
        """URLs to try for the page: that of the last page, else all where the kind may have one."""
        if self._page_url is not None:
            return (self._page_url,)
        return (*urls.on_other_ports([kind]), *urls.on_serving_port([kind]))

    def check(self, attempt: RunningAttempt) -> None:
        """Compare the attempt's page with `current`: may change it, or have it detected again."""
        page = attempt.page
        self._page_url = page.url if page else None
        if page is None:
            self._in_doubt |= any(failure.outcome in _DOUBTFUL for failure in attempt.failures)
        elif page.layout is not self._layout:
            self._layout = page.layout
            self._check_layout(page.layout)

    def _check_layout(self, layout: Layout) -> None:
        """Change to the kind that a new layout shows; doubt the current one if it shows no kind.

        A page changes its layout with the first request, and may only then show its kind.
        """
        if not self._is_auto or self.current is None:
            return
        kind = detect(self.kinds, layout.series, self._evidence)
        if kind is None or kind is self.current:
            return
        if kind.name == GENERIC:
            self._in_doubt = True
        else:
            self.current = kind

    def _is_due(self, at: int, interval: int) -> bool:
        if self._detected_at is None:
            return True
        needed = self.current is None or self._in_doubt
        return needed and not 0 <= at - self._detected_at < interval


async def detect_kind(
    attempt: RunningAttempt, kinds: Sequence[Kind], *, thorough: bool = True
) -> Kind | None:
    """Detect the kind of server; its page, if it has one, is then in `attempt.page`.

    Returns None when no kind is certain; `attempt.failures` then says why. A detection that is not
    `thorough` reads the page and sends no probes. Raises RequestError when the endpoint cannot be
    reached at all.
    """
    kind = await _detect_proxy(attempt, kinds) if thorough else None
    if kind is not None:
        return kind
    missing_page = await _read_serving_page(attempt, kinds)
    kind = detect(kinds, _page_series(attempt), {})
    if thorough and (kind is None or kind.name == GENERIC):
        guess = await _guess(attempt, kinds)
        kind = guess.kind or kind
        if attempt.page is None and not guess.is_application:
            kind = await _detect_by_other_port(attempt, kinds, kind)
    if kind is None:
        attempt.failures.append(missing_page or Failure(Outcome.NOT_METRICS, EMPTY))
    elif missing_page is not None and attempt.page is None and _needs_page(kind, attempt):
        attempt.failures.append(missing_page)
    return kind


def _needs_page(kind: Kind, attempt: RunningAttempt) -> bool:
    """Whether a server of a kind should have a page, so that a missing one is a failure."""
    is_configured = attempt.urls.page is not None
    return is_configured or (bool(kind.places) and not kind.optional_page)


async def _detect_proxy(attempt: RunningAttempt, kinds: Sequence[Kind]) -> Kind | None:
    """A proxy that keeps paths for itself, detected by these alone; None for any other server.

    Behind a proxy every other path is that of an application: nothing is guessed there.
    """
    reserved = [path for path in detection_paths(kinds) if path.startswith(_RESERVED)]
    for path in reserved:
        try:
            response = await attempt.probe(path)
        except RequestError as error:
            if error.failure.outcome in CONNECTION_FAILURES:
                raise
            return None
        if response.status != _FOUND:
            return None
    kind = detect(kinds, None, attempt.probes)
    if kind is None:
        return None
    if attempt.urls.page is not None:
        await attempt.read_page([attempt.urls.page])
        return kind
    return await _detect_by_other_port(attempt, kinds, kind)


_FOUND = 200


class _Guess(Struct, frozen=True):
    """The kind by its answers; or whether an application answers guessed paths as its own."""

    kind: Kind | None
    is_application: bool = False


async def _guess(attempt: RunningAttempt, kinds: Sequence[Kind]) -> _Guess:
    """Ask the paths where kinds answer, until a kind fits or an application answers as its own."""
    strange = sum(
        _is_strange(response) for path, response in attempt.responses.items() if "metrics" in path
    )
    for path in detection_paths(kinds):
        if path not in attempt.probes:
            with suppress(RequestError):
                await attempt.probe(path)
        kind = detect(kinds, _page_series(attempt), attempt.probes)
        if kind is not None and kind.name != GENERIC:
            return _Guess(kind)
        response = attempt.probes.get(path, ProbeResponse(None))
        strange += _is_strange(response) and not _is_evidence(kinds, path, response)
        if strange >= _MOST_STRANGE_ANSWERS and attempt.page is None:
            return _Guess(None, is_application=True)
    return _Guess(detect(kinds, _page_series(attempt), attempt.probes))


def _is_evidence(kinds: Sequence[Kind], path: str, response: ProbeResponse) -> bool:
    """Whether a response is what some kind of server answers on a path."""
    parsed = ParsedResponse(response)
    evidence = (one for kind in kinds for rule in kind.recognise for one in rule.answers)
    return any(one.path == path and response_matches(one.means, parsed) for one in evidence)


def _is_strange(response: ProbeResponse) -> bool:
    """Whether an application did work for a guessed path: it answered it, or failed on it."""
    status = response.status or 0
    return status == _FOUND or (status >= 500 and status not in _GATEWAY)


_GATEWAY = (501, 502, 503, 504)
"""Statuses that servers answer without an application."""


def _page_series(attempt: RunningAttempt) -> Collection[Series] | None:
    return None if attempt.page is None else attempt.page.layout.series


async def _read_serving_page(attempt: RunningAttempt, kinds: Sequence[Kind]) -> Failure | None:
    """Read the page on the serving port; returns the first failure, None when a page was read."""
    text_kinds = [kind for kind in kinds if not kind.json_map]
    first: Failure | None = None
    for url in attempt.urls.on_serving_port(text_kinds):
        try:
            await attempt.read_page([url])
        except RequestError as error:
            if error.failure.outcome in CONNECTION_FAILURES:
                raise
            first = first or error.failure
            if _is_strange(attempt.responses.get(attempt.request, ProbeResponse(None))):
                break
        else:
            return None
    return first


async def _probe_all(attempt: RunningAttempt, paths: Sequence[str]) -> None:
    for path in paths:
        if path not in attempt.probes:
            with suppress(RequestError):
                await attempt.probe(path)


async def _detect_by_other_port(
    attempt: RunningAttempt, kinds: Sequence[Kind], known: Kind | None
) -> Kind | None:
    """The kind whose page is on another port of the same host; `known` when there is none.

    Another server may use that port: the page must be of the kind that serves here.
    """
    for kind in kinds if known is None else [known]:
        urls = attempt.urls.on_other_ports([kind])
        if urls and (known or await _is_served(attempt, kind)):
            with suppress(RequestError, TimeoutError):
                async with asyncio.timeout(OPTIONAL_TIMEOUT):
                    await attempt.read_page(urls)
            if detect([kind], _page_series(attempt), {}) is kind:
                return kind
            attempt.page = None
    return known


async def _is_served(attempt: RunningAttempt, kind: Kind) -> bool:
    """Whether the serving port answers like a server of this kind."""
    probes = probe_requests(kind, None)
    await _probe_all(attempt, [path for path, spec in probes if spec.port is None])
    return read_responses(kind, attempt.probes, None).server is not ModelState.UNKNOWN


class DetectionResult(Struct, frozen=True):
    """The result of one detection, for `watchdeck init`."""

    kind: Kind | None = None
    metrics_url: str | None = None
    """URL of the page; None when none was found."""
    models: tuple[str, ...] = ()
    """Names of models that the server lists or its page contains."""
    probes: Mapping[str, ProbeResponse] = field(default_factory=dict)
    outcome: Outcome = Outcome.OK
    detail: str = ""
    """Why no kind, or no page, was found; empty when both were."""
    page: MetricsPage | None = None
    """The metrics page; None when none was found."""


async def discover(
    endpoint: Endpoint, kinds: Sequence[Kind], client: HttpClient | None = None
) -> DetectionResult:
    """Detect an endpoint's kind once, within its timeout; a failure is part of the result."""
    client = client or client_for(endpoint)
    try:
        return await _discover(endpoint, kinds, client)
    except RequestError as error:
        return DetectionResult(outcome=error.failure.outcome, detail=error.failure.detail)
    finally:
        await client.close()


async def _discover(
    endpoint: Endpoint, kinds: Sequence[Kind], client: HttpClient
) -> DetectionResult:
    decoder = PageDecoder(endpoint, PageParser(max_series=endpoint.max_series))
    urls = endpoint_urls(endpoint, kinds)
    attempt = RunningAttempt(0, client=client, urls=urls, decoder=decoder)
    kind = None
    try:
        async with asyncio.timeout(endpoint.timeout.seconds):
            kind = await detect_kind(attempt, kinds)
            if kind is not None and kind.models_path is not None:
                with suppress(RequestError):
                    await attempt.probe(kind.models_path)
    except TimeoutError:
        attempt.time_out(endpoint.timeout)
    failure = attempt.failures[0] if attempt.failures else Failure(Outcome.OK, "")
    return DetectionResult(
        kind,
        str(attempt.page.url) if attempt.page else None,
        model_names(kind, _page_series(attempt), attempt.probes) if kind else (),
        attempt.probes,
        failure.outcome,
        failure.detail,
        attempt.page,
    )
