"""What the tests of the demo's past share: whole pasts, made once, and the real code over them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from msgspec.structs import replace

from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.attempt import MetricsPage, ScrapeAttempt
from watchdeck.collector.scrape.endpoint_state import EndpointState
from watchdeck.demo.fleet.endpoints import ENDPOINTS, DemoEndpoint
from watchdeck.demo.fleet.metrics_pages import render_page
from watchdeck.demo.fleet.traffic import Counts
from watchdeck.demo.history.endpoint import (
    EndpointHistory,
    ServerHistory,
    history,
    kind_and_plan,
    simulate,
)
from watchdeck.demo.history.traffic import counts_at
from watchdeck.demo.scenario import DAYS, INTERVAL
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome, Scrape
from watchdeck.domain.values.units import Milliseconds
from watchdeck.net.address import Origin, Url
from watchdeck.net.failure import Failure

NOW = 1_795_012_345_678
A_DAY = 86_400_000
HERE = Url(Origin("http", "127.0.0.1", 1), "/metrics")
PARTS = {part.name: part for part in ENDPOINTS}


@dataclass(frozen=True, slots=True)
class Past:
    part: DemoEndpoint
    server: ServerHistory
    history: EndpointHistory

    def column(self, name: str) -> list[float]:
        """One column of the signals, whole."""
        return list(map(float, self.history.signals.values[:, self.place(name)]))

    def place(self, name: str) -> int:
        return [str(series) for series in self.history.signals.layout.series].index(name)

    def scrape_at(self, days: int, minute: int) -> int:
        """The number of the first scrape from a minute of a UTC day on, so many days ago."""
        return self.scrape_of(NOW - NOW % A_DAY - days * A_DAY + minute * 60_000)

    def scrape_of(self, at: int) -> int:
        """The number of the first scrape from a moment on."""
        return int(self.history.signals.times.searchsorted(at))


@cache
def past(name: str) -> Past:
    part = PARTS[name]
    return Past(part, simulate(part, 1, NOW, DAYS), history(part, 1, NOW))


class Watcher:
    """The collector's own memory of an endpoint, fed with made pages."""

    def __init__(self, part: DemoEndpoint) -> None:
        self._part = part
        self._kind, _ = kind_and_plan(part)
        self._reader = PageParser()
        self._memory = EndpointState(replace(part.config, every=Milliseconds(INTERVAL)))

    def scrape(self, at: int, took: float, counts: Counts[int] | None, *, loaded: bool) -> Scrape:
        """The scrape of a page of these counts; of None, one that nobody answered."""
        if counts is None:
            late = Failure(Outcome.TIMED_OUT, "/metrics: no complete answer within 1500ms")
            return self._memory.scrape(ScrapeAttempt(at, took, self._kind, {}, None, [late]))
        read = self._reader.read(
            "it", render_page(self._part.page(self._part.name, counts)).encode()
        )
        page = MetricsPage(HERE, read.layout, read.values)
        answers = self._answers(loaded=loaded)
        return self._memory.scrape(ScrapeAttempt(at, took, self._kind, answers, page))

    def _answers(self, *, loaded: bool) -> dict[str, ProbeResponse]:
        found = {path: ProbeResponse(200, body.encode()) for path, body in self._part.paths.items()}
        for path, body in self._part.model_paths.items():
            found[path] = ProbeResponse(200, body.encode()) if loaded else ProbeResponse(404)
        return found


def watched(one: Past, first: int, last: int) -> Iterator[tuple[int, Scrape]]:
    """The scrapes from number `first` until before `last`, as the collector would make them."""
    watcher = Watcher(one.part)
    run = one.server.traffic
    for number in range(first, last):
        counts = counts_at(one.server.counts, number) if run.answered[number] else None
        took, loaded = float(one.server.durations[number]), bool(run.loaded[number])
        yield number, watcher.scrape(int(run.times[number]), took, counts, loaded=loaded)
