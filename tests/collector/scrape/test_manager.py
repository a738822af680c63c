import asyncio
import logging
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from collector.scrape.scrapes import KINDS, named
from log_lines import lines_of
from net.clients import PATIENT, SHORT
from servers.hostile import Hostile, hostile
from watchdeck.collector.scrape.endpoint_state import EarlierScrapes
from watchdeck.collector.scrape.manager import ScrapeManager
from watchdeck.domain.metrics.scrape import Outcome, Scrape
from watchdeck.domain.settings.endpoint import Canary, Endpoint
from watchdeck.domain.values.units import Milliseconds

EVERY = Milliseconds(400)
HOSTILE = {
    "/hang": Outcome.TIMED_OUT,
    "/drip-head": Outcome.TIMED_OUT,
    "/drip-body": Outcome.TIMED_OUT,
    "/huge": Outcome.TOO_LARGE,
    "/crumbs": Outcome.TOO_LARGE,
    "/bomb": Outcome.TOO_LARGE,
    "/headers": Outcome.TOO_LARGE,
    "/stacked": Outcome.UNREADABLE,
    "/garbage": Outcome.UNREADABLE,
    "/loop": Outcome.REDIRECTED,
    "/to-host": Outcome.REDIRECTED,
    "/reset": Outcome.RESET,
    "/short": Outcome.RESET,
    "/html": Outcome.NOT_METRICS,
    "/503": Outcome.HTTP_STATUS,
}


def watched(server: Hostile, name: str, path: str) -> Endpoint:
    within = SHORT if HOSTILE.get(path) is Outcome.TIMED_OUT else PATIENT
    return named(
        server.url("/"),
        "prometheus",
        name=name,
        metrics_url=server.url(path),
        every=EVERY,
        timeout=within,
    )


class Collected:
    """Takes scrapes in, and tells when enough have come."""

    def __init__(self, enough: Callable[[Counter[str]], bool]) -> None:
        self.scrapes: list[Scrape] = []
        self.counts: Counter[str] = Counter()
        self.reached = asyncio.Event()
        self._enough = enough

    def submit(self, scrape: Scrape) -> None:
        self.scrapes.append(scrape)
        self.counts[scrape.endpoint] += 1
        if self._enough(self.counts):
            self.reached.set()


@asynccontextmanager
async def running(
    endpoints: Sequence[Endpoint], collected: Collected
) -> AsyncIterator[ScrapeManager]:
    ticks = iter(range(1_800_000_000_000, 1_900_000_000_000))
    polling = ScrapeManager(endpoints, KINDS, collected.submit, lambda: next(ticks))
    task = asyncio.create_task(polling.run())
    try:
        yield polling
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_hostile_endpoints_do_not_cost_the_healthy_ones_a_beat() -> None:
    healthy = [f"healthy-{n}" for n in range(12)]
    collected = Collected(lambda counts: all(counts[name] >= 6 for name in healthy))
    async with hostile() as server:
        fleet = [watched(server, name, "/metrics") for name in healthy]
        fleet += [watched(server, path, path) for path in HOSTILE]
        async with running(fleet, collected) as polling:
            await collected.reached.wait()
            said, until_then = polling.statistics(), len(collected.scrapes)
    counts = [collected.counts[name] for name in healthy]
    assert max(counts) - min(counts) <= 1
    outcomes = {
        path: {scrape.outcome for scrape in collected.scrapes if scrape.endpoint == path}
        for path in HOSTILE
    }
    assert outcomes == {path: {outcome} for path, outcome in HOSTILE.items()}
    for scrape in collected.scrapes:
        if scrape.endpoint in healthy:
            assert scrape.outcome is Outcome.OK, scrape
    good = [scrape for scrape in collected.scrapes[:until_then] if scrape.outcome is Outcome.OK]
    assert (said.scrapes, said.failed) == (until_then, until_then - len(good))
    assert said.blind == ""
    assert said.scrape_p95 is not None


async def test_a_slow_endpoint_leaves_beats_out_and_does_not_pile_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    collected = Collected(lambda counts: counts["slow"] >= 2)
    async with hostile() as server:
        slow = named(
            server.url("/"),
            "prometheus",
            name="slow",
            metrics_url=server.url("/hang"),
            every=Milliseconds(100),
            timeout=Milliseconds(350),
        )
        async with running([slow], collected) as polling:
            await collected.reached.wait()
            found = polling.statistics()
    assert found.overrun >= 3
    assert found.in_flight <= 1
    assert server.times("/hang") <= 3
    said = "<4>scrapes were left out: the one before had not ended endpoint=slow scrapes="
    assert any(line.startswith(said) for line in lines_of(caplog))


