"""A small HTTP/1.1 server for those who send alerts: few connections, short patience, one token."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from msgspec import Struct

from watchdeck.net.request import (
    HEAD,
    RequestHead,
    RequestRejected,
    read_request_body,
    read_request_head,
)

CONNECTIONS = 64
"""Connections at once; further ones are told to come again."""

PATIENCE = 10.0
"""Seconds for a request to come whole, once its connection is there."""

KEPT = 360.0
"""Seconds that a connection which proved itself may be idle; Go's clients close theirs first."""

LINGER = 1.0
"""Seconds for a refused sender to read why, while what it still sends is thrown away."""

_THROWN = 256 << 10

Result = TypeVar("Result")


class Response(Struct, frozen=True):
    """An answer: its status, its words, and headers beside those of every answer."""

    status: int
    words: str = ""
    headers: tuple[tuple[str, str], ...] = ()


AdmitRequest = Callable[[RequestHead], None]
"""Lets a request in by its head, before anything else of it is read. Raises Refused."""

RequestHandler = Callable[[RequestHead, bytes], Awaitable[Response]]


class HttpServer:
    """Listens until it is closed; `limit` is for a body, `patience` in seconds for a request."""

    def __init__(
        self, admit: AdmitRequest, answer: RequestHandler, *, limit: int, patience: float = PATIENCE
    ) -> None:
        self._admit = admit
        self._answer = answer
        self._limit = limit
        self._patience = patience
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> int:
        """Begin to listen; the port, chosen by the system where 0 was asked. Raises OSError."""
        self._server = await asyncio.start_server(self._connected, host, port, limit=HEAD)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    async def close(self) -> None:
        """Stop listening, and cut every talk short."""
        if self._server is not None:
            self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        if talk is None or len(self._talks) >= CONNECTIONS:
            writer.write(_written(_BUSY, kept=False))
            writer.close()
            return
        self._talks.add(talk)
        try:
            await self._talk(reader, writer)
        except (OSError, RequestRejected, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other, as long as each is let in."""
        idle = self._patience
        while True:
            head: RequestHead | None = None
            try:
                head = await _within(idle, read_request_head(reader))
                if head is None:
                    return
                reply = await self._heard(reader, writer, head)
            except RequestRejected as refused:
                await _refuse(reader, writer, refused)
                return
            writer.write(_written(reply, kept=head.kept))
            await _within(self._patience, writer.drain())
            if not head.kept:
                return
            idle = KEPT

    async def _heard(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: RequestHead
    ) -> Response:
        self._admit(head)
        if head.headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _within(self._patience, read_request_body(reader, head, self._limit))
        return await self._answer(head, body)


_BUSY = Response(503, "too many connections; come again", (("retry-after", "10"),))
_REFUSED = {401: (("www-authenticate", "Bearer"),)}


async def _within(seconds: float, what: Awaitable[Result]) -> Result:
    try:
        async with asyncio.timeout(seconds):
            return await what
    except TimeoutError:
        raise RequestRejected(408, "the request did not come in time") from None


async def _refuse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, refused: RequestRejected
) -> None:
    reply = Response(refused.status, str(refused), _REFUSED.get(refused.status, ()))
    writer.write(_written(reply, kept=False))
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
            thrown = 0
            while thrown < _THROWN and (data := await reader.read(HEAD)):
                thrown += len(data)


def _written(reply: Response, *, kept: bool) -> bytes:
    body = f"{reply.words}\n".encode() if reply.words else b""
    lines = [
        f"HTTP/1.1 {reply.status} {http.client.responses.get(reply.status, '')}",
        "content-type: text/plain; charset=utf-8",
        f"content-length: {len(body)}",
        f"connection: {'keep-alive' if kept else 'close'}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
