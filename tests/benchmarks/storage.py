"""How small the metrics lie and how fast they go in and come out: prints a table.

`python tests/benchmarks/storage.py [ENDPOINTS]`: pages of 500 series as servers of language models
have them in use, every 15 s. Sizes are what SQLite's pages take, without those of an empty file.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchdeck.domain.metrics.scrape import Frame, Outcome, Scrape
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.store.files.connection import Connection, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.backfill import ScrapeHistory, insert_history, pack_history
from watchdeck.store.metrics.compaction import CompactionSpan, compact
from watchdeck.store.metrics.frames import LayoutTable, Stream, StreamWindow, add_frame
from watchdeck.store.metrics.history import read_series
from watchdeck.store.metrics.latest import register_endpoints, save_latest
from watchdeck.store.metrics.rollups import HourlyAggregate, read_hours
from watchdeck.store.metrics.segments import DAY, HOUR, SegmentPeriod
from watchdeck.store.migrations import prepare

Values = NDArray[np.floating[Any]]
Dice = np.random.Generator

SERIES = 500
EVERY = 15_000
T0 = 1_790_035_200_000 // DAY * DAY
MONTH = 30
RUNS = 15

REACH = {
    "bytes a sample after an hour": "<= 0.90",
    "bytes a sample after a day": "<= 0.70",
    "M samples a CPU second, appended": ">= 5",
    "one series, 30 days, as scraped, ms": "<= 10",
    "200 series, 30 days, by the hour, ms": "<= 10",
}


def _idle(dice: Dice, count: int) -> Values:
    return np.full(count, float(dice.integers(100_000)), np.float64)


def _counter(dice: Dice, count: int) -> Values:
    return np.cumsum(dice.poisson(dice.uniform(0.2, 60), count)) + float(dice.integers(10**6))


def _tokens(dice: Dice, count: int) -> Values:
    return np.cumsum(dice.poisson(dice.uniform(1e3, 1e5), count)) + 1e8


def _queue(dice: Dice, count: int) -> Values:
    return np.maximum(0.0, np.cumsum(dice.integers(-3, 4, count)) + 50)


def _share(dice: Dice, count: int) -> Values:
    return np.round(np.clip(0.5 + np.cumsum(dice.normal(0, 0.01, count)), 0, 1), 6)


def _seconds(dice: Dice, count: int) -> Values:
    return np.cumsum(dice.gamma(2, 1.3, count)) + 1e4


def _processor(dice: Dice, count: int) -> Values:
    return np.round(np.cumsum(dice.gamma(2, 0.05, count)), 2)


MIX = ((40, _idle), (72, _counter), (80, _tokens), (88, _queue), (92, _share), (96, _seconds))
"""Of a hundred series those below the number are so; the last four are processor seconds."""

PAGE = Layout(
    tuple(
        Series(f"m{n // 25:03}_total", (("le", str(n % 25)),), SeriesType.COUNTER)
        for n in range(SERIES)
    )
)
SIGNALS = signal_layout(("request_rate", "error_ratio", "latency_p95"))


def page(dice: Dice, count: int) -> Values:
    """So many scrapes of one page: a row a scrape."""
    makers = [
        next((make for below, make in MIX if n % 100 < below), _processor) for n in range(SERIES)
    ]
    return np.stack([make(dice, count) for make in makers], axis=1)


@dataclass(frozen=True, slots=True)
class File:
    """A fresh metrics.db with so many endpoints."""

    path: Path
    db: Connection
    layouts: LayoutTable
    empty: int

    def size(self) -> int:
        """Bytes of the pages that are in use."""
        (pages,), (free,), (size,) = (
            self.db.execute(f"pragma {name}").fetchone()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


def fresh(folder: Path, endpoints: int) -> File:
    directory = StoreDirectory(folder)
    prepare(directory)
    db = open_writable(directory.metrics, synchronous="NORMAL")
    with transaction(db):
        register_endpoints(
            db, [EndpointFacts(f"model-{n}", "", EVERY) for n in range(endpoints)], T0
        )
    made = File(directory.metrics, db, LayoutTable(db), 0)
    return File(directory.metrics, db, made.layouts, made.size())


def times(count: int, dice: Dice) -> NDArray[np.int64]:
    """Scrape times: on the beat, a few milliseconds late."""
    return T0 + np.arange(count) * EVERY + np.sort(dice.integers(0, 20, count))


def sizes(folder: Path, endpoints: int) -> Iterator[tuple[str, float]]:
    """Bytes a sample after an hour and after a day, folded as the writer folds."""
    file, hour = fresh(folder, endpoints), HOUR // EVERY
    pages = [
        (times(24 * hour, (dice := np.random.default_rng(n))), page(dice, 24 * hour))
        for n in range(endpoints)
    ]
    samples, folding = 0, 0.0
    for begin in range(0, 24 * hour, hour):
        for endpoint, (at, values) in enumerate(pages, 1):
            with transaction(file.db):
                for n in range(begin, begin + hour):
                    frame = Frame(PAGE, array("d", values[n].tobytes()))
                    add_frame(file.db, file.layouts, endpoint, int(at[n]), Stream.SERIES, frame)
            samples += hour * SERIES
            began = time.process_time()
            compact(
                file.db,
                file.layouts,
                CompactionSpan(endpoint, T0 + begin * EVERY, SegmentPeriod.HOUR),
            )
            folding += time.process_time() - began
        if begin == 0:
            yield "bytes a sample after an hour", (file.size() - file.empty) / samples
    began = time.process_time()
    for endpoint in range(1, endpoints + 1):
        compact(file.db, file.layouts, CompactionSpan(endpoint, T0, SegmentPeriod.DAY))
    daily = time.process_time() - began
    yield "bytes a sample after a day", (file.size() - file.empty) / samples
    yield "ms to fold an hour of an endpoint", 1e3 * folding / (24 * endpoints)
    yield "ms to fold a day of an endpoint", 1e3 * daily / endpoints
    file.db.close()


def ingest(folder: Path, scrapes: int = 4_000) -> Iterator[tuple[str, float]]:
    """Samples a second of processor time: a scrape and its latest row in each transaction."""
    file = fresh(folder, 20)
    dice = np.random.default_rng(1)
    rows = [array("d", row.tobytes()) for row in page(dice, 200)]
    signals = Frame(SIGNALS, array("d", [0.0] * len(SIGNALS)))
    made = [
        Scrape("", T0 + n * 50, 0.01, Outcome.OK, signals, series=Frame(PAGE, rows[n % 200]))
        for n in range(scrapes)
    ]
    began = time.process_time()
    for n, scrape in enumerate(made):
        with transaction(file.db):
            assert scrape.series is not None
            add_frame(file.db, file.layouts, n % 20 + 1, scrape.at, Stream.SERIES, scrape.series)
            add_frame(file.db, file.layouts, n % 20 + 1, scrape.at, Stream.SIGNALS, signals)
            save_latest(file.db, file.layouts, n % 20 + 1, scrape)
    used = time.process_time() - began
    yield "M samples a CPU second, appended", scrapes * SERIES / used / 1e6
    file.db.close()


def queries(folder: Path) -> Iterator[tuple[str, float]]:
    """Milliseconds to read a month."""
    file = fresh(folder, 1)
    dice = np.random.default_rng(2)
    count = MONTH * DAY // EVERY
    values = page(dice, count).astype(np.float64)
    stretch = ScrapeHistory("model-0", Stream.SERIES, PAGE, times(count, dice), values)
    began = time.process_time()
    encoded = pack_history(stretch)
    used = time.process_time() - began
    with transaction(file.db):
        insert_history(file.db, [encoded])
    yield "M samples a CPU second, packed in bulk", count * SERIES / used / 1e6
    end = T0 + MONTH * DAY
    names = [str(series) for series in PAGE.series]
    window = StreamWindow(1, Stream.SERIES, T0, end)
    yield (
        "one series, 30 days, as scraped, ms",
        _median(lambda: read_series(file.db, "model-0", names[45], T0, end)),
    )
    yield (
        "200 series, 30 days, by the hour, ms",
        _median(
            lambda: read_hours(
                file.db, LayoutTable(file.db), window, names[:200], HourlyAggregate.HIGH
            )
        ),
    )
    file.db.close()


def _median(read: Callable[[], object]) -> float:
    read()
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        read()
        took.append(time.perf_counter() - began)
    return 1e3 * statistics.median(took)


def report(endpoints: int) -> None:
    print(f"{endpoints} endpoints x {SERIES} series every {EVERY // 1_000} s")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for part in (
            sizes(place / "sizes", endpoints),
            ingest(place / "ingest"),
            queries(place / "queries"),
        ):
            for what, measured in part:
                print(f"{what:42}{measured:10.3f}  {REACH.get(what, '')}", flush=True)


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
