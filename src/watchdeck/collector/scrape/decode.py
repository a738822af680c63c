"""From the body of an answer to a page of numbers: exposition text, or JSON by the owner's map."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from watchdeck.collector.exposition import NotMetrics, PageReader
from watchdeck.domain.kinds.kind import Answer
from watchdeck.domain.metrics.scrape import Cut, Outcome
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.custom_mapping import json_layout, read_json
from watchdeck.domain.values.json_assertion import ExpectError
from watchdeck.net.address import Address
from watchdeck.net.failure import Failed, status_words


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was read, where it is, and the headers it came with."""

    where: Address
    layout: Layout
    values: array[float]
    cut: Cut = field(default_factory=Cut)
    headers: Mapping[str, str] = field(default_factory=dict)


class Pages:
    """Reads the pages of one endpoint."""

    def __init__(self, endpoint: Endpoint, exposition: PageReader) -> None:
        self._name = endpoint.name
        self._map = endpoint.map
        self._exposition = exposition
        self._json_layout = json_layout(endpoint.map)

    def read(self, where: Address, answer: Answer, *, json: bool = False) -> Page:
        """The page in an answer. Raises Failed when there is none."""
        if answer.status is None or not 200 <= answer.status < 300:
            raise Failed(Outcome.HTTP_STATUS, status_words(answer.status or 0))
        return self._json(where, answer) if json else self._text(where, answer)

    def _text(self, where: Address, answer: Answer) -> Page:
        kind = answer.headers.get("content-type", "")
        try:
            read = self._exposition.read(self._name, answer.body, kind)
        except NotMetrics as error:
            raise Failed(Outcome.NOT_METRICS, str(error)) from error
        return Page(where, read.layout, read.values, read.cut, answer.headers)

    def _json(self, where: Address, answer: Answer) -> Page:
        try:
            values = read_json(self._map, answer.body)
        except ExpectError as error:
            raise Failed(Outcome.NOT_METRICS, str(error)) from error
        return Page(where, self._json_layout, values, headers=answer.headers)
