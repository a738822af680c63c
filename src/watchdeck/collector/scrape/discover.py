"""A first look at an endpoint, for commands: what it is, where its page is, what it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, field

from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.attempt import ScrapeAttempt
from watchdeck.collector.scrape.decode import PageDecoder
from watchdeck.collector.scrape.detection import detect_kind
from watchdeck.collector.scrape.endpoint_urls import endpoint_urls
from watchdeck.domain.kinds.detection import models
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.net.client import HttpClient, client_for
from watchdeck.net.failure import Failure, RequestError


class DetectionResult(Struct, frozen=True):
    """What a first look found. `metrics_url` is where the page was read, when it was.

    `models` are the models the server speaks of; `detail` says why nothing, or no page, was found.
    """

    kind: Kind | None = None
    metrics_url: str | None = None
    models: tuple[str, ...] = ()
    answers: Mapping[str, ProbeResponse] = field(default_factory=dict)
    outcome: Outcome = Outcome.OK
    detail: str = ""


async def discover(endpoint: Endpoint, kinds: Sequence[Kind]) -> DetectionResult:
    """Look at an endpoint once, within its own time limit; never raises for what it meets."""
    reader = client_for(endpoint)
    try:
        return await _look(endpoint, kinds, reader)
    except RequestError as failed:
        return DetectionResult(outcome=failed.failure.outcome, detail=failed.failure.detail)
    finally:
        await reader.close()


async def _look(endpoint: Endpoint, kinds: Sequence[Kind], reader: HttpClient) -> DetectionResult:
    pages = PageDecoder(endpoint, PageParser(max_series=endpoint.max_series))
    visit = ScrapeAttempt(reader, endpoint_urls(endpoint, kinds), pages)
    kind = None
    try:
        async with asyncio.timeout(endpoint.timeout.seconds):
            kind = await detect_kind(visit, kinds)
            await _list_models(visit, kind)
    except TimeoutError:
        visit.failures.append(
            Failure(
                Outcome.TIMED_OUT, f"{visit.asking}: no complete answer within {endpoint.timeout}"
            )
        )
    failure = visit.failures[0] if visit.failures else Failure(Outcome.OK, "")
    page = visit.page
    return DetectionResult(
        kind,
        str(page.where) if page else None,
        models(kind, page.layout.series if page else None, visit.answers) if kind else (),
        visit.answers,
        failure.outcome,
        failure.detail,
    )


async def _list_models(visit: ScrapeAttempt, kind: Kind | None) -> None:
    if kind is not None and kind.models_path is not None:
        with suppress(RequestError):
            await visit.probe(kind.models_path)
