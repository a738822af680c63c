"""A small HTTP/1.1 server for senders of alerts: few connections, short timeouts."""

import asyncio
import http.client
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from msgspec import Struct

from watchdeck.net.http1 import MAX_HEAD
from watchdeck.net.request import RequestHead, RequestReader, RequestRejected

CONNECTIONS = 64
"""Most connections at one time; others get a 503 with Retry-After."""

TIMEOUT = 10.0
"""Seconds to receive a whole request after connecting."""

IDLE_TIMEOUT = 360.0
"""Seconds that a connection may be idle after a request; Go's clients close theirs first."""

LINGER = 1.0
"""Seconds for a rejected sender to read the reason; the rest of its request is discarded."""

_MAX_DISCARDED = 256 << 10

Result = TypeVar("Result")


class Response(Struct, frozen=True):
    """A response: status, text, and additional headers."""

    status: int
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()


AdmitRequest = Callable[[RequestHead], None]
"""Checks the head of a request before its body is read. Raises RequestRejected."""

RequestHandler = Callable[[RequestHead, bytes], Awaitable[Response]]

RejectionLogger = Callable[[str, RequestRejected], None]
"""Logs a rejected request with the address of its sender."""


def log_nothing(peer: str, rejected: RequestRejected) -> None:
    """Log no rejection: the default of a server."""


class HttpServer:
    """Checks request heads with `admit`, and responds with `handle`.

    `limit` is the most bytes of a body; `timeout` the most seconds to receive a request.
    """

    def __init__(
        self,
        admit: AdmitRequest,
        handle: RequestHandler,
        *,
        limit: int,
        timeout: float = TIMEOUT,
        log_rejection: RejectionLogger = log_nothing,
    ) -> None:
        self._admit = admit
        self._handle = handle
        self._limit = limit
        self._timeout = timeout
        self._log_rejection = log_rejection
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> int:
        """Start listening; returns the port, chosen by the system for port 0. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=MAX_HEAD)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    async def close(self) -> None:
        """Stop listening and abort every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= CONNECTIONS:
            self._log_rejection(_peer(writer), RequestRejected(_BUSY.status, _BUSY.text))
            writer.write(_encode(_BUSY, keep_alive=False))
            writer.close()
            return
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, RequestRejected, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to one request after the other, until one is rejected."""
        requests = RequestReader(reader, self._limit)
        idle = self._timeout
        while True:
            try:
                head = await _within(idle, requests.read_head())
                if head is None:
                    return
                response = await self._respond(requests, writer, head)
            except RequestRejected as rejected:
                self._log_rejection(_peer(writer), rejected)
                await _reject(requests, writer, rejected)
                return
            writer.write(_encode(response, keep_alive=head.keep_alive))
            await _within(self._timeout, writer.drain())
            if not head.keep_alive:
                return
            idle = IDLE_TIMEOUT

    async def _respond(
        self, requests: RequestReader, writer: asyncio.StreamWriter, head: RequestHead
    ) -> Response:
        self._admit(head)
        if head.headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _within(self._timeout, requests.read_body(head))
        return await self._handle(head, body)


def _peer(writer: asyncio.StreamWriter) -> str:
    """The address of the other end, without its port; empty when it is gone."""
    name = writer.get_extra_info("peername")
    return str(name[0]) if name else ""


_BUSY = Response(503, "too many connections; try again later", (("retry-after", "10"),))
_REJECTION_HEADERS = {401: (("www-authenticate", "Bearer"),)}


async def _within(seconds: float, awaitable: Awaitable[Result]) -> Result:
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        raise RequestRejected(408, "the request did not come in time") from None


async def _reject(
    requests: RequestReader, writer: asyncio.StreamWriter, rejected: RequestRejected
) -> None:
    response = Response(rejected.status, str(rejected), _REJECTION_HEADERS.get(rejected.status, ()))
    writer.write(_encode(response, keep_alive=False))
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
            await requests.discard(_MAX_DISCARDED)


def _encode(response: Response, *, keep_alive: bool) -> bytes:
    text = response.text
    body = (text if not text or text.endswith("\n") else f"{text}\n").encode()
    lines = [
        f"HTTP/1.1 {response.status} {http.client.responses.get(response.status, '')}",
        "content-type: text/plain; charset=utf-8",
        f"content-length: {len(body)}",
        f"connection: {'keep-alive' if keep_alive else 'close'}",
        *(f"{name}: {value}" for name, value in response.headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
