"""Steps through time: what was unpacked for one moment serves the next, and never a wrong one."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from store.stores import whole
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.connection import open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.backfill import ScrapeHistory, insert_history, pack_history
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.metrics.latest import read_latest_at
from watchdeck.store.metrics.segments import CACHED_ROWS, CACHED_SEGMENTS, DAY, SegmentCache
from watchdeck.store.metrics.writer import MetricsWriter

T0 = 20_000 * DAY
EVERY = 10_000
LAYOUT = signal_layout(("latency_p95",))
COUNT = 12_000


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    place = whole(tmp_path / "store")
    writer = MetricsWriter(place, Retention(), clock=lambda: T0)
    writer.start()
    writer.register([EndpointFacts("fraud", "http://fraud", EVERY)])
    writer.close()
    times = np.arange(T0, T0 + COUNT * EVERY, EVERY)
    values = np.zeros((COUNT, len(LAYOUT)))
    values[:, [s.name for s in LAYOUT.series].index("latency_p95")] = np.arange(COUNT)
    with closing(open_writable(place.metrics)) as db, transaction(db):
        insert_history(
            db, [pack_history(ScrapeHistory("fraud", Stream.SIGNALS, LAYOUT, times, values))]
        )
    return place


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(1, id="scrape by scrape"),
        pytest.param(-1, id="back"),
        pytest.param(CACHED_ROWS - 1, id="just within what is kept"),
        pytest.param(CACHED_ROWS, id="just beyond"),
        pytest.param(-2 * CACHED_ROWS - 1, id="far back"),
        pytest.param(997, id="far"),
    ],
)
def test_every_step_reads_the_scrape_of_its_moment(directory: StoreDirectory, step: int) -> None:
    near = SegmentCache()
    places = range(8_640 - 3 * step, 8_640 + 4 * step, step)
    with closing(open_writable(directory.metrics)) as db:
        for place in places:
            (latest,) = read_latest_at(db, T0 + place * EVERY + 1, near)
            assert latest.at == T0 + place * EVERY
            assert latest.signals["latency_p95"].value == place


def test_what_is_kept_is_bounded_and_of_one_file(directory: StoreDirectory) -> None:
    near = SegmentCache()
    for _ in range(2):
        with closing(open_writable(directory.metrics)) as db:
            read_latest_at(db, T0 + DAY, near)
            assert 0 < len(near._cache) <= CACHED_SEGMENTS
            assert all(len(rows.times) <= 2 * CACHED_ROWS for rows in near._cache.values())
