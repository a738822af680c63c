import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest

from collector.scrape.scrapes import KINDS, named
from collector.scrape.virtual_loop import VirtualLoop
from watchdeck.collector.scrape.manager import ScrapeManager
from watchdeck.collector.scrape.statistics import Statistics
from watchdeck.domain.metrics.scrape import Outcome, Scrape
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.secret import Tls
from watchdeck.domain.values.units import Milliseconds
from watchdeck.net.address import Origin
from watchdeck.net.connection import Connection, RawResponse, Request
from watchdeck.net.resolver import Resolver

ANSWERS_IN = 0.02
EVERY = Milliseconds(10_000)


class Answering:
    """A server that needs 20 ms for a page."""

    certificate = None
    peer = ""
    reused = False

    async def exchange(self, question: Request) -> RawResponse:
        assert question.method == "GET"
        await asyncio.sleep(ANSWERS_IN)
        return RawResponse(200, {"content-type": "text/plain"}, b"# TYPE a gauge\na 1\n")

    async def close(self) -> None:
        pass


class Hanging(Answering):
    """A server that takes a question and never answers."""

    async def exchange(self, question: Request) -> RawResponse:
        await asyncio.Event().wait()
        return await super().exchange(question)


def carry(origin: Origin, _checks: Tls, _names: Resolver) -> Connection:
    return Hanging() if origin.host.startswith("hangs") else Answering()


def fleet(healthy: int, hanging: int, timeout: Milliseconds) -> list[Endpoint]:
    names = [f"works-{n}.test" for n in range(healthy)] + [
        f"hangs-{n}.test" for n in range(hanging)
    ]
    return [
        named(
            f"http://{name}/",
            "prometheus",
            name=name,
            metrics_url=f"http://{name}/metrics",
            every=EVERY,
            timeout=timeout,
        )
        for name in names
    ]


def watched(
    endpoints: list[Endpoint], seconds: float
) -> tuple[dict[str, list[Scrape]], Statistics]:
    """What so many seconds of polling bring, by endpoint."""
    scrapes: dict[str, list[Scrape]] = {endpoint.name: [] for endpoint in endpoints}

    async def poll(time: Callable[[], float]) -> Statistics:
        def submit(scrape: Scrape) -> None:
            scrapes[scrape.endpoint].append(scrape)

        clock = lambda: round(time() * 1_000)  # noqa: E731 - the loop's own time, in its unit
        polling = ScrapeManager(endpoints, KINDS, submit, clock, factory=carry)
        task = asyncio.create_task(polling.run())
        await asyncio.sleep(seconds)
        said = polling.statistics()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return said

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return scrapes, runner.run(poll(runner.get_loop().time))


@pytest.mark.parametrize(
    ("timeout", "beats"),
    [
        pytest.param(Milliseconds(5_000), 1, id="until before the next beat"),
        pytest.param(Milliseconds(25_000), 3, id="for several beats"),
    ],
)
def test_a_hundred_endpoints_that_hang_delay_none_of_nine_hundred_others(
    timeout: Milliseconds, beats: int
) -> None:
    scrapes, said = watched(fleet(900, 100, timeout), 95.0)
    for name, found in scrapes.items():
        works = name.startswith("works")
        apart = EVERY.seconds if works else beats * EVERY.seconds
        gaps = [(after.at - before.at) / 1_000 for before, after in pairwise(found[1:])]
        assert gaps == pytest.approx([apart] * len(gaps), abs=0.4)
        assert len(found) >= (8 if works else 2)
        assert {scrape.outcome for scrape in found} == {Outcome.OK if works else Outcome.TIMED_OUT}
        took = {round(scrape.duration, 6) for scrape in found}
        assert took == {ANSWERS_IN if works else timeout.seconds}
    assert said.lag == pytest.approx(0, abs=1e-6)
    assert said.blind == ""
