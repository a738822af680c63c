"""The protocol of a connection to one origin, and its requests and responses."""

from typing import Protocol

from msgspec import Struct

from watchdeck.net.address import Url

MAX_HEAD = 128 << 10
"""Most bytes of the head of a response, interim responses included."""

MAX_PIECES = 16_384
"""Most parts of a body: each costs 20 µs, and a hostile server may send a megabyte in parts of one
byte."""


class Request(Struct, frozen=True):
    """One HTTP request; `limit` is the most bytes of the response's body, before decompression.

    Headers hold secrets, so `repr` leaves them out.
    """

    address: Url
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    body: bytes = b""
    limit: int = 1 << 20

    def __repr__(self) -> str:
        return f"Request({self.method} {self.address}, limit={self.limit})"


class RawResponse(Struct, frozen=True):
    """One response with its body as sent, maybe compressed; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection(Protocol):
    """One persistent connection to one origin; it sends one request at a time."""

    @property
    def certificate(self) -> bytes | None:
        """The server's latest certificate (DER), even a refused one; None without TLS."""
        ...

    @property
    def peer(self) -> str:
        """The server's IP address on the latest connection; empty before the first."""
        ...

    @property
    def reused(self) -> bool:
        """Whether the latest request used a connection that had carried others."""
        ...

    async def exchange(self, request: Request) -> RawResponse:
        """Send a request and read the whole response. Raises RequestError, and nothing else."""
        ...

    async def close(self) -> None:
        """Close the connection at once, even during a request."""
        ...
