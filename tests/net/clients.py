"""HTTP clients of made-up endpoints."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.secret import Secret, Tls
from watchdeck.domain.values.units import Milliseconds
from watchdeck.net.address import Origin, parse_url
from watchdeck.net.client import HttpClient
from watchdeck.net.connection import Connection, SocketConnection
from watchdeck.net.credentials import Credentials
from watchdeck.net.failure import Failure, RequestError
from watchdeck.net.resolver import Resolver

SHORT = Milliseconds(300)

NO_TLS = Tls()

PATIENT = Milliseconds(10_000)
"""For what is to be found out, however slow the machine is."""


def no_secret(secret: Secret) -> str:
    raise AssertionError(secret)


def endpoint(url: str, **settings: object) -> Endpoint:
    return Endpoint(name="iris", url=url, timeout=PATIENT, **settings)  # type: ignore[arg-type]


@asynccontextmanager
async def reading(
    target: Endpoint,
    reveal: Callable[[Secret], str] = no_secret,
    resolver: Resolver | None = None,
) -> AsyncIterator[HttpClient]:
    names = resolver or Resolver()

    def connect(origin: Origin) -> Connection:
        return SocketConnection(origin, target.tls, names)

    reader = HttpClient(connect, Credentials(target, reveal), target.max_body)
    try:
        yield reader
    finally:
        await reader.close()


async def tell(
    reader: HttpClient, url: str, within: Milliseconds = PATIENT
) -> ProbeResponse | Failure:
    """The answer, or how it failed; the deadline is the caller's, as in a scrape."""
    try:
        async with asyncio.timeout(within.seconds):
            return await reader.get(parse_url(url))
    except TimeoutError:
        return Failure(Outcome.TIMED_OUT, "the deadline")
    except RequestError as failed:
        return failed.failure


async def ask(
    url: str, within: Milliseconds = PATIENT, tls: Tls = NO_TLS
) -> ProbeResponse | Failure:
    async with reading(endpoint(url, tls=tls)) as reader:
        return await tell(reader, url, within)
