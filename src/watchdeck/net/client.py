"""The hardened reader: all that is asked of one endpoint, within bounds, every failure named."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from watchdeck.config.reading.secrets import resolve_secret
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint, Tls
from watchdeck.domain.values.host_address import is_private
from watchdeck.domain.values.text import clean
from watchdeck.net import tls
from watchdeck.net.address import Origin, Url
from watchdeck.net.connection import Connection, RawResponse, Request
from watchdeck.net.credentials import Credentials, Headers
from watchdeck.net.decompress import decompress
from watchdeck.net.failure import RequestError
from watchdeck.net.plain_connection import PlainConnection
from watchdeck.net.resolver import Resolver

HOPS = 3
"""Redirects that are followed, none of them off the origin."""

HEADERS = 64
"""Headers of an answer that are kept."""

_MOVED = frozenset((301, 302, 303, 307, 308))
_SAME_METHOD = frozenset((307, 308))
_REFUSED = frozenset((401, 403))

Connect = Callable[[Origin], Connection]
Carry = Callable[[Origin, Tls, Resolver], Connection]


class HttpClient:
    """Asks one endpoint, on one kept connection an origin; lives as long as the endpoint.

    Nothing here has a time limit: a scrape puts one deadline around all it asks.
    """

    def __init__(self, connect: Connect, credentials: Credentials, limit: int) -> None:
        self._connect = connect
        self._credentials = credentials
        self._limit = limit
        self._connections: dict[Origin, Connection] = {}

    def redacted(self, text: str) -> str:
        """The text without the secrets that are sent to this endpoint."""
        return self._credentials.redacted(text)

    async def get(self, where: Url) -> ProbeResponse:
        """The answer to a GET, whatever its status. Raises Failed."""
        return await self.ask(Request(where))

    async def ask(self, question: Request) -> ProbeResponse:
        """The answer to a question, redirects on the same origin followed. Raises Failed."""
        for _ in range(HOPS + 1):
            raw = await self._exchange(question)
            if raw.status not in _MOVED or "location" not in raw.headers:
                return self._answer(raw)
            question = _followed(question, raw)
        raise RequestError(Outcome.REDIRECTED, f"more than {HOPS} redirects")

    def expires(self) -> int | None:
        """When the first of the endpoint's certificates expires (ms UTC); None without TLS."""
        shown = (connection.certificate for connection in self._connections.values())
        dates = [tls.expiry(certificate) for certificate in shown if certificate]
        return min((date for date in dates if date is not None), default=None)

    async def close(self) -> None:
        """Let go of every connection at once."""
        for connection in self._connections.values():
            await connection.close()

    async def _exchange(self, question: Request) -> RawResponse:
        origin = question.address.origin
        connection = self._connections.get(origin)
        if connection is None:
            connection = self._connections[origin] = self._connect(origin)
        identity = is_private(connection.peer or origin.host)
        headers = self._credentials.headers(origin, identity=identity)
        prepared = Request(
            question.address,
            _merged(question.headers, headers) if question.headers else headers,
            question.method,
            question.body,
            self._limit,
        )
        raw = await _exchanged(connection, prepared)
        if raw.status in _REFUSED:
            self._credentials.forget()
        return raw

    def _answer(self, raw: RawResponse) -> ProbeResponse:
        body = decompress(raw.body, raw.headers.get("content-encoding", ""), self._limit)
        return ProbeResponse(raw.status, body, _clean(raw.headers))


def default_connection(origin: Origin, checks: Tls, names: Resolver) -> Connection:
    """The connection that costs least: our own for plain http, httpx for TLS."""
    if origin.scheme == "http":
        return PlainConnection(origin, names)
    from watchdeck.net.httpx_connection import (
        HttpxConnection,  # 0.1 s and 10 MB, where TLS is spoken
    )

    return HttpxConnection(origin, checks, names)


def client_for(
    endpoint: Endpoint, names: Resolver | None = None, carry: Carry = default_connection
) -> HttpClient:
    """A reader of one endpoint over real connections."""
    resolver = names or Resolver()

    def connect(origin: Origin) -> Connection:
        return carry(origin, endpoint.tls, resolver)

    return HttpClient(connect, Credentials(endpoint, resolve_secret), endpoint.max_body)


async def _exchanged(connection: Connection, question: Request) -> RawResponse:
    """Ask, and ask once more when a kept connection broke.

    A server may close it just when it is used again: that is no failure of the server.
    """
    try:
        return await connection.exchange(question)
    except RequestError as failed:
        broken = connection.kept and failed.failure.outcome is Outcome.RESET
        if not broken or question.method != "GET":
            raise
    return await connection.exchange(question)


def _merged(usual: Headers, own: Headers) -> Headers:
    """What is usual for the request, unless the owner says otherwise."""
    return tuple({**dict(usual), **dict(own)}.items())


def _followed(question: Request, raw: RawResponse) -> Request:
    if question.method != "GET" and raw.status not in _SAME_METHOD:
        raise RequestError(
            Outcome.REDIRECTED, f"a redirect ({raw.status}) would lose the request's body"
        )
    return replace(question, address=question.address.moved(raw.headers["location"]))


def _clean(headers: Mapping[str, str]) -> dict[str, str]:
    kept = list(headers.items())[:HEADERS]
    return {clean(name, 100): clean(value) for name, value in kept}
