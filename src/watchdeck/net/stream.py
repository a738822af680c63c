"""Connections that hand what they receive to a parser, without a queue between them."""

import asyncio
import ssl
import threading
from typing import cast

from watchdeck.net.http1 import MessageError, MessageParser
from watchdeck.net.tls_layer import TlsLayer

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
    `certificate`: that of the other side (DER), after `secure`.
    """

    def __init__(self, peer: str, port: int) -> None:
        self.peer = peer
        self.port = port
        self.ended = False
        self.certificate: bytes | None = None
        self._error: Exception | None = None
        self._tls: TlsLayer | None = None
        self._unread = b""
        self._parser: MessageParser | None = None
        self._complete: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by asyncio)."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's own name
        """The buffer into which asyncio receives."""
        return _buffer.view

    def buffer_updated(self, nbytes: int) -> None:
        """Decrypt and parse received bytes."""
        if self._tls is None:
            self._receive(_buffer.view[:nbytes])
        else:
            self._receive_secured(self._tls, _buffer.view[:nbytes])

    def eof_received(self) -> None:
        """End the message that is being read; the transport closes itself."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the message that is being read, by the error `exc` if not None."""
        self._error = exc
        self._end()

    @property
    def readable(self) -> bool:
        """Whether unread bytes or the end arrived; an idle connection is then of no more use."""
        return self.ended or bool(self._unread)

    async def read_message(self, parser: MessageParser) -> None:
        """Parse what arrives until the message is complete. Raises OSError or MessageError."""
        self._parser = parser
        self._complete = asyncio.get_running_loop().create_future()
        try:
            self._feed_unread()
            await self._complete
        finally:
            self._parser = None

    def write(self, data: bytes) -> None:
        """Send bytes without waiting; nothing happens on a connection that is closed."""
        self._transport.write(data if self._tls is None else self._tls.encrypt(data))

    def abort(self) -> None:
        """Close at once, not cleanly: that would wait for a server that may never respond."""
        self._transport.abort()

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Start TLS. Raises OSError (ssl.SSLError is one); the connection is then of no use."""
        tls = self._tls = TlsLayer(context, host)
        self._complete = asyncio.get_running_loop().create_future()
        unread, self._unread = self._unread, b""
        self._receive_secured(tls, memoryview(unread))
        if self.ended:
            self._end()
        await self._complete
        self.certificate = tls.certificate

    def _feed_unread(self) -> None:
        """Parse what a server sent before it was asked, as one that is too busy may."""
        unread, self._unread = self._unread, b""
        if unread:
            self._unread = bytes(self._feed(memoryview(unread)))
            self._transport.resume_reading()
        if self.ended:
            self._end()

    def _receive_secured(self, tls: TlsLayer, data: memoryview) -> None:
        """Decrypt received bytes; the end of the handshake completes `secure`."""
        was_secured = tls.secured
        try:
            tls.receive(data, self._receive)
        except ssl.SSLError as error:
            self.ended = True
            self._finish(error)
        self._transport.write(tls.take_outgoing())
        if tls.secured and not was_secured:
            self._finish(None)
        if tls.ended:
            self._end()

    def _receive(self, data: memoryview) -> None:
        """Parse bytes; keep those that no message waits for, up to one buffer."""
        self._unread += self._feed(data)
        if len(self._unread) >= _READ:
            self._transport.pause_reading()

    def _feed(self, data: memoryview) -> memoryview:
        """Feed the parser, if there is one; returns the rest of the bytes."""
        while len(data) and (parser := self._parser) is not None:
            try:
                data = data[parser.feed(data) :]
            except MessageError as error:
                self._finish(error)
            else:
                if parser.complete:
                    self._finish(None)
        return data

    def _end(self) -> None:
        self.ended = True
        if self._parser is None:
            self._finish(self._error or ssl.SSLError())  # only a handshake may be waited for
            return
        try:
            self._parser.end()
        except MessageError as error:
            self._finish(self._error or error)
        else:
            self._finish(None)

    def _finish(self, error: Exception | None) -> None:
        self._parser = None
        if self._complete is None or self._complete.done():
            return
        if error is None:
            self._complete.set_result(None)
        else:
            self._complete.set_exception(error)


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
