"""The live servers go on from where the past ends."""

import math
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from random import Random

import pytest

from demo.history.histories import NOW, PARTS, Watcher, past
from watchdeck.demo.fleet.traffic import Counts, SimulatedServer
from watchdeck.demo.history.traffic import counts_at
from watchdeck.domain.metrics.scrape import Scrape

MINUTES = 12
FIRST = 5
"""Seconds until the first live scrape: the servers come up while nobody asks."""


def read(scrape: Scrape, name: str) -> float:
    columns = [str(series) for series in scrape.signals.layout.series]
    return scrape.signals.values[columns.index(name)] if name in columns else math.nan


def live_counts(name: str) -> Iterator[tuple[int, Counts[int]]]:
    """What the live server has counted at each scrape of its first minutes (ms UTC)."""
    part = PARTS[name]
    counts = deepcopy(past(name).history.counts)
    server = SimulatedServer(part.load, Random(3), NOW / 1_000, counts)
    for second in range(FIRST, 300, 20):
        server.advance(NOW / 1_000 + second)
        yield NOW + 1_000 * second, server.counts


def over_the_seam(name: str) -> list[Scrape]:
    """The last minutes of the past and the first of the present, as one collector sees them."""
    one = past(name)
    watcher, run = Watcher(one.part), one.server.traffic
    last = range(len(run.times) - MINUTES, len(run.times))
    pages = [(int(run.times[number]), counts_at(one.server.counts, number)) for number in last]
    seen = [watcher.scrape(at, 0.003, counts, loaded=True) for at, counts in pages]
    return seen + [
        watcher.scrape(at, 0.003, counts, loaded=True) for at, counts in live_counts(name)
    ]


@pytest.mark.parametrize("name", PARTS)
def test_the_first_live_page_is_the_last_page_of_the_past(name: str) -> None:
    one = past(name)
    server = SimulatedServer(one.part.load, Random(3), NOW / 1_000, one.history.counts)
    page = Watcher(one.part).scrape(NOW, 0.003, server.counts, loaded=True)
    assert page.series is not None
    assert list(page.series.values) == one.history.series.values[-1].tolist()


@pytest.mark.parametrize("name", PARTS)
def test_no_counter_begins_again_at_the_seam(name: str) -> None:
    assert [scrape.identity.resets for scrape in over_the_seam(name)][-1] == 0


@pytest.mark.parametrize("name", [name for name in PARTS if name != "gpu-node"])
def test_no_rate_jumps_at_the_seam(name: str) -> None:
    seen = over_the_seam(name)
    rates = [read(scrape, "request_rate") for scrape in seen[7:]]
    noise = 6 / math.sqrt(max(1.0, 360 * rates[0]))
    assert all(after == pytest.approx(before, rel=noise) for before, after in pairwise(rates))


def test_the_fraud_detector_is_fast_when_the_story_begins() -> None:
    seen = over_the_seam("fraud-detector")[7:]
    assert [read(scrape, "latency_p95") for scrape in seen] == pytest.approx(
        [0.050] * len(seen), rel=0.08
    )
    assert all(read(scrape, "error_ratio") < 0.01 for scrape in seen)
