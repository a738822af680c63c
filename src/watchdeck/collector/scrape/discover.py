"""A first look at an endpoint, for commands: what it is, where its page is, what it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from watchdeck.collector.exposition import PageReader
from watchdeck.collector.scrape.attempt import Visit
from watchdeck.collector.scrape.decode import Pages
from watchdeck.collector.scrape.detection import find
from watchdeck.collector.scrape.endpoint_urls import site
from watchdeck.domain.kinds.detection import models
from watchdeck.domain.kinds.kind import Answer, Kind
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.net.client import Reader, reader_of
from watchdeck.net.failure import Failed, Failure


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a first look found. `metrics_url` is where the page was read, when it was.

    `models` are the models the server speaks of; `detail` says why nothing, or no page, was found.
    """

    kind: Kind | None = None
    metrics_url: str | None = None
    models: tuple[str, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    outcome: Outcome = Outcome.OK
    detail: str = ""


async def discover(endpoint: Endpoint, kinds: Sequence[Kind]) -> Discovery:
    """Look at an endpoint once, within its own time limit; never raises for what it meets."""
    reader = reader_of(endpoint)
    try:
        return await _look(endpoint, kinds, reader)
    except Failed as failed:
        return Discovery(outcome=failed.failure.outcome, detail=failed.failure.detail)
    finally:
        await reader.close()


async def _look(endpoint: Endpoint, kinds: Sequence[Kind], reader: Reader) -> Discovery:
    pages = Pages(endpoint, PageReader(max_series=endpoint.max_series))
    visit = Visit(reader, site(endpoint, kinds), pages)
    kind = None
    try:
        async with asyncio.timeout(endpoint.timeout.seconds):
            kind = await find(visit, kinds)
            await _list_models(visit, kind)
    except TimeoutError:
        visit.failures.append(
            Failure(
                Outcome.TIMED_OUT, f"{visit.asking}: no complete answer within {endpoint.timeout}"
            )
        )
    failure = visit.failures[0] if visit.failures else Failure(Outcome.OK, "")
    page = visit.page
    return Discovery(
        kind,
        str(page.where) if page else None,
        models(kind, page.layout.series if page else None, visit.answers) if kind else (),
        visit.answers,
        failure.outcome,
        failure.detail,
    )


async def _list_models(visit: Visit, kind: Kind | None) -> None:
    if kind is not None and kind.models_path is not None:
        with suppress(Failed):
            await visit.probe(kind.models_path)