async def test_scrapes_are_stamped_by_the_wall_clock() -> None:
    collected = Collected(lambda counts: counts["a"] >= 2)
    async with hostile() as server, running([watched(server, "a", "/metrics")], collected):
        await collected.reached.wait()
    assert [scrape.at - 1_800_000_000_000 for scrape in collected.scrapes] == [0, 1]


async def test_cancelling_ends_a_fleet_that_hangs_and_leaves_nothing_behind() -> None:
    collected = Collected(lambda counts: counts["/503-0"] > 0)
    async with hostile() as server:
        fleet = [watched(server, f"{path}-{n}", path) for path in HOSTILE for n in range(20)]
        async with running(fleet, collected) as polling:
            await collected.reached.wait()
            assert polling.statistics().in_flight > 0
        assert polling.statistics().in_flight == 0
    left = {task.get_name() for task in asyncio.all_tasks()}
    assert left.isdisjoint(endpoint.name for endpoint in fleet)


async def test_a_fleet_out_of_reach_is_a_blind_collector() -> None:
    collected = Collected(lambda counts: len(counts) == 2)
    fleet = [
        named(f"http://no-{n}.invalid/", "prometheus", name=str(n), every=EVERY) for n in range(2)
    ]
    async with running(fleet, collected) as polling:
        assert polling.statistics().blind == ""
        await collected.reached.wait()
        why = polling.statistics().blind
    assert {scrape.outcome for scrape in collected.scrapes} <= {Outcome.DNS, Outcome.TIMED_OUT}
    assert why.startswith("none of 2 endpoints on 2 hosts can be reached")


async def test_a_fault_of_ours_is_told_without_its_text_and_stops_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        @property
        def path(self) -> str:
            raise KeyError("s3cret")

    collected = Collected(lambda counts: counts["good"] >= 3)
    async with hostile() as server:
        bad = watched(server, "bad\x1b[2J", "/metrics")
        bad = replace(bad, canary=cast("Canary", Broken()))
        with caplog.at_level(logging.ERROR):
            async with running([bad, watched(server, "good", "/metrics")], collected):
                await collected.reached.wait()
    first, *_ = lines = lines_of(caplog)
    assert first.startswith(
        '<3>unexpected exception loop="the scraping of bad^[[2J" fault="KeyError'
    )
    assert "s3cret" not in "".join(lines)


async def test_the_probes_of_an_earlier_run_are_remembered() -> None:
    collected = Collected(lambda counts: counts["a"] >= 1)
    async with hostile() as server:
        endpoint = watched(server, "a", "/metrics")
        ticks = iter(range(1_800_000_000_000, 1_900_000_000_000))
        past = [(at, False) for at in range(1_799_999_999_000, 1_799_999_999_019)]
        polling = ScrapeManager(
            *([endpoint], KINDS, collected.submit, lambda: next(ticks)),
            history=lambda _: EarlierScrapes(probes=past),
        )
        task = asyncio.create_task(polling.run())
        await collected.reached.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    frame = collected.scrapes[0].signals
    names = [series.name for series in frame.layout.series]
    assert frame.values[names.index("availability")] == pytest.approx(1 / 20)


MEMORY = """
import asyncio, resource, sys
from collector.scrape.scrapes import Beats, named
from watchdeck.collector.exposition import PageParser
from watchdeck.collector.scrape.scraper import Scraper
from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.values.units import Milliseconds

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main(port, paths):
    url = f"http://127.0.0.1:{port}"
    kinds, reader = load_kinds(), PageParser()
    async def scrape(path):
        there = named(url, "prometheus", metrics_url=url + path, timeout=Milliseconds(20_000))
        scraper = Scraper(there, kinds, reader)
        told = await scraper.scrape(1_800_000_000_000)
        await scraper.close()
        return told.outcome
    await scrape("/metrics")
    before = peak()
    for path in paths:
        print(path, await scrape(path), file=sys.stderr)
    print(peak() - before)

asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
"""


def test_what_is_too_large_does_not_grow_the_collector_by_ten_megabytes() -> None:
    tests = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{tests}:{os.environ.get('PYTHONPATH', '')}"}
    paths = ("/huge", "/huge-declared", "/huge-chunked", "/bomb", "/stacked", "/headers", "/crumbs")
    with subprocess.Popen(
        [sys.executable, tests / "servers" / "hostile.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().decode().strip()
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, port, *paths],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        server.communicate(b"")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("too_large") == len(paths) - 1
    assert int(done.stdout) * 1_024 < 10_000_000
