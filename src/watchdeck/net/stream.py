"""A byte stream over one socket, with a limit on what it may receive."""

import asyncio
import ssl
import threading
from collections import deque
from typing import cast

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.failure import RequestError

WAITING = 256 << 10
"""Unread bytes above which the socket is not read."""

_READ = 256 << 10
"""Bytes of one read of the socket."""

STAGGER = 0.25
"""Seconds before the next address of a host is tried in parallel (RFC 8305)."""


class _ReceiveBuffer(threading.local):
    """The receive buffer that all streams of a thread share; what is received is copied out.

    A new buffer for every read costs 20 µs, mostly to allocate and free its memory.
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_READ))


_buffer = _ReceiveBuffer()


class ByteStream(asyncio.BufferedProtocol):
    """The bytes of one connection to the IP address `peer`.

    `ended`: whether the other side sends no more.
    `eof_read`: whether the reader has seen that end.
    `allowance`: bytes that may still be read, heads included; below 0, `read` raises.
    """

    def __init__(self, peer: str, port: int) -> None:
        self.peer = peer
        self.port = port
        self.ended = False
        self.eof_read = False
        self.certificate: bytes | None = None
        self.allowance = 0
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by asyncio)."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's own name
        """The buffer into which asyncio receives."""
        return _buffer.view

    def buffer_updated(self, nbytes: int) -> None:
        """Store received bytes; pause the socket while too many are unread."""
        self._chunks.append(bytes(_buffer.view[:nbytes]))
        self._size += nbytes
        if self._size > WAITING:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Record that the other side sends no more; the transport closes itself."""
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record that the connection is closed, by the error `exc` if not None."""
        self.ended = True
        self._error = exc
        self._wake()

    @property
    def readable(self) -> bool:
        """Whether unread data or the end arrived; an idle connection is then of no more use."""
        return self.ended or bool(self._chunks)

    async def read(self) -> bytes:
        """The next bytes, empty at the end. Raises OSError, or RequestError over the allowance."""
        if self.allowance < 0:
            raise RequestError(Outcome.TOO_LARGE, "the server sends more than an answer may have")
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self.ended:
                self.eof_read = True
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._pop_chunk()

    def write(self, data: bytes) -> None:
        """Send bytes without waiting. Raises the error that closed the connection."""
        if self._error is not None:
            raise self._error
        self._transport.write(data)

    def abort(self) -> None:
        """Close at once, not cleanly: that would wait for a server that may never respond."""
        self._transport.abort()

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Start TLS. Raises OSError (ssl.SSLError is one); the connection is then of no use."""
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(self._transport, self, context, server_hostname=host)
        if secured is None:
            raise ConnectionResetError
        self._transport = secured
        ssl_object = secured.get_extra_info("ssl_object")
        self.certificate = ssl_object.getpeercert(binary_form=True) if ssl_object else None

    def _pop_chunk(self) -> bytes:
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
    """Connect to the first address that accepts; an attempt starts every 0.25 s. Raises OSError."""
    if len(addresses) == 1:
        return await _connect_to(addresses[0], port)
    winner = None
    waiting, attempts = list(addresses), list[asyncio.Task[ByteStream]]()
    try:
        while waiting or any(not attempt.done() for attempt in attempts):
            if waiting:
                attempts.append(asyncio.create_task(_connect_to(waiting.pop(0), port)))
            await _wait_for_first(attempts, STAGGER if waiting else None)
            if winner := _first_connected(attempts):
                return winner.result()
        return attempts[0].result()
    finally:
        for attempt in attempts:
            if attempt is not winner:
                _abort(attempt)


async def _wait_for_first(attempts: list[asyncio.Task[ByteStream]], pause: float | None) -> None:
    pending = [attempt for attempt in attempts if not attempt.done()]
    await asyncio.wait(pending, timeout=pause, return_when=asyncio.FIRST_COMPLETED)


def _has_connected(attempt: asyncio.Task[ByteStream]) -> bool:
    return attempt.done() and not attempt.cancelled() and attempt.exception() is None


def _first_connected(attempts: list[asyncio.Task[ByteStream]]) -> asyncio.Task[ByteStream] | None:
    return next((attempt for attempt in attempts if _has_connected(attempt)), None)


def _abort(attempt: asyncio.Task[ByteStream]) -> None:
    if _has_connected(attempt):
        attempt.result().abort()
    else:
        attempt.cancel()


async def _connect_to(address: str, port: int) -> ByteStream:
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(lambda: ByteStream(address, port), address, port)
    return stream
