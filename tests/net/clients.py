"""What the collector's tests share: readers for made-up endpoints."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from watchdeck.domain.kinds.kind import Answer
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint, Secret, Tls
from watchdeck.domain.values.units import Milliseconds
from watchdeck.net.address import Origin, parse
from watchdeck.net.client import Carry, Reader, quickest
from watchdeck.net.connection import Connection
from watchdeck.net.credentials import Credentials
from watchdeck.net.failure import Failed, Failure
from watchdeck.net.httpx_connection import Carrier
from watchdeck.net.resolver import Resolver

SHORT = Milliseconds(300)

PATIENT = Milliseconds(10_000)
"""For what is to be found out, however slow the machine is."""


def no_secret(secret: Secret) -> str:
    raise AssertionError(secret)


def endpoint(url: str, **settings: object) -> Endpoint:
    return Endpoint(name="iris", url=url, timeout=SHORT, **settings)  # type: ignore[arg-type]


def over_httpx(origin: Origin, checks: Tls, names: Resolver) -> Connection:
    return Carrier(origin, checks, names)


@asynccontextmanager
async def reading(
    target: Endpoint,
    reveal: Callable[[Secret], str] = no_secret,
    resolver: Resolver | None = None,
    carry: Carry = quickest,
) -> AsyncIterator[Reader]:
    names = resolver or Resolver()

    def connect(origin: Origin) -> Connection:
        return carry(origin, target.tls, names)

    reader = Reader(connect, Credentials(target, reveal), target.max_body)
    try:
        yield reader
    finally:
        await reader.close()


async def tell(reader: Reader, url: str, within: Milliseconds = SHORT) -> Answer | Failure:
    """The answer, or how it failed; the deadline is the caller's, as in a scrape."""
    try:
        async with asyncio.timeout(within.seconds):
            return await reader.get(parse(url))
    except TimeoutError:
        return Failure(Outcome.TIMED_OUT, "the deadline")
    except Failed as failed:
        return failed.failure


async def ask(url: str, carry: Carry = quickest, within: Milliseconds = SHORT) -> Answer | Failure:
    async with reading(endpoint(url), carry=carry) as reader:
        return await tell(reader, url, within)
