"""From the body of an answer to a page of numbers: exposition text, or JSON by the owner's map."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from msgspec import Struct, field

from watchdeck.collector.exposition import NotMetrics, PageParser
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome, Truncation
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.custom_mapping import json_layout, read_json
from watchdeck.domain.values.json_assertion import ExpectError
from watchdeck.net.address import Url
from watchdeck.net.failure import RequestError, status_words


class MetricsPage(Struct, frozen=True):
    """A page that was read, where it is, and the headers it came with."""

    where: Url
    layout: Layout
    values: array[float]
    cut: Truncation = field(default_factory=Truncation)
    headers: Mapping[str, str] = field(default_factory=dict)


class PageDecoder:
    """Reads the pages of one endpoint."""

    def __init__(self, endpoint: Endpoint, exposition: PageParser) -> None:
        self._name = endpoint.name
        self._map = endpoint.map
        self._exposition = exposition
        self._json_layout = json_layout(endpoint.map)

    def read(self, where: Url, answer: ProbeResponse, *, json: bool = False) -> MetricsPage:
        """The page in an answer. Raises Failed when there is none."""
        if answer.status is None or not 200 <= answer.status < 300:
            raise RequestError(Outcome.HTTP_STATUS, status_words(answer.status or 0))
        return self._json(where, answer) if json else self._text(where, answer)

    def _text(self, where: Url, answer: ProbeResponse) -> MetricsPage:
        kind = answer.headers.get("content-type", "")
        try:
            read = self._exposition.read(self._name, answer.body, kind)
        except NotMetrics as error:
            raise RequestError(Outcome.NOT_METRICS, str(error)) from error
        return MetricsPage(where, read.layout, read.values, read.cut, answer.headers)

    def _json(self, where: Url, answer: ProbeResponse) -> MetricsPage:
        try:
            values = read_json(self._map, answer.body)
        except ExpectError as error:
            raise RequestError(Outcome.NOT_METRICS, str(error)) from error
        return MetricsPage(where, self._json_layout, values, headers=answer.headers)
