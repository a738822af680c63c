"""How long after a restart of the collector windows, budgets and health are as before.

`PYTHONPATH=tests python tests/benchmarks/restart.py [ENDPOINTS ...]`: a store with fourteen days of
signals and an hour of series for each endpoint; then what a collector does when it starts: the
windows of the counters are rebuilt at each first scrape, and the engine evaluates once a tick,
until every rule can judge by its windows and budgets again. Once after a clean stop, once after a
kill (the saved budgets are five minutes old), and once with nothing saved.
To reach: 2, 3 and 10 s at 10, 100 and 1,000 endpoints.
"""

from __future__ import annotations

import sys
import tempfile
import time
from array import array
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from domain.kinds.captured_pages import BY_NAME, PAIRS, sheet
from watchdeck.collector.scrape.attempt import MetricsPage, ScrapeAttempt
from watchdeck.collector.scrape.endpoint_state import EndpointState
from watchdeck.config.rules import rules_in_force
from watchdeck.domain.metrics.scrape import Scrape
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint, Slo, public_facts
from watchdeck.domain.values.units import Milliseconds, Ratio
from watchdeck.engine.engine import Engine
from watchdeck.net.address import parse_url
from watchdeck.service.collector import PastScrapes
from watchdeck.store.files.connection import open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.backfill import ScrapeHistory, insert_history, pack_history
from watchdeck.store.metrics.frames import LayoutTable, Stream, add_frame
from watchdeck.store.metrics.latest import register_endpoints, save_latest
from watchdeck.store.migrations import prepare

NOW = 1_795_500_000_000
EVERY = 10_000
HOUR, DAY = 3_600_000, 86_400_000
SLO = Slo(Ratio(0.999), Milliseconds(2_500), Ratio(0.01))
KIND = BY_NAME["vllm"]
URL = parse_url("http://model/metrics")


def endpoints(count: int) -> list[Endpoint]:
    return [Endpoint(f"m{number}", "http://model", slo=SLO) for number in range(count)]


def fill(directory: StoreDirectory, fleet: Sequence[Endpoint]) -> None:
    """Fourteen days of signals, an hour of both streams, and the newest scrape of each endpoint."""
    db = open_writable(directory.metrics, synchronous="OFF")
    layouts = LayoutTable(db)
    with transaction(db):
        ids = register_endpoints(db, [public_facts(one) for one in fleet], NOW)
    frames = hour_of_scrapes()
    layout = frames[0].signals.layout
    times = np.arange(NOW - 14 * DAY, NOW - HOUR, EVERY)
    columns = np.tile(np.array(frames[-1].signals.values), (len(times), 1))
    for one in fleet:
        history = ScrapeHistory(one.name, Stream.SIGNALS, layout, times, columns)
        packed = pack_history(history)
        with transaction(db):
            insert_history(db, [packed])
    with transaction(db):
        for one in fleet:
            for scrape in frames:
                signals = scrape.signals, scrape.series
                for stream, frame in zip((Stream.SIGNALS, Stream.SERIES), signals, strict=True):
                    assert frame is not None
                    add_frame(db, layouts, ids[one.name], scrape.at, stream, frame)
            save_latest(db, layouts, ids[one.name], frames[-1])
    db.close()


def hour_of_scrapes() -> list[Scrape]:
    """The scrapes of the last hour of one endpoint: equal for all, as only the time counts."""
    layout, values = sheet(PAIRS["vllm"][1])
    state, found = EndpointState(Endpoint("m0", "http://model")), []
    page = array("d", values)
    for at in range(NOW - HOUR, NOW, EVERY):
        for place in range(len(page)):
            page[place] += 1.0
        read = MetricsPage(URL, layout, page[:])
        found.append(state.scrape(ScrapeAttempt(at, 0.01, KIND, {}, read)))
    return found


def windows_seconds(directory: StoreDirectory, fleet: Sequence[Endpoint]) -> float:
    """Seconds until the counter windows of the whole fleet are rebuilt."""
    began = time.perf_counter()
    past = PastScrapes(directory, fleet, [KIND], NOW)
    states = list(map(EndpointState, fleet))
    for state, one in zip(states, fleet, strict=True):
        state.restore(past.history(one.name))
    past.close()
    return time.perf_counter() - began


def engine_seconds(directory: StoreDirectory, at: int, *, save: bool) -> float:
    """Seconds until every target of the engine has its windows and budgets."""
    with (
        closing(open_readonly(directory.metrics)) as metrics,
        closing(open_writable(directory.state)) as state,
    ):
        began = time.perf_counter()
        engine = Engine(metrics, state, rules_in_force(Settings()))
        ticks = 0
        while not ticks or not _is_restored(engine):
            engine.evaluate(at + 1_000 * ticks)
            ticks += 1
        passed = time.perf_counter() - began
        if save:
            engine.save_budgets()
    return passed


def _is_restored(engine: Engine) -> bool:
    targets = [one for name, one in engine._evaluator.targets.items() if name]
    return all(one.windows_restored for one in targets)


def measure(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="restart-") as folder:
        directory = StoreDirectory(Path(folder) / "store")
        prepare(directory)
        fleet = endpoints(count)
        fill(directory, fleet)
        windows = windows_seconds(directory, fleet)
        without = engine_seconds(directory, NOW, save=True)
        saved = engine_seconds(directory, NOW, save=False)
    print(f"{count:>9,}{windows:>16.1f}{saved:>16.1f}{without:>18.1f}", flush=True)


def main(counts: Sequence[int]) -> None:
    print(f"{'endpoints':>9}{'windows (s)':>16}{'budgets (s)':>16}{'nothing saved (s)':>18}")
    for count in counts:
        measure(count)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [10, 100, 1_000])
