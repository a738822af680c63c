"""A restart of a server is one change, whatever its pages show of it and however late."""

from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from collector.scrape.scrapes import BEAT, NOON, named, scraping
from servers.captured import saying
from watchdeck.domain.board.change import Marker
from watchdeck.domain.board.identity_history import IdentityHistory, Observation
from watchdeck.domain.metrics.scrape import Identity, Outcome

LONG_AGO = -1_000
"""The start of a process, in seconds after the first scrape."""

RESTARTED = "the server was restarted"


def page(start: int | None, requests: int) -> bytes:
    """A page of a process that started `start` seconds after noon, with its count of requests."""
    told = "" if start is None else f"process_start_time_seconds {NOON / 1_000 + start}\n"
    return f"{told}# TYPE served_total counter\nserved_total {requests}\n".encode()


def run(start: int | None, first: int, count: int) -> list[bytes]:
    """So many pages of one process, with a hundred requests between two of them."""
    return [page(start, first + 100 * turn) for turn in range(count)]


def in_turn(one: int | None, other: int | None, count: int) -> Iterator[bytes]:
    """Pages of two processes that answer in turn, with counts far apart."""
    for turn in range(count):
        yield page(one, 9_000 + 50 * turn) if turn % 2 else page(other, 100 + 50 * turn)


BEFORE, BEFORE_UNTOLD = run(LONG_AGO, 1_000, 10), run(None, 1_000, 10)

GONE: list[bytes | None] = [None, None]
"""Two scrapes that are refused."""


@pytest.mark.parametrize(
    ("pages", "texts"),
    [
        pytest.param([*BEFORE, *run(105, 5, 20)], [RESTARTED], id="a clean restart"),
        pytest.param([*BEFORE, *GONE, *run(125, 5, 20)], [RESTARTED], id="refused in between"),
        pytest.param(
            [*BEFORE, page(LONG_AGO, 5), *run(103, 105, 120)],
            [RESTARTED],
            id="counters that fall one scrape before the start time changes",
        ),
        pytest.param(
            [*BEFORE, page(None, 5), *run(103, 105, 120)],
            [RESTARTED],
            id="a start time that returns late",
        ),
        pytest.param(
            [*BEFORE, page(103, 2_100), *run(103, 5, 120)],
            [RESTARTED],
            id="counters that fall one scrape after the start time changed",
        ),
        pytest.param(
            [*BEFORE_UNTOLD, *run(None, 5, 20)],
            ["the counters began again from 0"],
            id="no start time",
        ),
        pytest.param(
            [*BEFORE_UNTOLD, *GONE, *run(None, 5, 20)],
            ["the server answers again, after it refused connections for 20s"],
            id="no start time, refused in between",
        ),
        pytest.param(
            [*BEFORE_UNTOLD, *GONE, *run(None, 2_000, 20)],
            ["the server answers again, after it refused connections for 20s"],
            id="no start time, and counters that survive a kill",
        ),
        pytest.param([*BEFORE_UNTOLD, *run(None, 2_000, 20)], [], id="nothing shows a restart"),
        pytest.param(list(in_turn(LONG_AGO, LONG_AGO + 3, 120)), [], id="two workers"),
        pytest.param(list(in_turn(None, None, 120)), [], id="two workers without start times"),
        pytest.param(
            [*BEFORE, *in_turn(LONG_AGO, 85, 6), *run(85, 600, 150)],
            [RESTARTED],
            id="a new process that answers beside the old one for a minute",
        ),
        pytest.param(
            [page(LONG_AGO, 5_000), *(page(15 + 10 * turn, turn) for turn in range(4))],
            [RESTARTED] * 4,
            id="a crash loop",
        ),
    ],
)
async def test_a_restart_is_marked_once(pages: list[bytes | None], texts: list[str]) -> None:
    history, found = IdentityHistory(), list[Marker]()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(saying(b""))
        endpoint = named(server.url("/metrics"), "prometheus", map={"requests": "served_total"})
        beats = await stack.enter_async_context(scraping(endpoint))
        for turn, body in enumerate(pages, 1):
            if body is None:
                seen = Observation(NOON + turn * BEAT, Outcome.REFUSED, Identity())
                beats.skip()
            else:
                server.body = body
                scrape = await beats.next()
                seen = Observation(scrape.at, scrape.outcome, scrape.identity)
            found += history.add(seen)
    assert [marker.text for marker in found] == texts
