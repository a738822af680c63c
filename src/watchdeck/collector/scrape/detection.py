"""Finding out what kind of server an endpoint is, with GETs that neither wake nor cost a model."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from watchdeck.collector.scrape.attempt import ASIDE, LOST, ScrapeAttempt
from watchdeck.collector.scrape.endpoint_urls import EndpointUrls
from watchdeck.domain.kinds.detection import GENERIC, detect, questions
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.probes import probes, read_answers
from watchdeck.net.address import Url
from watchdeck.net.failure import Failure, RequestError

UNKNOWN = 60_000
"""Milliseconds between two thorough looks at a server of which nothing is known."""

DOUBTED = 300_000
"""Milliseconds between two thorough looks at a server whose page no longer fits."""

EMPTY = "the page is empty, and no known kind of server answers here"

_UNFIT = (Outcome.HTTP_STATUS, Outcome.NOT_METRICS)


class KindDetector:
    """What kind of server one endpoint is: configured, or found and doubted again.

    `current` is None while it is not known.
    """

    def __init__(self, endpoint: Endpoint, kinds: Sequence[Kind]) -> None:
        named = [kind for kind in kinds if kind.name == endpoint.kind]
        self.kinds = named or list(kinds)
        self.current = named[0] if named else None
        self._found = not named
        self._looked: int | None = None
        self._doubtful = False
        self._evidence: Mapping[str, ProbeResponse] = {}
        self._interrupted: dict[str, ProbeResponse] = {}
        self._layout: Layout | None = None
        self._where: Url | None = None

    async def kind(self, visit: ScrapeAttempt, at: int) -> Kind | None:
        """The kind, looked for when it is not known (ms UTC); its page may then be read already."""
        if not self._found or (self.current is not None and not self._is_due(at, DOUBTED)):
            return self.current
        thorough = self._is_due(at, UNKNOWN)
        visit.answers.update(self._interrupted)
        self._interrupted = visit.answers  # filled as answers come: a slow server's are not lost
        found = await detect_kind(visit, self.kinds, thorough=thorough)
        self._interrupted = {}
        if thorough:
            self._looked, self._evidence = at, dict(visit.answers)
        if found is not None:
            self.current, self._doubtful = found, False
        return self.current

    def places(self, site: EndpointUrls, kind: Kind) -> Sequence[Url]:
        """Where to read the page: where it was read last, or wherever the kind may have it."""
        if self._where is not None:
            return (self._where,)
        return (*site.elsewhere([kind]), *site.here([kind]))

    def check(self, visit: ScrapeAttempt) -> None:
        """See whether what a visit brought still fits."""
        page = visit.page
        self._where = page.where if page else None
        if page is None:
            self._doubtful |= any(failure.outcome in _UNFIT for failure in visit.failures)
        elif page.layout is not self._layout:
            self._layout = page.layout
            self._compare(page.layout)

    def _compare(self, layout: Layout) -> None:
        """Take a kind that a new page shows; doubt the present one when the page shows it no more.

        A page changes its layout with the first request, and may only then show its kind.
        """
        if not self._found or self.current is None:
            return
        shown = detect(self.kinds, layout.series, self._evidence)
        if shown is None or shown is self.current:
            return
        if shown.name == GENERIC:
            self._doubtful = True
        else:
            self.current = shown

    def _is_due(self, at: int, pause: int) -> bool:
        if self._looked is None:
            return True
        wanted = self.current is None or self._doubtful
        return wanted and not 0 <= at - self._looked < pause


async def detect_kind(
    visit: ScrapeAttempt, kinds: Sequence[Kind], *, thorough: bool = True
) -> Kind | None:
    """The kind of server, with its page in `visit.page` when it has one.

    None when nothing is known well enough; `visit.failures` then says why. A look that is not
    `thorough` reads the page and asks nothing else. Raises Failed when the endpoint cannot be
    reached at all.
    """
    lacking = await _page_here(visit, kinds)
    kind = detect(kinds, _names(visit), {})
    if thorough and (kind is None or kind.name == GENERIC):
        await _ask(visit, questions(kinds))
        kind = detect(kinds, _names(visit), visit.answers)
        if visit.page is None:
            kind = await _with_its_own_port(visit, kinds, kind)
    if kind is None:
        visit.failures.append(lacking or Failure(Outcome.NOT_METRICS, EMPTY))
    elif lacking is not None and visit.page is None and kind.places:
        visit.failures.append(lacking)
    return kind


def _names(visit: ScrapeAttempt) -> Collection[Series] | None:
    return None if visit.page is None else visit.page.layout.series


async def _page_here(visit: ScrapeAttempt, kinds: Sequence[Kind]) -> Failure | None:
    """Read the page on the serving port; what came in its place, if none is there."""
    try:
        await visit.read(visit.site.here([kind for kind in kinds if not kind.json_map]))
    except RequestError as failed:
        if failed.failure.outcome in LOST:
            raise
        first = failed.failure.detail.partition("; ")[0]
        return Failure(failed.failure.outcome, first)
    return None


async def _ask(visit: ScrapeAttempt, paths: Sequence[str]) -> None:
    for path in paths:
        if path not in visit.answers:
            with suppress(RequestError):
                await visit.probe(path)


async def _with_its_own_port(
    visit: ScrapeAttempt, kinds: Sequence[Kind], known: Kind | None
) -> Kind | None:
    """The kind whose page is on another port of the same host.

    Another server may live there: the page must be of the kind that answers on the serving port.
    """
    for kind in kinds if known is None else [known]:
        if visit.site.elsewhere([kind]) and (known or await _answers(visit, kind)):
            await _page_elsewhere(visit, kind)
            if detect([kind], _names(visit), {}) is kind:
                return kind
            visit.page = None
    return known


async def _answers(visit: ScrapeAttempt, kind: Kind) -> bool:
    """Whether the serving port answers as a server of this kind does."""
    await _ask(visit, [path for path, spec in probes(kind, None) if spec.port is None])
    return read_answers(kind, visit.answers, None).server is not ModelState.UNKNOWN


async def _page_elsewhere(visit: ScrapeAttempt, kind: Kind) -> None:
    with suppress(RequestError, TimeoutError):
        async with asyncio.timeout(ASIDE):
            await visit.read(visit.site.elsewhere([kind]))
