"""A collector that starts continues where the one before it stopped."""

from __future__ import annotations

import random
from array import array
from pathlib import Path

import pytest

from domain.kinds.captured_pages import BY_NAME, PAIRS, sheet
from watchdeck.collector.scrape.attempt import MetricsPage, ScrapeAttempt
from watchdeck.collector.scrape.endpoint_state import EndpointState
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import Scrape
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.settings.endpoint import Endpoint, public_facts
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.net.address import parse_url
from watchdeck.service.collector import PastScrapes
from watchdeck.store.files.connection import open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import LayoutTable, Stream, add_frame
from watchdeck.store.metrics.latest import register_endpoints, save_latest
from watchdeck.store.migrations import prepare

EVERY = 10_000
START = 1_795_500_000_000
NAMES = ("vllm", "mlserver", "triton", "bentoml", "kserve", "litellm")


class Server:
    """The page of a kind, with counters that grow at random."""

    def __init__(self, kind: Kind, endpoint: Endpoint, seed: int) -> None:
        self.layout, values = sheet(PAIRS[kind.name][1])
        self._plan = build_plan(kind, endpoint, self.layout)
        self._values = array("d", values)
        self._random = random.Random(seed)

    def page(self) -> tuple[Layout, array[float]]:
        for place in set(self._plan.counters):
            self._values[place] += self._random.choice((0, 0, 1, 3))
        return self.layout, self._values[:]


def scrape(state: EndpointState, kind: Kind, at: int, page: tuple[Layout, array[float]]) -> Scrape:
    read = MetricsPage(parse_url("http://model/metrics"), *page)
    return state.scrape(ScrapeAttempt(at, 0.01, kind, {}, read))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scrapes", [5, 100])
def test_the_first_scrape_after_a_restart_tells_what_it_would_have_told_without_one(
    name: str, scrapes: int, tmp_path: Path
) -> None:
    kind, endpoint = BY_NAME[name], Endpoint("m", "http://model")
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    db = open_writable(directory.metrics)
    layouts, before = LayoutTable(db), EndpointState(endpoint)
    server = Server(kind, endpoint, scrapes)
    with transaction(db):
        [number] = register_endpoints(db, [public_facts(endpoint)], START).values()
        for count in range(scrapes):
            at = START + count * EVERY
            told = scrape(before, kind, at, server.page())
            add_frame(db, layouts, number, at, Stream.SIGNALS, told.signals)
            assert told.series is not None
            add_frame(db, layouts, number, at, Stream.SERIES, told.series)
        save_latest(db, layouts, number, told)
    db.close()
    at, page = START + scrapes * EVERY, server.page()
    past = PastScrapes(directory, [endpoint], list(BY_NAME.values()), at)
    after = EndpointState(endpoint)
    after.restore(past.history("m"))
    past.close()
    assert past.kinds == {"m": name}
    continued, restarted = (scrape(state, kind, at, page) for state in (before, after))
    columns = [series.name for series in continued.signals.layout.series]
    pairs = zip(columns, continued.signals.values, restarted.signals.values, strict=True)
    exact = [one for one in pairs if not one[0].endswith((".window", ".events"))]
    for column, wanted, found in exact:
        assert found == pytest.approx(wanted, nan_ok=True, rel=0.5 if "mean" in column else 1e-9), (
            column
        )
    assert restarted.expected == continued.expected


def test_an_endpoint_that_is_new_has_no_past(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    endpoint = Endpoint("m", "http://model")
    past = PastScrapes(directory, [endpoint], list(BY_NAME.values()), START)
    history = past.history("m")
    past.close()
    assert (history.kind, history.pages, history.probes) == (None, (), ())
