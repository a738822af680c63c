"""httpx's transport over our own sockets: checked addresses, shown certificates, no anyio."""

from __future__ import annotations

import asyncio
import importlib.util
import ssl
import sys
from collections.abc import Iterable
from contextlib import suppress

import httpcore
import httpx

from watchdeck.net import tls
from watchdeck.net.connection import HEAD
from watchdeck.net.resolver import Resolver
from watchdeck.net.stream import ByteStream, connect

KEPT = 120.0
"""Seconds that an idle connection is kept."""

LOOK = 1.0
"""Seconds for a second look at a certificate that was refused."""

# httpcore imports sniffio again for every lock, and the search for a package that is not there is
# 18 % of a page. Where it is not installed, remembering so costs nothing; where it is, it stays.
if importlib.util.find_spec("sniffio") is None:
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Makes the wires of one origin, and remembers the last.

    A page is 709 µs over anyio's sockets and 388 µs over these.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._wire: ByteStream | None = None
        self.made = 0
        self.certificate: bytes | None = None

    @property
    def peer(self) -> str:
        """The address last connected to, or empty."""
        return self._wire.peer if self._wire else ""

    @property
    def spent(self) -> bool:
        """Whether the last connection was read to its end."""
        return self._wire is not None and self._wire.spent

    def allow(self, size: int) -> None:
        """Let the connection, if there is one, bring so many bytes more."""
        if self._wire is not None:
            self._wire.allowance = size

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's name, and not used
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an address that the host may lead to."""
        del timeout, local_address, socket_options
        self._wire = await connect(await self._resolver.addresses(host), port)
        self.made += 1
        self.allow(HEAD)
        return _HttpcoreStream(self._wire, self)

    async def secure(self, wire: ByteStream, context: ssl.SSLContext, host: str) -> None:
        """Start TLS; a certificate that is refused is looked at once more, for its date alone."""
        try:
            await wire.secure(context, host)
        except ssl.SSLCertVerificationError:
            with suppress(OSError):  # TimeoutError is one
                async with asyncio.timeout(LOOK):
                    self.certificate = await tls.peer_certificate(wire.peer, wire.port, host)
            raise
        self.certificate = wire.certificate


class _HttpcoreStream(httpcore.AsyncNetworkStream):
    """A wire as httpcore wants it; its timeouts are not used: a scrape has one deadline."""

    def __init__(self, wire: ByteStream, network: AsyncioBackend) -> None:
        self._wire = wire
        self._network = network

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> bytes:
        del max_bytes, timeout
        return await self._wire.read()

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> None:
        del timeout
        self._wire.write(buffer)

    async def aclose(self) -> None:
        self._wire.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        del timeout
        await self._network.secure(self._wire, ssl_context, server_hostname or "")
        return self

    def get_extra_info(self, info: str) -> bool | None:
        return self._wire.readable if info == "is_readable" else None


class SingleConnectionTransport(httpx.AsyncHTTPTransport):
    """httpx's transport on a pool of one connection.

    A pool's work grows with the square of its connections, so every origin has one of its own.
    """

    def __init__(self, network: AsyncioBackend, context: ssl.SSLContext | None) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=KEPT,
            network_backend=network,
        )
