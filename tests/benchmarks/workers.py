"""Several worker processes behind one address: what is shown of their traffic, and what fires.

`PYTHONPATH=tests python tests/benchmarks/workers.py`: four workers of one server, half an hour with
a scrape every ten seconds, 5 % of the requests fail. The worker that answers a scrape is drawn at
random, comes by turns, or stays for long; its page tells its start, or a label of its own, or
nothing. Every figure that is shown is compared with the traffic of all workers in the same window.
To reach: rate and ratio within 5 % of the truth, or unknown, and no alert.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence

from msgspec import Struct

from benchmarks.page_fleet import START, PageFleet
from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.settings.endpoint import Endpoint, Slo
from watchdeck.domain.values.units import Milliseconds, Ratio

WORKERS = 4
EVERY = 10_000
SCRAPES = 180
RATE, FAILURES = 5.0, 0.05
"""Requests a second of each worker, and the share that fails."""

FAILED = 'requests_total{code="500"}'
KIND = Kind(
    "workers",
    "A server with workers",
    signals=(
        SignalSpec("request_rate", rate=("requests_total",)),
        SignalSpec(
            "error_ratio", increase=('requests_total{code="500"}',), over=("requests_total",)
        ),
    ),
)
TOLD = ("start", "label", "nothing")
ORDERS = ("random", "turns", "long")


class World(Struct):
    """One way in which the workers answer, and what their pages tell of themselves."""

    told: str
    order: str

    def layout(self, worker: int) -> Layout:
        own = (("pid", f"{100 + worker}"),) if self.told == "label" else ()
        codes = ("200", "500")
        series = [
            Series("requests_total", (("code", code), *own), SeriesType.COUNTER) for code in codes
        ]
        if self.told == "start":
            series.append(Series("process_start_time_seconds", (), SeriesType.GAUGE))
        return Layout(tuple(series))

    def next_worker(self, now: int, number: int, rng: random.Random) -> int:
        if self.order == "turns":
            return number % WORKERS
        stays = self.order == "long" and rng.random() < 0.9
        return now if stays else rng.randrange(WORKERS)


class Outcome(Struct):
    """What was shown in one world: how often, and the worst deviations from the truth."""

    known: int = 0
    worst_rate: float = 0.0
    worst_ratio: float = 0.0
    alerts: int = 0


def play(world: World, seed: int) -> Outcome:
    """Half an hour in one world."""
    rng, outcome = random.Random(f"{world} {seed}"), Outcome()
    counts = [[rng.randrange(10**6), rng.randrange(10**4)] for _ in range(WORKERS)]
    starts = [START / 1_000 - rng.uniform(60, 10**6) for _ in range(WORKERS)]
    layouts = [world.layout(worker) for worker in range(WORKERS)]
    endpoint = Endpoint(
        "m", "http://m:1", every=Milliseconds(EVERY), slo=Slo(Ratio(0.99), None, Ratio(0.1))
    )
    worker, seen = 0, set[int]()
    with PageFleet([(endpoint, KIND)]) as fleet:
        for number in range(SCRAPES):
            for count in counts:
                serve(count, rng)
            worker = world.next_worker(worker, number, rng)
            seen.add(worker)
            told = [starts[worker]] if world.told == "start" else []
            page = layouts[worker], array("d", [*counts[worker], *told])
            scrape = fleet.scrape(START + number * EVERY, {"m": page}, {})["m"]
            columns = [series.name for series in scrape.signals.layout.series]
            values = dict(zip(columns, scrape.signals.values, strict=True))
            if len(seen) == WORKERS or world.order != "long":
                compare(values, outcome)
        outcome.alerts = len(fleet.fired())
    return outcome


def serve(count: list[int], rng: random.Random) -> None:
    """Add the requests of ten seconds to the counts of one worker, as steady as they can be."""
    requests = round(RATE * EVERY / 1_000)
    failed = sum(rng.random() < FAILURES for _ in range(requests))
    count[0] += requests - failed
    count[1] += failed


def compare(values: dict[str, float], outcome: Outcome) -> None:
    rate, ratio = values["request_rate"], values["error_ratio"]
    if math.isnan(rate):
        return
    outcome.known += 1
    truth = WORKERS * RATE
    outcome.worst_rate = max(outcome.worst_rate, abs(rate - truth) / truth)
    if not math.isnan(ratio):
        outcome.worst_ratio = max(outcome.worst_ratio, abs(ratio - FAILURES))


def main() -> int:
    print(f"{WORKERS} workers, {SCRAPES} scrapes, {RATE:g}/s each, {FAILURES:.0%} failures")
    print(
        f"{'pages tell':<12}{'answers':<10}{'known':>7}{'rate off':>10}"
        f"{'ratio off':>11}{'alerts':>8}"
    )
    wrong = 0
    for told in TOLD:
        for order in ORDERS:
            found = [play(World(told, order), seed) for seed in range(3)]
            wrong += print_row(told, order, found)
    return 1 if wrong else 0


def print_row(told: str, order: str, found: Sequence[Outcome]) -> bool:
    known = sum(one.known for one in found) / len(found) / SCRAPES
    rate, ratio = max(one.worst_rate for one in found), max(one.worst_ratio for one in found)
    alerts = sum(one.alerts for one in found)
    print(f"{told:<12}{order:<10}{known:>7.0%}{rate:>10.1%}{ratio:>11.2%}{alerts:>8}")
    return rate > 0.05 or alerts > 0


if __name__ == "__main__":
    raise SystemExit(main())
