"""The requests that a command sends to an endpoint, recorded on their connections."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from msgspec import Struct

from watchdeck.collector.scrape.endpoint_urls import EndpointUrls
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.json_assertion import JsonAssertionError, read_json
from watchdeck.domain.values.text import clean
from watchdeck.net.address import Url, parse_url
from watchdeck.net.client import HttpClient, client_for
from watchdeck.net.connection import RawResponse, Request, SocketConnection
from watchdeck.net.decompress import decompress
from watchdeck.net.failure import RequestError


class SentRequest(Struct, frozen=True):
    """One request that was sent; `response` is None when none came."""

    request: Request
    response: RawResponse | None

    def text(self, root: Url) -> str:
        """What was asked and answered, as `/metrics 200`, without the query, which may hold a key.

        Another port or host than that of `root` stands before the path.
        """
        url, answer = self.request.address, self.response.status if self.response else "no answer"
        method = "" if self.request.method == "GET" else f"{self.request.method} "
        name = EndpointUrls(root).short_name(url)
        return f"{method}{clean(name, 200)} {answer}"


class RequestLog:
    """The requests to one endpoint, in order."""

    def __init__(self) -> None:
        self.sent: list[SentRequest] = []

    def client(self, endpoint: Endpoint) -> HttpClient:
        """The HTTP client of an endpoint, whose requests are recorded here."""
        sent = self.sent

        class RecordedConnection(SocketConnection):
            """A connection that records what it sends."""

            async def exchange(self, request: Request) -> RawResponse:
                response = None
                try:
                    response = await super().exchange(request)
                finally:
                    sent.append(SentRequest(request, response))
                return response

        return client_for(endpoint, factory=RecordedConnection)

    def texts(self, endpoint: Endpoint) -> tuple[str, ...]:
        """What was asked and answered, in order; a path that was asked twice is there twice."""
        if not self.sent:
            return ()  # perhaps because the address is not a URL
        root = parse_url(endpoint.url)
        return tuple(one.text(root) for one in self.sent)

    def document(self, url: Url | None) -> object:
        """The JSON that was answered at a URL, or with None the first anywhere; None for none."""
        answered = (one for one in self.sent if url is None or one.request.address == url)
        found = (_read_document(one) for one in answered)
        return next((document for document in found if document is not None), None)


def _read_document(one: SentRequest) -> object:
    """The JSON object or list of a successful response; None for any other."""
    if one.response is None or one.response.status != HTTPStatus.OK:
        return None
    encoding = one.response.headers.get("content-encoding", "")
    with suppress(JsonAssertionError, RequestError):
        found = read_json(decompress(one.response.body, encoding, one.request.limit))
        return found if isinstance(found, (dict, list)) else None
    return None
