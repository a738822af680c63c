"""What alerting costs and how soon it speaks: `python tests/benchmarks/alerts.py [TICKS]`.

The tick is timed on 1,000 endpoints with ten rules each, every endpoint with a new sample; the
times of an outage and of a gap are those of a made-up clock, on the real engine and store.
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scenarios.playing import Player
from scenarios.reading import Scenario, read_scenario
from watchdeck.domain.metrics.scrape import Frame, ModelState, Outcome, Scrape
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.rules.condition import read_condition
from watchdeck.domain.rules.rule import Rule, Severity
from watchdeck.domain.settings.endpoint import EndpointFacts, Slo
from watchdeck.domain.values.units import Milliseconds, Ratio
from watchdeck.engine.engine import Engine
from watchdeck.store.files.connection import Connection, open_readonly, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import LayoutTable, Stream, add_frame
from watchdeck.store.metrics.latest import register_endpoints, save_latest
from watchdeck.store.migrations import prepare

NOW = 1_795_410_000_000
ENDPOINTS = 1_000
EVERY = 10_000
TURNING = 34
"""Endpoints that become bad in a tick; as many cease to be, and as many are over."""

SETTLING = 60
"""Ticks in which the engine restores what was before it, little as that is."""

TICK_REACH, OUTAGE_REACH = 50.0, 57.0
"""Milliseconds for a tick in which a hundredth of the pairs changes; seconds for an outage."""

WHEN = (
    "latency_p95 > 2x slo for 10s",
    "avg(latency_p95) > slo over 5m",
    "error_ratio > 50%",
    "burn(availability) fast",
    "burn(error_ratio) fast",
    "saturation > 90% until < 80%",
    "queue_depth > 100 for 1m",
    "max(cpu_utilization) > 95% over 10m",
    "down",
    "absent for 2m",
)
GOOD = {
    "outcome": 0.0,
    "up": 1.0,
    "ready": 1.0,
    "availability": 1.0,
    "request_rate": 10.0,
    "error_ratio": 0.001,
    "latency_p95": 0.1,
    "saturation": 0.3,
    "queue_depth": 1.0,
    "cpu_utilization": 0.3,
    "memory_bytes": 1e9,
}
LAYOUT = signal_layout(tuple(GOOD))
COLUMNS = [series.name for series in LAYOUT.series]
SLO = Slo(Ratio(0.999), Milliseconds(200), Ratio(0.01))


def rules() -> list[Rule]:
    found = []
    for number, when in enumerate(WHEN):
        read, severity = read_condition(when), Severity.HIGH if number < 3 else Severity.MEDIUM
        found.append(
            Rule(f"rule-{number}", when, read.test, severity, read.hold, resolve_for=EVERY)
        )
    return found


class Fleet:
    """A store of a thousand endpoints that are all scraped at once."""

    def __init__(self, directory: StoreDirectory) -> None:
        prepare(directory)
        self._db: Connection = open_writable(directory.metrics, synchronous="OFF")
        self._layouts = LayoutTable(self._db)
        self.names = [f"model-{number:04}" for number in range(ENDPOINTS)]
        facts = [
            EndpointFacts(name, f"http://{name}", EVERY, owner=f"team-{number % 20}", slo=SLO)
            for number, name in enumerate(self.names)
        ]
        with transaction(self._db):
            self._ids = register_endpoints(self._db, facts, NOW)

    def scrape(self, at: int, bad: frozenset[str]) -> None:
        with transaction(self._db):
            for name in self.names:
                known = GOOD | ({"saturation": 0.95} if name in bad else {})
                values = array("d", (known.get(column, math.nan) for column in COLUMNS))
                scrape = Scrape(
                    *(name, at, 0.01, Outcome.OK, Frame(LAYOUT, values)),
                    kind="vllm",
                    model_state=ModelState.READY,
                )
                number = self._ids[name]
                add_frame(self._db, self._layouts, number, at, Stream.SIGNALS, scrape.signals)
                save_latest(self._db, self._layouts, number, scrape)


def ticks(place: Path, count: int) -> Iterator[tuple[str, float, float, int]]:
    """What each tick was like: its kind, wall and processor time (ms), and changes written."""
    directory = StoreDirectory(place)
    fleet = Fleet(directory)
    engine = Engine(open_readonly(directory.metrics), open_writable(directory.state), rules())
    settling = SETTLING
    for tick in range(settling + 2 * count):
        at = NOW + tick * EVERY
        first = TURNING * tick % (ENDPOINTS - TURNING)
        turning = tick >= settling + count
        bad = frozenset(fleet.names[first : first + TURNING]) if turning else frozenset()
        fleet.scrape(at, bad)
        wall, spent = time.perf_counter(), time.thread_time()
        written = engine.evaluate(at + 500)
        wall, spent = time.perf_counter() - wall, time.thread_time() - spent
        kind = "restoring" if tick < settling else "changing" if turning else "quiet"
        yield kind, 1e3 * wall, 1e3 * spent, written


@contextmanager
def played(scenario: Scenario) -> Iterator[Player]:
    with tempfile.TemporaryDirectory() as folder, closing(Player(scenario, Path(folder))) as one:
        for _ in one.play():
            pass
        yield one


def report(count: int) -> None:
    texts = Path(__file__).parents[1] / "scenarios"
    outage = read_scenario(texts / "a-total-outage-burns-fast.txt")
    with played(outage) as player:
        at = player.fired("burns/fraud")
        seconds = math.inf if at is None else at / 1_000 - 3_600 + 0.5
        print(
            f"total outage at 99.9 %: first failed poll to outbox row {seconds:.1f} s"
            f" (to reach: {OUTAGE_REACH:.0f} s)"
        )
    for name in ("fourteen-seconds-without-scrapes", "fourteen-seconds-of-nothing"):
        with played(read_scenario(texts / f"{name}.txt")) as player:
            kinds = [row.kind for row in player.told()]
            print(
                f"{name}: {kinds.count('resolved')} resolves, {len(kinds) - 1} messages after"
                f" the page: {' '.join(kinds)} (to reach: 0 resolves, 1 message)"
            )
    with tempfile.TemporaryDirectory() as folder:
        found = list(ticks(Path(folder) / "store", count))
    print(
        f"{ENDPOINTS} endpoints x {len(WHEN)} rules, {count} ticks each, in ms"
        f" (to reach: {TICK_REACH:.0f} ms)"
    )
    print(f"{'':12} {'wall best':>10} {'median':>8} {'cpu best':>9} {'median':>8} {'changes':>8}")
    for kind in ("restoring", "quiet", "changing"):
        rows = [row[1:] for row in found if row[0] == kind][5:]
        wall, spent, written = zip(*rows, strict=True)
        figures = (min(wall), statistics.median(wall), min(spent), statistics.median(spent))
        told = " ".join(f"{figure:>9.1f}" for figure in figures)
        print(f"{kind:12} {told} {statistics.median(written):>8.0f}")


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
