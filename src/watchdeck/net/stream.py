"""One connected socket, read by pulling, with a bound on what it may bring."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import deque
from typing import cast

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.failure import RequestError

WAITING = 256 << 10
"""Unread bytes above which the socket is left alone."""

_READ = 256 << 10
"""Bytes taken off a socket at once."""

STAGGER = 0.25
"""Seconds before the next of a host's addresses is tried beside the ones before (RFC 8305)."""


class _Room(threading.local):
    """Where a loop receives, one read after the other: what stays of a read is as long as it was.

    A buffer of its own for every read costs 20 µs, most of them for memory that is taken from the
    system and given back.
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_READ))


_room = _Room()


class ByteStream(asyncio.BufferedProtocol):
    """The bytes of one connection. `peer` is the address that it really leads to.

    `ended` tells that the other side will send no more, `spent` that its reader was told so.
    `allowance` counts down with every byte
    taken, and nothing more is read once it is spent: a flood is cut even where it is no body.
    """

    def __init__(self, peer: str, port: int) -> None:
        self.peer = peer
        self.port = port
        self.ended = False
        self.spent = False
        self.certificate: bytes | None = None
        self.allowance = 0
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's own name
        """Where to put what comes."""
        return _room.view

    def buffer_updated(self, nbytes: int) -> None:
        """Keep what came; a reader that is behind stops the socket."""
        self._chunks.append(bytes(_room.view[:nbytes]))
        self._size += nbytes
        if self._size > WAITING:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The other side is done; the transport closes itself."""
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, with or without a reason."""
        self.ended = True
        self._error = exc
        self._wake()

    @property
    def readable(self) -> bool:
        """Whether something waits although nothing was asked: a closed or confused connection."""
        return self.ended or bool(self._chunks)

    async def read(self) -> bytes:
        """The next bytes, or none at the end. Raises OSError, or Failed: the allowance is spent."""
        if self.allowance < 0:
            raise RequestError(Outcome.TOO_LARGE, "the server sends more than an answer can be")
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self.ended:
                self.spent = True
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._take()

    def write(self, data: bytes) -> None:
        """Send; what the other side does not take waits in memory, and no request is large."""
        if self._error is not None:
            raise self._error
        self._transport.write(data)

    def abort(self) -> None:
        """Let go at once: a polite end would wait for a server that may never answer."""
        self._transport.abort()

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Start TLS. Raises ssl.SSLError; the connection is of no use then."""
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(self._transport, self, context, server_hostname=host)
        if secured is None:
            raise ConnectionResetError
        self._transport = secured
        shown = secured.get_extra_info("ssl_object")
        self.certificate = shown.getpeercert(binary_form=True) if shown else None

    def _take(self) -> bytes:
        data = self._chunks.popleft()
        if self._size > WAITING >= self._size - len(data) and not self.ended:
            self._transport.resume_reading()
        self._size -= len(data)
        self.allowance -= len(data)
        return data

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def connect(addresses: list[str], port: int) -> ByteStream:
    """Connect to the first address that takes it, each with a head start. Raises OSError."""
    if len(addresses) == 1:
        return await _dial(addresses[0], port)
    winner = None
    waiting, attempts = list(addresses), list[asyncio.Task[ByteStream]]()
    try:
        while waiting or any(not attempt.done() for attempt in attempts):
            if waiting:
                attempts.append(asyncio.create_task(_dial(waiting.pop(0), port)))
            await _first(attempts, STAGGER if waiting else None)
            if winner := _winner(attempts):
                return winner.result()
        return attempts[0].result()
    finally:
        for attempt in attempts:
            if attempt is not winner:
                _abandon(attempt)


async def _first(attempts: list[asyncio.Task[ByteStream]], pause: float | None) -> None:
    under_way = [attempt for attempt in attempts if not attempt.done()]
    await asyncio.wait(under_way, timeout=pause, return_when=asyncio.FIRST_COMPLETED)


def _connected(attempt: asyncio.Task[ByteStream]) -> bool:
    return attempt.done() and not attempt.cancelled() and attempt.exception() is None


def _winner(attempts: list[asyncio.Task[ByteStream]]) -> asyncio.Task[ByteStream] | None:
    return next((attempt for attempt in attempts if _connected(attempt)), None)


def _abandon(attempt: asyncio.Task[ByteStream]) -> None:
    if _connected(attempt):
        attempt.result().abort()
    else:
        attempt.cancel()


async def _dial(address: str, port: int) -> ByteStream:
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: ByteStream(address, port), address, port)
    return wire
