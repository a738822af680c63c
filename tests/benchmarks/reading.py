"""How soon a key answers while the console reads a week of one model, scrape by scrape.

`python tests/benchmarks/reading.py [KEYS]` prints a table. The read is the console's own: the chart
of seven days of a model that is scraped every five seconds, 120,960 scrapes. Another signal is
asked for, and while its chart is read, the one before: its first byte is what is timed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.start import EVERY, SCRAPES, SIGNALS, build, now
from benchmarks.terminal import CONSOLE, Answering
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.store.files.connection import open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.backfill import ScrapeHistory, insert_history, pack_history
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.reader import Reader

MODEL, WEEK, STEP = "model-000", 7 * 86_400_000, 5_000
CHARTED = ("latency_p95", "latency_p50", "latency_p99")
POINTS = 240

NEXT, BEFORE, WIDER = b"\t", b"\x1b[Z", b"-"
WIDENED = 3
"""Spans from an hour to a week."""

REACH = 50
"""Milliseconds in which 19 of 20 keys have their first byte."""


def fill(directory: StoreDirectory) -> None:
    """A week of scrapes of one model, before those that are there."""
    end = now() - SCRAPES * EVERY
    times = np.arange(end - WEEK, end, STEP, dtype=np.int64)
    layout, dice = signal_layout(SIGNALS), np.random.default_rng(7)
    values = 0.02 * (1 + dice.random((len(times), len(layout))))
    encoded = pack_history(ScrapeHistory(MODEL, Stream.SIGNALS, layout, times, values))
    with closing(open_writable(directory.metrics)) as db, transaction(db):
        insert_history(db, [encoded])


def alone(directory: StoreDirectory, times: int = 9) -> float:
    """Milliseconds that the read takes by itself, in the middle."""
    found = []
    with closing(Reader(directory)) as reader:
        for _ in range(times):
            began = time.perf_counter()
            reader.history(MODEL, CHARTED, now() - WEEK, now(), points=POINTS)
            found.append(1_000 * (time.perf_counter() - began))
    return statistics.median(found)


def keys(directory: StoreDirectory, times: int, *, reads: bool) -> list[float]:
    """Milliseconds from a key to its first byte, while a chart is read or while nothing is."""
    terminal = Answering("-c", CONSOLE, str(directory.path), "ours", cells=120, rows=40)
    found = []
    try:
        terminal.wait_for(MODEL.encode())
        terminal.ask(b"2\r", b"UTC")
        terminal.read(1.0)
        terminal.type(WIDER * WIDENED)
        terminal.read(2.0)
        for _ in range(times):
            terminal.type(NEXT)
            terminal.read(0.02 if reads else 1.0)
            pressed = time.perf_counter()
            terminal.type(BEFORE)
            terminal._some(2.0)
            found.append(1_000 * (time.perf_counter() - pressed))
            terminal.read(1.0)
    finally:
        terminal.close()
    return found


def report(times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = StoreDirectory(Path(folder) / "store")
        build(directory)
        fill(directory)
        print(f"the read by itself {alone(directory):>10.0f} ms")
        for name, reads in (("while nothing is read", False), ("while it is read", True)):
            found = keys(directory, times, reads=reads)
            middle, worst = statistics.median(found), statistics.quantiles(found, n=20)[-1]
            print(f"key to first byte {name:24} p50 {middle:>5.0f} ms   p95 {worst:>5.0f} ms")
    print(f"to reach: {REACH} ms (p95)")


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
