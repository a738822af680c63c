"""The HTTP client of one endpoint: every response limited, every failure named."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from watchdeck.config.reading.secrets import resolve_secret
from watchdeck.domain.kinds.kind import ProbeResponse
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.host_address import is_private
from watchdeck.domain.values.secret import Tls
from watchdeck.domain.values.text import clean
from watchdeck.net import tls
from watchdeck.net.address import Origin, Url
from watchdeck.net.connection import Connection, RawResponse, Request, SocketConnection
from watchdeck.net.credentials import Credentials, Headers
from watchdeck.net.decompress import decompress
from watchdeck.net.failure import RequestError
from watchdeck.net.resolver import Resolver

MAX_REDIRECTS = 3
"""Redirects that are followed, all of them on the same origin."""

HEADERS = 64
"""Most headers of a response that are returned; others are dropped."""

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_SAME_METHOD = frozenset((307, 308))
_UNAUTHORIZED = frozenset((401, 403))

Connect = Callable[[Origin], Connection]
ConnectionFactory = Callable[[Origin, Tls, Resolver], Connection]


class HttpClient:
    """Sends requests to one endpoint, over one persistent connection for each origin.

    It lives as long as the endpoint. It has no timeouts: a scrape has one deadline for all of its
    requests.
    """

    def __init__(self, connect: Connect, credentials: Credentials, limit: int) -> None:
        self._connect = connect
        self._credentials = credentials
        self._limit = limit
        self._connections: dict[Origin, Connection] = {}

    async def get(self, url: Url) -> ProbeResponse:
        """The response to a GET, whatever its status. Raises RequestError."""
        return await self.send(Request(url))

    async def send(self, request: Request) -> ProbeResponse:
        """The response to a request, after redirects on the same origin. Raises RequestError."""
        for _ in range(MAX_REDIRECTS + 1):
            raw = await self._exchange(request)
            if raw.status not in _REDIRECTS or "location" not in raw.headers:
                return self._response(raw)
            request = _follow_redirect(request, raw)
        raise RequestError(Outcome.REDIRECTED, f"more than {MAX_REDIRECTS} redirects")

    def expires(self) -> int | None:
        """When the first of the endpoint's certificates expires (ms UTC); None without TLS."""
        certificates = (connection.certificate for connection in self._connections.values())
        dates = [tls.expiry(certificate) for certificate in certificates if certificate]
        return min((date for date in dates if date is not None), default=None)

    def certificate(self, origin: Origin) -> bytes | None:
        """The newest certificate (DER) of an origin, even a refused one; None without TLS."""
        connection = self._connections.get(origin)
        return connection.certificate if connection else None

    def peer(self, origin: Origin) -> str:
        """The IP address of the newest connection to an origin; empty before the first."""
        connection = self._connections.get(origin)
        return connection.peer if connection else ""

    async def close(self) -> None:
        """Close every connection at once."""
        for connection in self._connections.values():
            await connection.close()

    async def _exchange(self, request: Request) -> RawResponse:
        origin = request.address.origin
        connection = self._connections.get(origin)
        if connection is None:
            connection = self._connections[origin] = self._connect(origin)
        identity = is_private(connection.peer or origin.host)
        headers = self._credentials.headers(origin, identity=identity)
        complete = Request(
            request.address,
            _merge_headers(request.headers, headers) if request.headers else headers,
            request.method,
            request.body,
            self._limit,
        )
        raw = await _exchange_with_retry(connection, complete)
        if raw.status in _UNAUTHORIZED:
            self._credentials.reset()
        return raw

    def _response(self, raw: RawResponse) -> ProbeResponse:
        body = decompress(raw.body, raw.headers.get("content-encoding", ""), self._limit)
        return ProbeResponse(raw.status, body, _clean_headers(raw.headers))


def client_for(
    endpoint: Endpoint,
    resolver: Resolver | None = None,
    factory: ConnectionFactory = SocketConnection,
) -> HttpClient:
    """The client of one endpoint, with its secrets and limits; clients may share a resolver."""
    own_resolver = resolver or Resolver()

    def connect(origin: Origin) -> Connection:
        return factory(origin, endpoint.tls, own_resolver)

    return HttpClient(connect, Credentials(endpoint, resolve_secret), endpoint.max_body)


async def _exchange_with_retry(connection: Connection, request: Request) -> RawResponse:
    """Send a request, and a GET once more when a reused connection broke.

    A server may close a connection just when it is reused: that is not a failure of the server.
    """
    try:
        return await connection.exchange(request)
    except RequestError as error:
        broken = connection.reused and error.failure.outcome is Outcome.RESET
        if not broken or request.method != "GET":
            raise
    return await connection.exchange(request)


def _merge_headers(usual: Headers, own: Headers) -> Headers:
    """The headers of a request, overridden by those of the endpoint."""
    return tuple({**dict(usual), **dict(own)}.items())


def _follow_redirect(request: Request, raw: RawResponse) -> Request:
    if request.method != "GET" and raw.status not in _SAME_METHOD:
        raise RequestError(
            Outcome.REDIRECTED, f"a redirect ({raw.status}) would lose the request's body"
        )
    return replace(request, address=request.address.redirect(raw.headers["location"]))


def _clean_headers(headers: Mapping[str, str]) -> dict[str, str]:
    limited = list(headers.items())[:HEADERS]
    return {clean(name, 100): clean(value) for name, value in limited}
